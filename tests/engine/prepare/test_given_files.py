"""A card's own file of a low precision is that row; a file of another precision is refused."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

from sr_bench.core.precision import Precision
from sr_bench.core.record import Record, Status
from sr_bench.engine.bench import Bench
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.imaging.files import read_image
from tests.int8_zoo import Int8Zoo, make_int8_zoo
from tests.precision.nets import images


class _Images(CalibrationDataReader):
    def __init__(self) -> None:
        self._left = iter(images(2))

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(({"x": image} for image in self._left), None)


@pytest.fixture
def zoo(tmp_path: Path, cache: Path) -> Int8Zoo:
    zoo = make_int8_zoo(tmp_path / "my_zoo")
    form, target = QuantFormat.QDQ, zoo.suite / "theirs.onnx"
    quantize_static(zoo.suite / "net.onnx", target, _Images(), quant_format=form)
    return zoo


def _card(zoo: Int8Zoo, given: str, *, gate: bool = True, onnx_key: str = "net.onnx") -> None:
    zoo.write_card()
    path = zoo.suite / "card.toml"
    head, _, tail = path.read_text().partition("[model.int8]")
    head = head.replace('onnx = "net.onnx"\n', f'onnx = "{onnx_key}"\n' if onnx_key else "")
    tail = tail if gate else tail.partition("[model.gate]")[0]
    path.write_text(f"{head}[model.onnx_by_precision]\n{given}\n[model.int8]{tail}")


def _psnr(zoo: Int8Zoo, precision: str, backend: str = "onnxruntime") -> Record:
    chosen = Selection(
        data=zoo.data,
        precisions=(Precision(precision),),
        backend=backend,
        device="emulate",
        explain_s=0.0,
    )
    cases = plan(load_suite(zoo.suite / "card.toml"), chosen)
    case = next(item for item in cases if (item.metric, item.precision) == ("psnr", precision))
    return Bench(chosen).evaluate(case, case.id, lambda *_: None)


def _by_hand(zoo: Int8Zoo, name: str) -> float:
    """Return the mean PSNR of the file `name`, run without sr-bench."""
    session = onnxruntime.InferenceSession(zoo.suite / name, providers=["CPUExecutionProvider"])
    values = []
    for number in (1, 2, 3):
        lr, hr = (
            read_image(zoo.data / "judged" / kind / f"judged{number}.png") for kind in ("LR", "HR")
        )
        x = (lr.astype(np.float32) / 255).transpose(2, 0, 1)[np.newaxis]
        (image,) = session.get_inputs()
        x = x.astype(np.float16 if "float16" in image.type else np.float32)
        y = session.run(None, {image.name: x})[0][0].transpose(1, 2, 0).astype(np.float64)
        levels = np.rint(np.clip(y * 255, 0, 255))
        values.append(10 * np.log10(255**2 / np.mean((levels - hr) ** 2)))
    return float(np.mean(values))


def test_a_vendors_int8_file_is_measured_as_it_is_and_labelled(zoo: Int8Zoo) -> None:
    _card(zoo, 'int8_percentile = "theirs.onnx"')
    (zoo.data / "seen").rename(zoo.data / "gone")  # nothing is calibrated
    record = _psnr(zoo, "int8_percentile")
    assert record.measurement is not None, record.verdict.sentence
    assert record.measurement.value == pytest.approx(_by_hand(zoo, "theirs.onnx"), abs=1e-9)
    assert record.detail.given_file == "the file theirs.onnx of the card, measured as it is"
    # Plain onnxruntime leaves the two layers before the additions in float: 24 and 64 of 504.
    assert float(record.detail.integer_share) == pytest.approx(416 / 504, abs=1e-4)
    assert record.detail.observer == ""


def test_another_content_of_the_file_is_measured_again(zoo: Int8Zoo) -> None:
    _card(zoo, 'int8_kl = "theirs.onnx"')
    first = _psnr(zoo, "int8_kl")
    model = onnx.load(zoo.suite / "theirs.onnx")
    scale = next(t for t in model.graph.initializer if t.name == "head_scale")
    scale.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(scale) * 3, scale.name))
    onnx.save(model, zoo.suite / "theirs.onnx")
    second = _psnr(zoo, "int8_kl")
    assert first.fingerprint != second.fingerprint
    assert second.measurement.value == pytest.approx(_by_hand(zoo, "theirs.onnx"), abs=1e-9)
    assert abs(first.measurement.value - second.measurement.value) > 1e-4


def test_a_float16_file_is_the_fp16_row(zoo: Int8Zoo) -> None:
    model = onnx.load(zoo.suite / "net.onnx")
    for tensor in model.graph.initializer:
        halves = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(halves, tensor.name))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    onnx.save(model, zoo.suite / "half.onnx")
    _card(zoo, 'fp16 = "half.onnx"')
    record = _psnr(zoo, "fp16")
    assert record.measurement.value == pytest.approx(_by_hand(zoo, "half.onnx"), abs=0.01)
    assert record.detail.given_file == "the file half.onnx of the card, measured as it is"


@pytest.mark.parametrize(
    ("precision", "given", "onnx_key", "message"),
    [
        ("fp32", "", "theirs.onnx", "expected a file of fp32, got one of int8"),
        ("fp16", "", "theirs.onnx", "expected the fp32 file, got one of int8"),
        ("int8_max", "", "theirs.onnx", "expected the fp32 file, got one of int8"),
        ("fp16", 'fp16 = "theirs.onnx"', "net.onnx", "of fp16, got one of int8"),
        ("int8_kl", 'int8_kl = "plain.onnx"', "net.onnx", "of int8, got one of fp32"),
        ("int8_kl", 'int8_kl = "max.onnx"', "net.onnx", "of int8_kl, got one of int8_max"),
    ],
)
def test_a_file_of_another_precision_is_refused_with_the_reason(
    zoo: Int8Zoo, precision: str, given: str, onnx_key: str, message: str
) -> None:
    (zoo.suite / "plain.onnx").write_bytes((zoo.suite / "net.onnx").read_bytes())
    labelled = onnx.load(zoo.suite / "theirs.onnx")
    helper.set_model_props(labelled, {"sr_bench.observer": "max"})
    onnx.save(labelled, zoo.suite / "max.onnx")
    _card(zoo, given, onnx_key=onnx_key, gate=False)
    record = _psnr(zoo, precision)
    assert record.verdict.status is Status.ERROR
    assert message in record.verdict.sentence


def test_a_card_of_files_alone_measures_them_and_says_what_fp32_needs(zoo: Int8Zoo) -> None:
    _card(zoo, 'int8_max = "theirs.onnx"', onnx_key="", gate=False)
    assert _psnr(zoo, "int8_max").measurement is not None
    for precision, backend in (("fp32", "onnxruntime"), ("int8_max", "vacc")):
        record = _psnr(zoo, precision, backend)
        assert record.verdict.status is Status.NOT_RUN
        assert "this needs the fp32 network, and the card gives files of int8_max alone" in (
            record.verdict.sentence
        )


def test_a_device_with_rules_of_its_own_leaves_the_file_aside_and_says_so(zoo: Int8Zoo) -> None:
    _card(zoo, 'int8_max = "theirs.onnx"', gate=False)
    record = _psnr(zoo, "int8_max", "vacc")
    assert record.detail.observer == "max"
    assert record.detail.given_file == (
        "made from the fp32 network; the file theirs.onnx of the card is left aside"
    )


def test_an_absent_file_is_named(zoo: Int8Zoo) -> None:
    _card(zoo, 'int8_max = "absent.onnx"', gate=False)
    record = _psnr(zoo, "int8_max")
    assert record.verdict.status is Status.NOT_RUN
    assert "absent.onnx is not in res/: put the ONNX file there" in record.verdict.sentence


@pytest.mark.parametrize("backend", ["onnxruntime", "vacc"])
def test_a_network_of_which_nothing_can_be_quantised_is_not_run_in_int8(
    zoo: Int8Zoo, backend: str
) -> None:
    weights = np.full((3, 3, 2, 2), 0.3, np.float32)
    up = helper.make_node("ConvTranspose", ["x", "w"], ["y"], name="up", strides=[2, 2])
    model = onnx.load(zoo.suite / "net.onnx")
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.append(up)
    model.graph.initializer.append(numpy_helper.from_array(weights, "w"))
    onnx.save(model, zoo.suite / "net.onnx")
    zoo.write_card()
    path = zoo.suite / "card.toml"
    path.write_text(path.read_text().partition("[model.gate]")[0])
    record = _psnr(zoo, "int8_kl", backend)
    assert record.verdict.status is Status.NOT_RUN
    assert record.verdict.sentence.startswith("no layer can be quantised: ")
    assert "ConvTranspose 'up'" in record.verdict.sentence


@pytest.mark.parametrize("backend", ["onnxruntime", "vacc"])
def test_a_plan_that_leaves_all_layers_in_float_is_not_run_in_int8(
    zoo: Int8Zoo, backend: str
) -> None:
    zoo.write_card(plan='keep = ["*"]\n[model.vacc]\nskip = ["*"]')
    record = _psnr(zoo, "int8_kl", backend)
    assert record.verdict.status is Status.NOT_RUN
    key = "vacc.skip" if backend == "vacc" else "keep"
    assert record.verdict.sentence == (f"no layer is left to quantise: {key} leaves all 5 in float")


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8_max"])
def test_what_fails_is_told_of_the_users_file_not_of_what_was_made_of_it(
    precision: str, zoo: Int8Zoo, cache: Path
) -> None:
    _card(zoo, 'int8_kl = "theirs.onnx"')
    network = onnx.load(zoo.suite / "net.onnx")
    network.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    onnx.save(network, zoo.suite / "net.onnx")
    told = _psnr(zoo, precision).verdict.sentence
    assert str(zoo.suite / "net.onnx") in told
    assert "\n" not in told
    assert str(cache) not in told
