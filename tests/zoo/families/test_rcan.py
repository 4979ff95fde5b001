from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from sr_bench.zoo.build import build
from tests.zoo.rcan import RCAN, TRIMMED

Blank = Callable[[nn.Module], nn.Module]
Identity = Callable[[nn.Module, str], None]

DIV2K = torch.tensor([0.4488, 0.4371, 0.4040]).view(1, 3, 1, 1)
FLICKR2K = torch.tensor([0.4690, 0.4490, 0.4036]).view(1, 3, 1, 1)
OFFICIAL = {**RCAN, "n_resgroups": 1, "n_resblocks": 1, "n_feats": 3, "reduction": 3}
BASICSR = {**OFFICIAL, "form": "basicsr", "mean_shift": "tensor", "res_scale": 0.1}
SR4K = {**OFFICIAL, **TRIMMED, "mean_shift": "plain"}
SR4K_BASICSR = {**BASICSR, **TRIMMED, "res_scale": 1.0}


@pytest.fixture
def levels() -> torch.Tensor:
    """Images of 0-255."""
    return torch.rand(2, 3, 4, 6, generator=torch.Generator().manual_seed(0)) * 255


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize(("rgb_mean", "mean"), [("div2k", DIV2K), ("flickr2k", FLICKR2K)])
def test_without_weights_both_forms_output_the_mean_in_their_range(
    blank: Blank, scale: int, rgb_mean: str, mean: torch.Tensor
) -> None:
    x = torch.zeros(1, 3, 2, 3)
    for hyper, white in ((OFFICIAL, 255.0), (BASICSR, 1.0)):
        out = blank(build("rcan", {**hyper, "rgb_mean": rgb_mean}, scale))(x)
        assert_close(out, (white * mean).expand(1, 3, 2 * scale, 3 * scale))


def test_official_attention_halves_a_residual_where_its_convolutions_are_zero(
    blank: Blank, identity: Identity, levels: torch.Tensor
) -> None:
    module = blank(build("rcan", OFFICIAL, 2))
    for path in ("head.0", "body.0.body.1", "body.1", "tail.0.0", "tail.1"):
        identity(module, path)
    module.get_submodule("body.0.body.0.body.2").bias.fill_(6.0)
    centred = (levels - 255 * DIV2K).repeat_interleave(2, 2).repeat_interleave(2, 3)
    # Block: x + sigmoid(0) * 6; group: + x; body: + x.
    assert_close(module(levels), 3 * centred + 3.0 + 255 * DIV2K)


def test_basicsr_scales_the_residual_of_its_blocks(
    blank: Blank, identity: Identity, levels: torch.Tensor
) -> None:
    module = blank(build("rcan", BASICSR, 2))
    for path in ("conv_first", "body.0.conv", "conv_after_body", "upsample.0", "conv_last"):
        identity(module, path)
    module.get_submodule("body.0.residual_group.0.rcab.2").bias.fill_(6.0)
    centred = (levels - 255 * DIV2K).repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert_close(module(levels / 255), (3 * centred + 0.3) / 255 + DIV2K)


def test_attention_weighs_channels_by_their_means(blank: Blank, identity: Identity) -> None:
    module = blank(build("rcan", OFFICIAL, 2))
    for path in ("head.0", "body.0.body.1", "body.1", "tail.0.0", "tail.1"):
        identity(module, path)
    module.get_submodule("body.0.body.0.body.2").bias.copy_(torch.tensor([1.0, 2.0, 3.0]))
    module.get_submodule("body.0.body.0.body.3.conv_du.0").weight.fill_(1.0)
    module.get_submodule("body.0.body.0.body.3.conv_du.2").weight.fill_(0.5)
    out = module((255 * DIV2K).expand(1, 3, 2, 2))
    weight = torch.sigmoid(torch.tensor(3.0))  # relu(1 + 2 + 3) * 0.5
    expected = torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1) * weight + 255 * DIV2K
    assert_close(out, expected.expand(1, 3, 4, 4))


@pytest.mark.parametrize(("hyper", "white"), [(SR4K, 255.0), (SR4K_BASICSR, 1.0)])
def test_sr4k_samples_every_second_pixel_and_enlarges_four_times(
    blank: Blank, identity: Identity, hyper: dict[str, float], white: float
) -> None:
    module = blank(build("rcan", hyper, 2))
    official = ("head.0", "body.0.body.1", "body.1", "tail.0.0", "tail.1")
    basicsr = ("conv_first", "body.0.conv", "conv_after_body", "upsample.0", "conv_last")
    for path in official if white == 255.0 else basicsr:
        identity(module, path)
    x = torch.rand(1, 3, 4, 6, generator=torch.Generator().manual_seed(1)) * white
    centred = (x - white * DIV2K)[:, :, ::2, ::2]
    enlarged = centred.repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert_close(module(x), 3 * enlarged + white * DIV2K)


def test_the_forms_are_the_same_network_in_other_ranges(levels: torch.Tensor) -> None:
    for first, second in ((OFFICIAL, {**BASICSR, "res_scale": 1.0}), (SR4K, SR4K_BASICSR)):
        official, basicsr = build("rcan", first, 2).eval(), build("rcan", second, 2).eval()
        weights = [v for k, v in official.state_dict().items() if "_mean" not in k]
        basicsr.load_state_dict(dict(zip(basicsr.state_dict(), weights, strict=True)))
        with torch.inference_mode():
            assert_close(official(levels) / 255, basicsr(levels / 255), atol=1e-5, rtol=0)


def test_the_state_dicts_have_the_names_of_their_code_bases() -> None:
    def names(hyper: dict[str, float], scale: int) -> set[str]:
        return {k.rpartition(".")[0] for k in build("rcan", hyper, scale).state_dict()}

    trimmed = {
        *("sub_mean", "add_mean", "head.0", "body.0.body.0.body.0", "body.0.body.0.body.2"),
        *("body.0.body.1", "body.1", "tail.0.0", "tail.1"),
    }
    du = "body.0.body.0.body.3.conv_du"
    assert names(SR4K, 2) == trimmed
    assert names(OFFICIAL, 8) == trimmed | {f"{du}.0", f"{du}.2", "tail.0.2", "tail.0.4"}
    group = "body.0.residual_group.0.rcab"
    trimmed = {
        *("conv_first", f"{group}.0", f"{group}.2", "body.0.conv", "conv_after_body"),
        *("upsample.0", "conv_last"),
    }
    assert names(SR4K_BASICSR, 2) == trimmed
    attention = {f"{group}.3.attention.1", f"{group}.3.attention.3"}
    assert names(BASICSR, 4) == trimmed | attention | {"upsample.2"}
