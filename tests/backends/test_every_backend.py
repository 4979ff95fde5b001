"""What every backend promises, whatever it is."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import numpy as np
import pytest
import torch

from sr_bench import discovery
from sr_bench.core.backend import Artefact
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, NotRunError
from sr_bench.export.to_onnx import export_onnx
from sr_bench.precision.fp16 import to_fp16
from tests.cost.zoo_models import SMALL, small

NAMES = [name for name in discovery.names("sr_bench.backends") if name != "replay"]
"""Those that compute."""
OURS = ("onnxruntime", "torch", "vacc")
"""Those whose libraries are always installed."""
FP = (Precision.FP32, Precision.FP16)


@pytest.fixture(params=NAMES)
def backend(request: pytest.FixtureRequest) -> ModuleType:
    module = discovery.load("sr_bench.backends", request.param)
    if not module.precisions():
        pytest.skip(f"{request.param} is {module.describe().version}: {module.describe().note}")
    return module


@pytest.fixture(params=FP)
def precision(request: pytest.FixtureRequest, backend: ModuleType) -> Precision:
    if request.param not in backend.precisions():
        pytest.skip(f"no {request.param} there: {backend.describe().note}")
    return request.param


@cache  # each backend gets a copy
def _file(name: str, precision: Precision) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        export_onnx(small(name), path)
        if precision is Precision.FP16:
            to_fp16(path, path)
        return path.read_bytes()


def _artefact(folder: Path, name: str, precision: Precision = Precision.FP32) -> Artefact:
    path = folder / f"{name}.onnx"
    path.write_bytes(_file(name, precision))
    return Artefact(path, lambda: small(name), precision, digest="")


def _lr(height: int = 12, width: int = 20, batch: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((batch, 3, height, width), dtype=np.float32)


def test_the_shipped_backends_are_listed_here() -> None:
    assert sorted([*OURS, "mnn", "ncnn", "openvino", "tract"]) == NAMES


@pytest.mark.parametrize("backend", OURS, indirect=True)
@pytest.mark.parametrize("name", SMALL)
def test_every_network_agrees_with_its_module(
    backend: ModuleType, name: str, tmp_path: Path
) -> None:
    _check_agreement(backend, name, tmp_path, 1e-5)


@pytest.mark.parametrize("backend", sorted({*NAMES} - {*OURS}), indirect=True)
@pytest.mark.parametrize("name", ["lesrcnn_multi_x4", "rcan_basicsr_x4", "pairlie_x1"])
def test_some_networks_agree_in_runtimes_of_others(
    backend: ModuleType, name: str, tmp_path: Path
) -> None:
    # Winograd convolutions of large tiles, which some take, are off by 2e-4 of the span.
    _check_agreement(backend, name, tmp_path, 1e-3)


def _check_agreement(backend: ModuleType, name: str, tmp_path: Path, limit: float) -> None:
    with torch.inference_mode():
        expected = small(name)(torch.from_numpy(_lr())).numpy()
    with backend.open_session(_artefact(tmp_path, name)) as session:
        sr = session.run(_lr())
    assert (sr.shape, sr.dtype) == (expected.shape, np.float32)
    assert np.abs(sr - expected).max() <= limit * np.ptp(expected)


def test_sizes_may_change_from_run_to_run(
    backend: ModuleType, precision: Precision, tmp_path: Path
) -> None:
    with backend.open_session(_artefact(tmp_path, "sr4k_basicsr_x2", precision)) as session:
        for height, width, batch in ((12, 20, 1), (30, 14, 1), (12, 20, 3)):
            assert session.run(_lr(height, width, batch)).shape == (batch, 3, 2 * height, 2 * width)


def test_fp16_has_fp16_values_that_differ_from_fp32(backend: ModuleType, tmp_path: Path) -> None:
    if Precision.FP16 not in backend.precisions():
        pytest.skip(f"no fp16 there: {backend.describe().note}")
    results = []
    for precision in FP:
        with backend.open_session(_artefact(tmp_path, "lesrcnn_x2", precision)) as session:
            results.append(session.run(_lr()))
    full, half = results
    np.testing.assert_array_equal(half, half.astype(np.float16))
    assert 0 < np.abs(half - full).max() < 0.01 * np.ptp(full)


def test_two_threads_compute_the_bits_of_one(
    backend: ModuleType, precision: Precision, tmp_path: Path
) -> None:
    inputs = [_lr(seed=seed) for seed in range(6)]
    with backend.open_session(_artefact(tmp_path, "edsr_official_x2", precision)) as session:
        alone = [session.run(lr) for lr in inputs]
        with ThreadPoolExecutor(2) as pool:
            together = list(pool.map(session.run, inputs))
    for first, second in zip(alone, together, strict=True):
        np.testing.assert_array_equal(first, second)


def test_an_array_in_any_memory_layout_gives_the_same(backend: ModuleType, tmp_path: Path) -> None:
    strided = np.ascontiguousarray(_lr().transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    with backend.open_session(_artefact(tmp_path, "lesrcnn_x2")) as session:
        np.testing.assert_array_equal(session.run(strided), session.run(_lr()))
        assert strided[0, 0, 0, 0] == _lr()[0, 0, 0, 0]


@pytest.mark.parametrize(
    ("lr", "got"),
    [
        (np.zeros((3, 8, 8), np.float32), r"float32 of shape \(3, 8, 8\)"),
        (np.zeros((1, 3, 8, 8), np.uint8), r"uint8 of shape \(1, 3, 8, 8\)"),
        (np.zeros((1, 3, 8, 8), np.float64), "float64"),
        (np.zeros((1, 3, 0, 8), np.float32), r"shape \(1, 3, 0, 8\)"),
        ([[1.0]], "list"),
    ],
)
def test_a_wrong_array_is_refused_with_what_was_got(
    backend: ModuleType, lr: object, got: str, tmp_path: Path
) -> None:
    with backend.open_session(_artefact(tmp_path, "edsr_basicsr_x1")) as session:
        with pytest.raises(BackendError, match=rf"as float32 \(N, C, H, W\).*{got}"):
            session.run(lr)
        session.run(_lr())


def test_a_wrong_number_of_channels_is_refused(backend: ModuleType, tmp_path: Path) -> None:
    with (
        backend.open_session(_artefact(tmp_path, "edsr_official_x2")) as session,
        pytest.raises(BackendError, match=r"\(1, 1, 8, 8\)|reads n x 3 x h x w, got 1 x 1 x 8 x 8"),
    ):
        session.run(np.zeros((1, 1, 8, 8), np.float32))


def test_a_closed_session_refuses_to_run(backend: ModuleType, tmp_path: Path) -> None:
    session = backend.open_session(_artefact(tmp_path, "edsr_basicsr_x1"))
    session.close()
    session.close()
    with pytest.raises(BackendError, match="is closed"):
        session.run(_lr())


@pytest.mark.parametrize("asked", Precision.all())
def test_a_network_without_file_and_module_is_not_run(
    backend: ModuleType, asked: Precision
) -> None:
    assert {Precision.FP32} <= set(backend.precisions()) <= set(Precision.all())
    with pytest.raises(NotRunError):
        backend.open_session(Artefact(None, None, asked, digest=""))


def test_the_description_is_complete_and_true_of_the_session(
    backend: ModuleType, tmp_path: Path
) -> None:
    info = backend.describe()
    assert info.name == backend.__name__.rpartition(".")[2]
    assert info.version[-1:].isalnum()
    assert "\n" not in info.note
    assert info.emulated == (info.device == "emulated") == (info.name == "vacc")
    with backend.open_session(_artefact(tmp_path, "edsr_basicsr_x1")) as session:
        assert session.device == info.device


def test_describing_all_backends_imports_none_of_their_libraries() -> None:
    code = (
        "import sys; from sr_bench import discovery\n"
        f"for name in {NAMES}:\n"
        "    module = discovery.load('sr_bench.backends', name)\n"
        "    module.describe(); module.precisions()\n"
        f"assert not {{*{NAMES}, 'onnx'}} & set(sys.modules), 'imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("content", [b"", b"no network", None], ids=["empty", "text", "missing"])
def test_a_corrupt_onnx_file_is_refused(
    backend: ModuleType, content: bytes | None, tmp_path: Path
) -> None:
    if backend.__name__.endswith("torch"):
        pytest.skip("torch opens no ONNX file")
    path = tmp_path / "net.onnx"
    if content is not None:
        path.write_bytes(content)
    artefact = Artefact(path, None, Precision.FP32, digest="")
    with pytest.raises(BackendError, match=r"can't open .*net\.onnx"):
        backend.open_session(artefact)
