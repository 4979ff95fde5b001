from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import structural_similarity
from torch import Tensor, nn
from torch.testing import assert_close

from sr_bench.core.card import ModelCard
from sr_bench.core.checkpoint import Checkpoint
from sr_bench.zoo.build import build
from tests.zoo.weights import load_model

HYPER = {"n_feats": 8, "multi_scale": False}
SSIM = {
    "data_range": 255,
    "gaussian_weights": True,
    "sigma": 1.5,
    "use_sample_covariance": False,
}
MEAN = torch.tensor([0.4488, 0.4371, 0.4040]).view(1, 3, 1, 1)


@pytest.fixture
def image() -> Tensor:
    return torch.rand(1, 3, 6, 5, generator=torch.Generator().manual_seed(0))


def test_one_tap_per_layer_outputs_twice_the_rectified_image(
    blank: Callable[[nn.Module], nn.Module],
    identity: Callable[[nn.Module, str], None],
    image: Tensor,
) -> None:
    module = blank(build("lesrcnn", {**HYPER, "n_feats": 3}, 3))
    for path in ("conv1", "conv17_1", "conv17_2", "conv17_3", "conv17_4", "conv18"):
        identity(module, f"{path}.0")
    identity(module, "upsample.up.body.0")
    near = image.repeat_interleave(3, 2).repeat_interleave(3, 3)
    # The deep and the shallow branch are both relu(x - mean).
    assert_close(module(image), 2 * (near - MEAN).relu() + MEAN)


def test_the_rectified_skips_are_what_in_place_relus_leave_behind(image: Tensor) -> None:
    module = build("lesrcnn", HYPER, 2).eval().requires_grad_(False)
    layer = {name: module.get_submodule(name) for name in ("conv1", "conv18", "upsample")}
    layer |= {f"conv{i}": module.get_submodule(f"conv{i}") for i in range(2, 18)}
    skip = layer["conv1"](image - MEAN)
    first = skip.relu_()
    rectified = first
    for i in range(2, 18, 2):
        skip = skip + layer[f"conv{i + 1}"](layer[f"conv{i}"](rectified))
        rectified = skip.relu_()
    features = (layer["upsample"](rectified) + layer["upsample"](first)).relu_()
    for i in range(1, 5):
        features = module.get_submodule(f"conv17_{i}")(features)
    assert_close(module(image), layer["conv18"](features) + MEAN)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_multi_scale_network_uses_the_upsampler_of_its_scale(scale: int, image: Tensor) -> None:
    many = build("lesrcnn", {**HYPER, "multi_scale": True}, scale).eval()
    network = build("lesrcnn", HYPER, scale).eval()
    used = {k.replace(f".up{scale}.", ".up."): v for k, v in many.state_dict().items()}
    network.load_state_dict({k: v for k, v in used.items() if k in network.state_dict()})
    with torch.inference_mode():
        assert_close(many(image), network(image))
    assert {k.split(".")[1] for k in many.state_dict() if "upsample" in k} == {"up2", "up3", "up4"}


def _card(scale: int, checkpoint: Checkpoint) -> ModelCard:
    return ModelCard(
        name=f"lesrcnn_x{scale}",
        family="lesrcnn",
        folder=Path(),
        row="",
        row_source="",
        scale=scale,
        architecture="lesrcnn",
        hyper={"n_feats": 64, "multi_scale": False},
        checkpoint=checkpoint,
    )


def _luma(image: NDArray[np.uint8], border: int) -> NDArray[np.float64]:
    y = np.round(image.astype(np.float64) @ [65.481, 128.553, 24.966] / 255 + 16)
    return y[border:-border, border:-border]


def _super_resolve(module: nn.Module, path: Path) -> NDArray[np.uint8]:
    lr = torch.from_numpy(np.array(Image.open(path).convert("RGB")))
    with torch.inference_mode():
        sr = module(lr.permute(2, 0, 1)[None] / 255)[0]
    # The authors truncate: `byte()` drops the fraction.
    return sr.mul(255).clamp(0, 255).byte().permute(1, 2, 0).numpy()


@pytest.mark.official
@pytest.mark.slow
@pytest.mark.parametrize(
    ("scale", "psnr_db", "ssim", "sha256"),
    [
        (2, 37.6506, 0.9586, "66b4b2ddb268486f78a3d49758a016417e64f602ef963667b5ce34039200bcde"),
        (4, 31.8836, 0.8903, "1de9d0e1b1817de43fba3ce9c4b966fd8cde81e160d7432a844d6a2296f90cbc"),
    ],
)
def test_official_weights_have_the_published_scores_on_set5(
    official_data: Path, scale: int, psnr_db: float, ssim: float, sha256: str
) -> None:
    checkpoint = Checkpoint(file=f"lesrcnn_x{scale}.pth", sha256=sha256)
    module = load_model(_card(scale, checkpoint), official_data / "lesrcnn" / checkpoint.file)
    scores = []
    for lr in sorted((official_data / f"set5/LR/x{scale}").glob("*.png")):
        gt = official_data / f"set5/HR/x{scale}" / lr.name.replace("LRBI", "HR")
        sr = _luma(_super_resolve(module, lr), scale)
        hr = _luma(np.array(Image.open(gt).convert("RGB")), scale)
        psnr = 10 * np.log10(255**2 / np.mean((sr - hr) ** 2))
        scores.append((psnr, structural_similarity(sr, hr, **SSIM)))
    assert len(scores) == 5
    # Truncation turns the last bit of a sum into a level: 3e-5 dB between two ways of adding.
    assert np.mean(scores, axis=0) == pytest.approx((psnr_db, ssim), abs=1e-4)
