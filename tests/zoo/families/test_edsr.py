from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from sr_bench.zoo.build import build

Blank = Callable[[nn.Module], nn.Module]
Identity = Callable[[nn.Module, str], None]

MEAN = torch.tensor([0.4488, 0.4371, 0.4040]).view(1, 3, 1, 1)
HYPER = {"n_feats": 3, "n_resblocks": 1, "res_scale": 0.1, "rgb_range": 255.0}
OFFICIAL = {**HYPER, "form": "official"}
BASICSR = {**HYPER, "form": "basicsr"}


@pytest.fixture
def levels() -> torch.Tensor:
    """Images of 0-255."""
    return torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0)) * 255


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_official_without_weights_outputs_the_mean_at_0_to_255(blank: Blank, scale: int) -> None:
    module = blank(build("edsr", OFFICIAL, scale))
    out = module(torch.zeros(1, 3, 2, 3))
    assert_close(out, (255 * MEAN).expand(1, 3, 2 * scale, 3 * scale))


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_basicsr_without_weights_outputs_the_mean_at_0_to_1(blank: Blank, scale: int) -> None:
    module = blank(build("edsr", BASICSR, scale))
    out = module(torch.zeros(1, 3, 2, 3))
    assert_close(out, MEAN.expand(1, 3, 2 * scale, 3 * scale))


def test_official_adds_the_scaled_residual_and_the_long_skip(
    blank: Blank, identity: Identity, levels: torch.Tensor
) -> None:
    module = blank(build("edsr", OFFICIAL, 1))
    for path in ("head.0", "body.1", "tail.1"):
        identity(module, path)
    module.get_submodule("body.0.body.2").bias.fill_(7.0)
    centred = levels - 255 * MEAN
    # Block: x + 0.1 * 7; then the skip around the body doubles x.
    assert_close(module(levels), 2 * centred + 0.7 + 255 * MEAN)


def test_basicsr_works_on_the_same_range_inside(
    blank: Blank, identity: Identity, levels: torch.Tensor
) -> None:
    module = blank(build("edsr", BASICSR, 1))
    for path in ("conv_first", "conv_after_body", "conv_last"):
        identity(module, path)
    module.get_submodule("body.0.conv2").bias.fill_(7.0)
    centred = levels - 255 * MEAN
    assert_close(module(levels / 255), (2 * centred + 0.7) / 255 + MEAN)


def test_blocks_rectify_between_their_convolutions(blank: Blank, identity: Identity) -> None:
    module = blank(build("edsr", {**OFFICIAL, "res_scale": 1.0}, 1))
    for path in ("head.0", "body.0.body.0", "body.0.body.2", "body.1", "tail.1"):
        identity(module, path)
    dark, bright = torch.zeros(1, 3, 3, 3), torch.full((1, 3, 3, 3), 255.0)
    # x + relu(x) + x on centred values.
    assert_close(module(dark), 2 * (dark - 255 * MEAN) + 255 * MEAN)
    assert_close(module(bright), 3 * (bright - 255 * MEAN) + 255 * MEAN)


def test_the_two_forms_are_the_same_network_in_other_ranges(levels: torch.Tensor) -> None:
    official, basicsr = build("edsr", OFFICIAL, 4).eval(), build("edsr", BASICSR, 4).eval()
    weights = [v for k, v in official.state_dict().items() if "_mean" not in k]
    basicsr.load_state_dict(dict(zip(basicsr.state_dict(), weights, strict=True)))
    with torch.inference_mode():
        assert_close(official(levels) / 255, basicsr(levels / 255), atol=1e-5, rtol=0)


def test_the_state_dicts_have_the_names_of_their_code_bases() -> None:
    official = {k.rpartition(".")[0] for k in build("edsr", OFFICIAL, 4).state_dict()}
    assert official == {
        *("sub_mean", "add_mean", "head.0", "body.0.body.0", "body.0.body.2", "body.1"),
        *("tail.0.0", "tail.0.2", "tail.1"),
    }
    basicsr = {k.rpartition(".")[0] for k in build("edsr", BASICSR, 4).state_dict()}
    assert basicsr == {
        *("conv_first", "body.0.conv1", "body.0.conv2", "conv_after_body"),
        *("upsample.0", "upsample.2", "conv_last"),
    }
