"""LPIPS weighs how far apart AlexNet's features of unit length are; what is absent is named."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from sr_bench.errors import MetricError
from sr_bench.metrics import lpips

HR = np.random.default_rng(5).integers(0, 256, (31, 40, 3)).astype(np.uint8)
SR = np.random.default_rng(6).integers(0, 256, (31, 40, 3)).astype(np.uint8)


def alexnet() -> nn.Sequential:
    """Return its layers up to the last features, with random weights."""
    torch.manual_seed(3)
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()),
    )


def trained(features: nn.Sequential) -> dict[str, torch.Tensor]:
    """Return weights of a distance over these features."""
    channels = [layer.out_channels for layer in features if isinstance(layer, nn.Conv2d)]
    return {f"lin{i}.model.1.weight": torch.rand(1, c, 1, 1) for i, c in enumerate(channels)}


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Put a library in the place of torchmetrics, and AlexNet's weights where torch keeps them."""
    features = alexnet()
    weights = tmp_path / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"
    distance = tmp_path / "torchmetrics" / "functional" / "image" / "lpips_models" / "alex.pth"
    for file in (weights, distance):
        file.parent.mkdir(parents=True)
    torch.save({f"features.{k}": v for k, v in features.state_dict().items()}, weights)
    torch.save(trained(features), distance)
    spec = SimpleNamespace(origin=str(tmp_path / "torchmetrics" / "__init__.py"))
    monkeypatch.setattr(lpips, "find_spec", lambda name: spec)
    monkeypatch.setattr(lpips, "_DIGEST", "")  # ours are random
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    lpips._trained.cache_clear()
    yield SimpleNamespace(features=features, distance=torch.load(distance), weights=weights)
    lpips._trained.cache_clear()


def expected(library: SimpleNamespace) -> float:
    """Return the distance of SR and HR by modules, in float64."""
    shift = np.array([-0.030, -0.088, -0.188])
    scale = np.array([0.458, 0.448, 0.450])
    images = [torch.from_numpy((image / 127.5 - 1 - shift) / scale) for image in (SR, HR)]
    x, total = torch.stack(images).permute(0, 3, 1, 2), 0.0
    weights = iter(library.distance.values())
    with torch.inference_mode():
        for layer in library.features.double():
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                unit = nn.functional.normalize(x, dim=1).numpy()
                apart = ((unit[0] - unit[1]) ** 2 * next(weights)[0].numpy()).sum(axis=0)
                total += apart.mean()
    return float(total)


def test_it_is_the_weighted_distance_of_alexnets_features(library: SimpleNamespace) -> None:
    assert lpips.absent() == ""
    assert lpips.score(SR, HR) == pytest.approx(expected(library), rel=1e-5)
    assert lpips.score(HR, HR) == 0.0


def test_levels_beyond_white_are_clipped_and_white_may_be_1(library: SimpleNamespace) -> None:
    white = np.full_like(HR, 255)
    assert lpips.score(HR.astype(np.float32) + 300.0, HR) == lpips.score(white, HR)
    halves = [np.float32(image) / 255 for image in (SR, HR)]
    assert lpips.score(*halves, data_range=1.0) == pytest.approx(lpips.score(SR, HR), rel=1e-5)


def test_an_image_that_is_too_small_for_alexnet_is_refused(library: SimpleNamespace) -> None:
    with pytest.raises(MetricError, match="at least 31x31 pixels"):
        lpips.score(HR[1:], HR[1:])


def test_an_absent_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lpips, "find_spec", lambda name: None)
    assert lpips.absent() == "pip install 'sr-bench[lpips]'"


def test_absent_weights_are_named_with_their_place(
    library: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    file = tmp_path / "other" / "torch" / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"
    assert lpips.absent().startswith("save https://")
    assert lpips.absent().endswith(f"/alexnet-owt-7be5be79.pth as {file}")


def test_other_weights_are_refused(
    library: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lpips, "_DIGEST", "7be5be79")
    assert lpips.absent().startswith("expected a file of SHA-256 7be5be79..., got ")
    assert lpips.absent().endswith(f" as {library.weights}")
