from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, leaky_relu
from torch.testing import assert_close

from sr_bench.zoo.build import build, canonical_key

HYPER = {"n_feats": 4, "n_blocks": 2, "growth": 3, "res_scale": 0.2}


def test_residuals_are_scaled_in_the_dense_blocks_and_around_three_of_them(
    blank: Callable[[nn.Module], nn.Module], identity: Callable[[nn.Module, str], None]
) -> None:
    module = blank(build("rrdbnet", {**HYPER, "n_feats": 3, "n_blocks": 1}, 4))
    for path in ("conv_first", "trunk_conv", "upconv1", "upconv2", "HRconv", "conv_last"):
        identity(module, path)
    module.HRconv.weight.neg_()
    for block in ("RDB1", "RDB2", "RDB3"):
        module.get_submodule(f"RRDB_trunk.0.{block}.conv5").bias.fill_(1.0)
    x = torch.rand(1, 3, 2, 3, generator=torch.Generator().manual_seed(0))
    near = x.repeat_interleave(4, 2).repeat_interleave(4, 3)
    # Trunk: x + 0.2 * (x + 3 * 0.2); the skip adds x; HRconv negates, so the slope shows.
    assert_close(module(x), -0.2 * (2.2 * near + 0.12))


def test_x2_has_one_enlargement_fewer() -> None:
    module = build("rrdbnet", HYPER, 2)
    paths = {name.rpartition(".")[0] for name in module.state_dict()}
    assert "upconv1" in paths
    assert "upconv2" not in paths
    assert module(torch.rand(1, 3, 5, 6)).shape == (1, 3, 10, 12)


@pytest.mark.parametrize(("scale", "fold"), [(2, 2), (1, 4)])
def test_with_an_unshuffled_input_it_is_the_x4_network_on_pixels_of_the_folds_size(
    scale: int, fold: int
) -> None:
    module = build("rrdbnet", {**HYPER, "unshuffle": True}, scale).eval()
    x4 = build("rrdbnet", HYPER, 4).eval()
    weight = module.state_dict().pop("conv_first.weight")  # R of fold x fold pixels, then G, B
    state = {**module.state_dict(), "conv_first.weight": weight.unflatten(1, (3, -1)).sum(2)}
    x4.load_state_dict(state)
    x = torch.rand(1, 3, 4, 3, generator=torch.Generator().manual_seed(2))
    pixels = x.repeat_interleave(fold, 2).repeat_interleave(fold, 3)
    with torch.inference_mode():
        assert_close(module(pixels), x4(x))


def test_a_dense_block_equals_its_definition() -> None:
    block = build("rrdbnet", HYPER, 4).eval().get_submodule("RRDB_trunk.1.RDB2")
    w = block.state_dict()
    x = torch.randn(1, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    outputs = [x]
    for i in range(1, 6):
        joined = torch.cat(outputs, 1)
        out = conv2d(joined, w[f"conv{i}.weight"], w[f"conv{i}.bias"], padding=1)
        outputs.append(leaky_relu(out, 0.2) if i < 5 else out)
    with torch.inference_mode():
        assert_close(block(x), outputs[-1] * 0.2 + x)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("model.0.weight", "conv_first.weight"),
        ("model.1.sub.0.RDB1.conv1.0.weight", "RRDB_trunk.0.RDB1.conv1.weight"),
        ("model.1.sub.22.RDB3.conv5.0.bias", "RRDB_trunk.22.RDB3.conv5.bias"),
        ("model.1.sub.23.bias", "trunk_conv.bias"),
        ("model.3.weight", "upconv1.weight"),
        ("model.6.weight", "upconv2.weight"),
        ("model.8.weight", "HRconv.weight"),
        ("model.10.bias", "conv_last.bias"),
        ("body.22.rdb3.conv5.bias", "RRDB_trunk.22.RDB3.conv5.bias"),
        ("conv_body.weight", "trunk_conv.weight"),
        ("conv_up1.weight", "upconv1.weight"),
        ("conv_up2.weight", "upconv2.weight"),
        ("conv_hr.weight", "HRconv.weight"),
        ("conv_first.weight", "conv_first.weight"),
        ("RRDB_trunk.3.RDB1.conv1.weight", "RRDB_trunk.3.RDB1.conv1.weight"),
        ("HRconv.bias", "HRconv.bias"),
    ],
)
def test_each_naming_has_one_meaning(key: str, expected: str) -> None:
    assert canonical_key("rrdbnet", key) == expected
