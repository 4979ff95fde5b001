"""The torch backend: fp16 is rounded operator by operator, and agrees with the fp16 ONNX file."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sr_bench.backends import onnxruntime as onnxruntime_backend
from sr_bench.backends import torch as torch_backend
from sr_bench.backends.torch.session import RoundToFp16, fp16
from sr_bench.core.backend import Artefact
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, NotRunError
from sr_bench.export.to_onnx import export_onnx
from sr_bench.precision.fp16 import to_fp16
from tests.cost.zoo_models import SMALL, small


def test_bare_functions_are_rounded_like_layers() -> None:
    torch.manual_seed(0)
    x, y = fp16(torch.randn(500)), fp16(torch.randn(500))
    with RoundToFp16():
        results = (x + y, x * y, 0.1 * x, torch.sigmoid(x), nn.functional.leaky_relu(x, 0.2))
    exact = (x + y, x * y, 0.1 * x, torch.sigmoid(x), nn.functional.leaky_relu(x, 0.2))
    for rounded, full in zip(results, exact, strict=True):
        assert torch.equal(rounded, full.half().float())
        assert not torch.equal(rounded, full)


def test_an_operator_in_place_is_rounded_in_the_tensor_that_others_hold() -> None:
    x = fp16(torch.randn(500, generator=torch.Generator().manual_seed(0)))
    alias, full = x.view(20, 25), 0.3 * x
    with RoundToFp16():
        x.mul_(0.3)
    assert torch.equal(alias.flatten(), full.half().float())


def test_views_stay_views_and_integers_stay_integers() -> None:
    x = torch.ones(4, 4)
    with RoundToFp16():
        x[1].add_(1.0)
        places = torch.arange(70_000)
    assert x[1].tolist() == [2.0] * 4
    assert places[-1].item() == 69_999


def test_what_is_too_large_becomes_infinite() -> None:
    with RoundToFp16():
        assert (torch.tensor([300.0, 255.0]) * 256).tolist() == [float("inf"), 65280.0]


@pytest.mark.parametrize("name", SMALL)
def test_the_two_fp16_emulations_agree(name: str, tmp_path: Path) -> None:
    export_onnx(small(name), tmp_path / "net.onnx")
    to_fp16(tmp_path / "net.onnx", tmp_path / "half.onnx")
    artefact = Artefact(tmp_path / "half.onnx", lambda: small(name), Precision.FP16, digest="")
    lr = np.random.default_rng(0).random((1, 3, 32, 24), dtype=np.float32)
    with torch_backend.open_session(artefact) as ours:
        a = ours.run(lr)
    with onnxruntime_backend.open_session(artefact) as two:
        b = two.run(lr)
    # Measured: 1 step at most, in up to 5 % of the pixels: where float32 sums in another order
    # fall on the other side of a rounding boundary.
    steps = np.abs(a - b) / np.spacing(np.abs(b).max().astype(np.float16))
    assert steps.max() <= 2
    assert steps.mean() <= 0.1


class _Functional(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.interpolate(x, scale_factor=2.0) / 3


def test_a_network_without_layers_is_rounded_too() -> None:
    artefact = Artefact(None, _Functional, Precision.FP16, digest="")
    with torch_backend.open_session(artefact) as session:
        sr = session.run(np.full((1, 1, 2, 2), 0.1, np.float32))
    assert np.unique(sr).tolist() == [np.float16(np.float32(np.float16(0.1)) / 3)]


@pytest.mark.parametrize("precision", [Precision.FP32, Precision("int8_max")])
def test_a_file_and_int8_are_for_onnxruntime(precision: Precision, tmp_path: Path) -> None:
    assert precision is Precision.FP32 or precision not in torch_backend.precisions()
    load = None if precision is Precision.FP32 else lambda: small("edsr_basicsr_x1")
    artefact = Artefact(tmp_path / "net.onnx", load, precision, digest="")
    with pytest.raises(NotRunError, match="for an ONNX file or int8 rerun with --backend=onnx"):
        torch_backend.open_session(artefact)


def test_what_is_not_a_module_is_refused() -> None:
    artefact = Artefact(None, dict, Precision.FP32, digest="")
    with pytest.raises(BackendError, match=r"expected a torch\.nn\.Module, got dict"):
        torch_backend.open_session(artefact)
