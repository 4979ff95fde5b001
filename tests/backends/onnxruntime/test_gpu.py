"""onnxruntime-gpu: what it is asked for and, where there is a GPU, what it returns."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from sr_bench.backends import _gpu, vacc
from sr_bench.backends import onnxruntime as backend
from sr_bench.core.backend import Artefact
from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.core.precision import Precision
from sr_bench.errors import NotRunError
from sr_bench.export.to_onnx import export_onnx
from sr_bench.precision.fp16 import to_fp16
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.write import quantise
from tests.cost.zoo_models import small
from tests.precision.nets import exact_clips, images, residual_net

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
needs_gpu = pytest.mark.skipif(
    CUDA not in onnxruntime.get_available_providers(),
    reason="onnxruntime has no CUDA provider here; where it has, run this file",
)


@pytest.fixture
def gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine look as if it had a GPU and onnxruntime-gpu."""
    (tmp_path / "nvidiactl").touch()
    (tmp_path / "gpus" / "0").mkdir(parents=True)
    (tmp_path / "gpus" / "0" / "information").write_text("Model: \t NVIDIA T4\n")
    monkeypatch.setattr(_gpu, "_CONTROL_NODE", tmp_path / "nvidiactl")
    monkeypatch.setattr(_gpu, "_DRIVER", tmp_path)
    monkeypatch.setattr(backend, "version", lambda _name: "1.31.1")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


class Library:
    """A stand-in for onnxruntime-gpu: it notes what it is asked for, and computes on the CPU."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[dict[str, object]] = []
        self.options: list[onnxruntime.SessionOptions] = []
        library, real = self, onnxruntime.InferenceSession

        class Session(real):
            def __init__(self, network: object, options: object, **asked: object) -> None:
                library.options.append(options)
                library.asked.append(asked)
                super().__init__(network, options, providers=[CPU])

            def get_providers(self) -> list[str]:
                return [CUDA, CPU]

        monkeypatch.setattr(onnxruntime, "InferenceSession", Session)


def file(folder: Path, precision: Precision) -> Artefact:
    export_onnx(small("lesrcnn_x2"), folder / "net.onnx")
    if precision is Precision.FP16:
        to_fp16(folder / "net.onnx", folder / "net.onnx")
    return Artefact(folder / "net.onnx", None, precision, digest="")


def int8_file(folder: Path) -> Artefact:
    network = residual_net(folder / "net.onnx")
    clips = exact_clips(network, images(3)) | {"x": ClipRange(0.0, 1.0)}
    model = quantise(network, clips, integer_weights(network, {}), Int8Plan(), (), notes={})
    onnx.save(model, folder / "int8.onnx")
    return Artefact(folder / "int8.onnx", None, Precision("int8_max"), digest="")


@pytest.mark.usefixtures("gpu")
def test_the_version_names_the_gpu_so_that_no_result_of_the_cpu_is_taken_for_its(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    info = backend.describe()
    assert (info.device, info.version) == ("cuda", "1.31.1 on NVIDIA T4")
    assert (info.hardware, info.imitates) == ("NVIDIA T4", ("fp16", "int8"))
    assert info.is_device
    assert not info.emulated
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    hidden = backend.describe()
    assert (hidden.device, hidden.version, hidden.is_device) == ("cpu", "1.31.1", False)


@pytest.mark.usefixtures("gpu")
def test_without_onnxruntime_gpu_a_gpu_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def plain(name: str) -> str:
        if name == "onnxruntime":
            return version(name)
        raise PackageNotFoundError(name)

    monkeypatch.setattr(backend, "version", plain)
    info = backend.describe()
    assert (info.device, info.version) == ("cpu", version("onnxruntime"))


@pytest.mark.usefixtures("gpu")
@pytest.mark.filterwarnings("ignore:Specified provider")
@pytest.mark.skipif(CUDA in onnxruntime.get_available_providers(), reason="there is a GPU here")
def test_a_gpu_that_the_library_cannot_use_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(NotRunError, match=r"can't use the GPU here: .*CUDA_VISIBLE_DEVICES=-1"):
        backend.open_session(file(tmp_path, Precision.FP32))


@pytest.mark.usefixtures("gpu")
def test_cuda_is_asked_for_without_tf32_without_a_search_and_without_fallback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artefact, library = file(tmp_path, Precision.FP32), Library(monkeypatch)
    with backend.open_session(artefact) as session:
        assert session.device == "cuda"
    (asked,) = library.asked
    options = {"use_tf32": "0", "cudnn_conv_algo_search": "DEFAULT"}
    assert asked == {"providers": [(CUDA, options), CPU], "enable_fallback": 0}


@pytest.mark.usefixtures("gpu")
def test_int8_is_left_in_float_on_the_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artefact, library = int8_file(tmp_path), Library(monkeypatch)
    with backend.open_session(artefact) as session:
        assert session.notes == {
            "int8_kernel": "float on rounded values, on the GPU",
            "int8_layers": "0 of 5 int8 layers run in integers",
        }
    (options,) = library.options
    assert options.get_session_config_entry("session.disable_quant_qdq") == "1"


@pytest.mark.usefixtures("gpu")
def test_an_emulation_stays_on_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artefact, library = file(tmp_path, Precision.FP32), Library(monkeypatch)
    with vacc.open_session(artefact) as session:
        assert session.device == "emulated"
    assert library.asked == [{"providers": [CPU]}]


@needs_gpu
@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16, Precision("int8_max")])
def test_a_gpu_computes_what_the_cpu_computes(
    precision: Precision, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    int8 = precision is Precision("int8_max")
    artefact = int8_file(tmp_path) if int8 else file(tmp_path, precision)
    lr = images(1)[0]
    with backend.open_session(artefact) as session:
        assert session.device == "cuda"
        result = session.run(lr)
        np.testing.assert_array_equal(session.run(lr), result)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    with backend.open_session(artefact) as session:
        expected = session.run(lr)
    if precision is Precision.FP32:
        assert np.abs(result - expected).max() <= 1e-5 * np.ptp(expected)
        return
    # A sum beside a rounding threshold may fall on either side of it.
    assert np.square(result - expected).mean() <= 1e-6 * np.ptp(expected) ** 2
