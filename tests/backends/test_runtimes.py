"""Runtimes of others: what they offer, and that one which reads a file wrongly is told at once."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper

from sr_bench import discovery
from sr_bench.backends._runtime import Opened, Runtime
from sr_bench.backends._session import Infer
from sr_bench.backends.onnxruntime.int8 import exact_kernel
from sr_bench.core.backend import Artefact
from sr_bench.core.int8 import Int8Plan
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, NotRunError
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.write import quantise
from tests.precision.nets import exact_clips, images, residual_net

NAMES = ("mnn", "ncnn", "openvino", "tract")
INT8 = Precision("int8_max")
INSTALLED, ABSENT = "packaging", "sr-bench-no-such-package"


@pytest.fixture(params=NAMES)
def runtime(request: pytest.FixtureRequest) -> Runtime:
    found: Runtime = discovery.load("sr_bench.backends", request.param).RUNTIME
    if not found.precisions():
        pytest.skip(f"{found.name} is {found.version}: {found.describe().note}")
    return found


@pytest.fixture
def fp32(tmp_path: Path) -> Artefact:
    residual_net(tmp_path / "net.onnx")
    return Artefact(tmp_path / "net.onnx", None, Precision.FP32, digest="")


@pytest.fixture
def int8(tmp_path: Path) -> Artefact:
    network = residual_net(tmp_path / "net.onnx")
    plan = Int8Plan(rounding="nearest")
    clips, weights = exact_clips(network, images(3)), integer_weights(network, {})
    onnx.save(quantise(network, clips, weights, plan, (), notes={}), tmp_path / "int8.onnx")
    return Artefact(tmp_path / "int8.onnx", None, INT8, digest="")


def by_onnxruntime(path: Path) -> Infer:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda lr: session.run(None, {session.get_inputs()[0].name: lr})[0]


def made(load: Callable[[Path], Infer], name: str = INSTALLED) -> Runtime:
    """Return a runtime of the same name as an installed package."""
    return Runtime(
        name, lambda path, _: Opened(load(path), lambda: 4), ("fp32", "int8"), "in its own way"
    )


def test_an_absent_runtime_offers_nothing_and_says_what_to_install(fp32: Artefact) -> None:
    absent = made(by_onnxruntime, ABSENT)
    assert (absent.precisions(), absent.describe().version) == ((), "not installed")
    with pytest.raises(NotRunError, match=rf"not installed.*pip install 'sr-bench\[{ABSENT}\]'"):
        absent.open_session(fp32)


def test_a_precision_in_which_it_does_not_compute_is_not_run(fp32: Artefact) -> None:
    half = Artefact(fp32.onnx, None, Precision.FP16, digest="")
    with pytest.raises(NotRunError, match="does not offer fp16: in its own way"):
        made(by_onnxruntime).open_session(half)


def test_one_that_reads_another_network_is_refused_by_one_line(fp32: Artefact) -> None:
    def mirrored(path: Path) -> Infer:
        infer = by_onnxruntime(path)
        return lambda lr: infer(lr[..., ::-1].copy())

    with pytest.raises(
        BackendError, match=r"^packaging .*net\.onnx: it reads .* dB apart"
    ) as raised:
        made(mirrored).open_session(fp32)
    assert "\n" not in str(raised.value)


def test_an_output_of_another_shape_or_without_numbers_is_another_network(fp32: Artefact) -> None:
    for wrong in (lambda sr: sr[:, :, 1:], lambda sr: np.full_like(sr, np.nan)):

        def changed(path: Path, wrong: Callable[..., np.ndarray] = wrong) -> Infer:
            infer = by_onnxruntime(path)
            return lambda lr: wrong(infer(lr))

        with pytest.raises(BackendError, match=" 0 dB apart"):
            made(changed).open_session(fp32)


def with_probe(change: Callable[[np.ndarray, Infer], np.ndarray]) -> Runtime:
    """Return a runtime whose result of the int8 probe is what `change` makes of it."""

    def load(path: Path) -> Infer:
        infer = by_onnxruntime(path)
        return (lambda x: change(x, infer)) if path.name == "probe.onnx" else infer

    return made(load)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda x, _: np.stack([x[:, 0], -2 * x[:, 0]], 1), "expected -100 .*, got -101"),
        (lambda x, infer: infer(np.trunc(x)), "expected -2 .*, got -1"),
        (lambda x, infer: infer(x)[:, [0, 0]] * np.float32([1, -1])[:, None, None], "expected 155"),
        (lambda x, infer: infer(x)[:, :1], "expected 2 x 8 levels, got 1 x 8"),
    ],
    ids=["no rounding", "truncation", "one scale for all channels", "another shape"],
)
def test_one_that_reads_a_qdq_file_otherwise_is_refused(
    int8: Artefact, change: Callable[..., np.ndarray], told: str
) -> None:
    with pytest.raises(BackendError, match=rf"int8\.onnx: it does not round to int8 .*{told}"):
        with_probe(change).open_session(int8)


def test_kernels_that_saturate_are_noted(int8: Artefact) -> None:
    runtimes = {
        with_probe(lambda x, infer: np.where(x[:, :1] > 50, 29, infer(x))): True,
        made(by_onnxruntime): False,
    }
    for runtime, saturates in runtimes.items():
        with runtime.open_session(int8) as session:
            assert ("saturates on this CPU" in session.notes["int8_kernel"]) is saturates
            assert session.notes["int8_layers"] == "4 of 5 int8 layers run in integers"


def test_an_operator_that_it_lacks_is_not_run_and_told_in_one_line(fp32: Artefact) -> None:
    def refuse(_path: Path) -> Infer:
        msg = "Translating\n  node #7 PixelMagic" + 1000 * "!"
        raise RuntimeError(msg)

    with pytest.raises(NotRunError, match=r"can't run .*net\.onnx, .* PixelMagic") as raised:
        made(refuse).open_session(fp32)
    assert len(str(raised.value).splitlines()) == 1
    assert len(str(raised.value)) < 600


@pytest.mark.parametrize("shape", [(1, 3, 20, 28), (1, 3, "h", 28)])
def test_a_network_of_fixed_size_is_compared_on_that(
    runtime: Runtime, fp32: Artefact, shape: tuple[int | str, ...]
) -> None:
    model = onnx.load(fp32.onnx)
    for dim, side in zip(model.graph.input[0].type.tensor_type.shape.dim, shape, strict=True):
        dim.CopyFrom(helper.make_tensor_value_info("x", 1, [side]).type.tensor_type.shape.dim[0])
    onnx.save(model, fp32.onnx)
    with runtime.open_session(fp32) as session:
        assert "dB from onnxruntime" in session.notes["agreement"]
        assert session.run(np.zeros((1, 3, 20, 28), np.float32)).shape == (1, 3, 40, 56)
        with pytest.raises(BackendError, match=r"the network reads .* got 1 x 3 x 20 x 30"):
            session.run(np.zeros((1, 3, 20, 30), np.float32))


def test_int8_is_what_the_file_says(runtime: Runtime, int8: Artefact) -> None:
    if INT8 not in runtime.precisions():
        pytest.skip(f"no int8 there: {runtime.note}")
    expected = by_onnxruntime(int8.onnx)
    with runtime.open_session(int8) as session:
        assert session.notes["int8_kernel"].startswith(f"by {runtime.name} as it is")
        for image in images(3):
            sr = expected(image)
            error = np.square(session.run(image) - sr).mean()
            # On a CPU without VNNI its kernels saturate: 36 dB were measured there.
            least = 70 if exact_kernel(onnx.TensorProto.INT8) else 30
            assert error < np.ptp(sr) ** 2 / 10 ** (least / 10)


def test_tract_runs_a_file_with_sizes_noted_by_letters(fp32: Artefact) -> None:
    pytest.importorskip("tract")
    model = onnx.load(fp32.onnx)
    size = (1, 8, "h", "w")
    model.graph.value_info.append(
        helper.make_tensor_value_info("head", onnx.TensorProto.FLOAT, size)
    )
    onnx.save(model, fp32.onnx)
    with discovery.load("sr_bench.backends", "tract").open_session(fp32) as session:
        assert session.run(images(1, 12)[0]).shape == (1, 3, 24, 24)
