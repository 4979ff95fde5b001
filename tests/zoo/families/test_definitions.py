"""VDSR, DRRN, MSRN, DIPNet and Bicubic++ against their definitions."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, leaky_relu, max_pool2d, pixel_shuffle
from torch.testing import assert_close

from sr_bench.core.card import Hyper, ModelCard
from sr_bench.zoo.build import build, size_multiple
from tests.zoo.weights import load_model

VDSR: Hyper = {"n_feats": 2, "n_convs": 2, "colours": 1}
DRRN: Hyper = {"n_feats": 2, "n_units": 3, "colours": 1}
MSRN: Hyper = {"n_feats": 3, "n_blocks": 2, "rgb_range": 255.0}
DIPNET: Hyper = {"n_feats": 4, "mid_feats": 3, "esa_feats": 2}


def conv_of(module: nn.Module) -> Callable[..., Tensor]:
    """Return the convolution by the weights of a layer of `module`, named by path."""
    state = module.state_dict()

    def apply(path: str, x: Tensor, stride: int = 1, padding: int | None = None) -> Tensor:
        weight = state[f"{path}.weight"]
        around = weight.shape[-1] // 2 if padding is None else padding
        return conv2d(x, weight, state.get(f"{path}.bias"), stride=stride, padding=around)

    return apply


def seeded(architecture: str, hyper: Hyper, scale: int) -> nn.Module:
    torch.manual_seed(0)
    return build(architecture, hyper, scale).eval().requires_grad_(False)


@pytest.mark.parametrize(("architecture", "hyper"), [("vdsr", VDSR), ("drrn", DRRN)])
def test_without_weights_an_image_of_its_final_size_is_returned(
    blank: Callable[[nn.Module], nn.Module], architecture: str, hyper: Hyper
) -> None:
    x = torch.rand(1, 1, 3, 5)
    assert torch.equal(blank(build(architecture, hyper, 1))(x), x)


def test_vdsr_equals_its_definition() -> None:
    module = seeded("vdsr", VDSR, 1)
    conv, x = conv_of(module), torch.rand(1, 1, 4, 5)
    out = x
    for name in ("input", "residual_layer.0.conv", "residual_layer.1.conv"):
        out = conv(name, out).relu()
    assert_close(module(x), conv("output", out) + x)


def test_both_skips_of_drrn_are_rectified_as_the_authors_relus_in_place_make_them() -> None:
    module = seeded("drrn", DRRN, 1)
    conv, x = conv_of(module), torch.randn(1, 1, 4, 5)
    relu = nn.ReLU(inplace=True)
    image = x.clone()
    inputs = out = conv("input", relu(image))  # the ReLUs change these tensors themselves
    for _ in range(3):
        out = conv("conv2", relu(conv("conv1", relu(out)))) + inputs
    assert_close(module(x), conv("output", relu(out)) + image)


@pytest.mark.official
def test_the_published_weights_of_vdsr_sharpen_a_photograph(official_data: Path) -> None:
    hyper: Hyper = {"n_feats": 64, "n_convs": 18, "colours": 1}
    card = ModelCard("vdsr", "vdsr", Path(), "", "", 1, "vdsr", hyper)
    module = load_model(card, official_data / "vdsr" / "vdsr.safetensors")
    images = official_data / "vdsr" / "Set5"
    x, truth = (_luma(images / f"bird_GT{end}.bmp") for end in ("_scale_4", ""))
    # The paper's mean of Set5 is 31.35 where the input is not rounded to 8 bits as here.
    assert _psnr_db(x, truth) == pytest.approx(30.18, abs=0.01)
    assert _psnr_db(module(x), truth) == pytest.approx(33.43, abs=0.01)


def _psnr_db(x: Tensor, truth: Tensor) -> float:
    inside = (x.clamp(0, 1) - truth)[..., 4:-4, 4:-4]
    return float(-10 * inside.square().mean().log10())


def _luma(path: Path) -> Tensor:
    """Return BT.601 luma of studio range, (1, 1, H, W) in 0-1."""
    rgb = torch.from_numpy(np.array(Image.open(path).convert("RGB"))).float()
    return ((rgb @ torch.tensor([65.481, 128.553, 24.966]) / 255 + 16) / 255)[None, None]


def test_a_block_of_msrn_joins_the_results_of_both_kernels() -> None:
    block = seeded("msrn", MSRN, 2).get_submodule("body.1")
    conv, x = conv_of(block), torch.randn(1, 3, 7, 8)
    first = torch.cat((conv("conv_3_1", x), conv("conv_5_1", x)), 1).relu()
    second = torch.cat((conv("conv_3_2", first), conv("conv_5_2", first)), 1).relu()
    assert_close(block(x), conv("confusion", second) + x)


def test_msrn_joins_the_outputs_of_all_blocks_and_the_first_features_last() -> None:
    module = seeded("msrn", MSRN, 2)
    conv, x = conv_of(module), 255 * torch.rand(1, 3, 7, 8)
    first = conv("head.0", conv("sub_mean", x))
    one = module.get_submodule("body.0")(first)
    two = module.get_submodule("body.1")(one)
    joined = conv("tail.1", conv("tail.0", torch.cat((one, two, first), 1)))
    enlarged = pixel_shuffle(conv("tail.2.0", joined), 2)
    assert_close(module(x), conv("add_mean", conv("tail.3", enlarged)))


def test_a_block_of_dipnet_weighs_its_result_by_wide_surroundings() -> None:
    block = seeded("dipnet", DIPNET, 2).get_submodule("block_3")
    conv, x = conv_of(block), torch.randn(1, 4, 20, 17)
    deep = x
    for name in ("c1_r", "c2_r", "c3_r"):
        deep = leaky_relu(conv(name, deep), 0.05)
    out = conv("c5", deep + x)
    near = conv("esa.conv1", out)
    far = max_pool2d(conv("esa.conv2", near, stride=2, padding=0), 7, stride=3)
    far = interpolate(conv("esa.conv3", far), (20, 17), mode="bilinear", align_corners=False)
    weights = conv("esa.conv4", far + conv("esa.conv_f", near)).sigmoid()
    assert_close(block(x), out * weights)


def test_dipnet_adds_the_first_features_to_those_of_its_four_blocks() -> None:
    module = seeded("dipnet", {**DIPNET, "esa_feats": 0}, 3)
    conv, x = conv_of(module), torch.rand(1, 3, 6, 5)
    first = deep = conv("conv_1", x)
    for i in range(1, 5):
        deep = module.get_submodule(f"block_{i}")(deep)
    assert_close(module(x), pixel_shuffle(conv("upsampler.0", conv("conv_2", deep) + first), 3))


def test_bicubic_plusplus_equals_its_definition() -> None:
    module = seeded("bicubic_plusplus", {"n_feats": 4}, 3)
    conv, x = conv_of(module), torch.rand(1, 3, 6, 8)
    first = leaky_relu(conv("conv0", x, stride=2), 0.1)
    deep = leaky_relu(conv("conv2", leaky_relu(conv("conv1", first), 0.1)), 0.1) + first
    assert_close(module(x), pixel_shuffle(conv("conv_out", deep), 6))
    assert module(x).shape == (1, 3, 18, 24)


def test_bicubic_plusplus_takes_even_sides() -> None:
    assert size_multiple("bicubic_plusplus", {"n_feats": 4}, 3) == 2
