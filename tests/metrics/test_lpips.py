"""LPIPS is torchmetrics' to compute: it is given RGB in [0, 1], and what is absent is named."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from sr_bench.errors import MetricError
from sr_bench.metrics import lpips

HR = np.random.default_rng(5).integers(0, 256, (31, 40, 3)).astype(np.uint8)


class Distance:
    """Keeps what it is given, and tells the mean absolute difference."""

    def __init__(self, **how: object) -> None:
        self.how = how
        self.given: list[torch.Tensor] = []
        self.net = self

    def __call__(self, sr: torch.Tensor, hr: torch.Tensor, *, normalize: bool) -> torch.Tensor:
        assert normalize
        self.given = [sr, hr]
        return (sr - hr).abs().mean().reshape(1, 1, 1, 1)


@pytest.fixture
def torchmetrics(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Put a library in the place of torchmetrics and torchvision, with AlexNet's weights."""
    library = ModuleType("torchmetrics.image.lpip")
    library.LearnedPerceptualImagePatchSimilarity = Distance
    for name in ("torchmetrics", "torchmetrics.image"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, library.__name__, library)
    monkeypatch.setattr(lpips, "find_spec", lambda name: name)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights = tmp_path / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"
    weights.parent.mkdir(parents=True)
    weights.touch()
    lpips._network.cache_clear()
    yield library
    lpips._network.cache_clear()


def test_it_gives_the_network_rgb_between_0_and_1(torchmetrics) -> None:
    assert lpips.absent() == ""
    sr = HR.astype(np.float32) + 300.0
    assert lpips.score(sr, HR) == pytest.approx(float((1 - HR / 255.0).mean()), abs=1e-6)
    network = lpips._network()
    assert network.how == {"net_type": "alex", "normalize": True}
    assert [tuple(image.shape) for image in network.given] == [(1, 3, 31, 40)] * 2
    assert np.array_equal(np.rint(255 * network.given[1][0].permute(1, 2, 0).numpy()), HR)


def test_an_image_that_is_too_small_for_alexnet_is_refused(torchmetrics) -> None:
    with pytest.raises(MetricError, match="at least 31x31 pixels"):
        lpips.score(HR[1:], HR[1:])


def test_an_absent_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lpips, "find_spec", lambda name: None)
    assert lpips.absent() == "pip install 'sr-bench[lpips]'"


def test_absent_weights_are_named_with_their_place(torchmetrics, monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    file = tmp_path / "other" / "torch" / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"
    assert lpips.absent().startswith("save https://")
    assert lpips.absent().endswith(f"/alexnet-owt-7be5be79.pth as {file}")


def test_a_library_that_does_not_load_is_named(torchmetrics) -> None:
    def broken(**_: object) -> None:
        msg = "operator torchvision::nms does not exist"
        raise RuntimeError(msg)

    torchmetrics.LearnedPerceptualImagePatchSimilarity = broken
    assert lpips.absent().startswith("operator torchvision::nms does not exist; install a torchv")
