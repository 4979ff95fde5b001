"""Chains of convolutions beside an enlargement: SRVGG, NCNet and ECBSR are one network."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from sr_bench.core.card import Hyper
from sr_bench.zoo.build import build

SRVGG: Hyper = {"n_feats": 4, "n_convs": 2, "colours": 3, "activation": "prelu"}
ECBSR: Hyper = {**SRVGG, "colours": 1, "identity": False}


@pytest.mark.parametrize(
    ("architecture", "hyper", "scale"),
    [
        ("srvgg", SRVGG, 1),
        ("srvgg", SRVGG, 4),
        ("ecbsr", ECBSR, 3),
        ("ncnet", {"n_feats": 4}, 2),
        ("ncnet", {"n_feats": 4}, 4),
    ],
)
def test_without_weights_each_pixel_is_copied(
    blank: Callable[[nn.Module], nn.Module], architecture: str, hyper: Hyper, scale: int
) -> None:
    x = torch.rand(1, int(hyper.get("colours", 3)), 3, 5)
    copied = x.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    assert torch.equal(blank(build(architecture, hyper, scale))(x), copied)


@pytest.mark.parametrize(
    ("name", "expected"), [("relu", 0.0), ("prelu", -0.5), ("leakyrelu", -0.1)]
)
def test_activations_stand_between_two_convolutions(
    blank: Callable[[nn.Module], nn.Module], name: str, expected: float
) -> None:
    module = blank(build("srvgg", {**SRVGG, "n_convs": 1, "activation": name}, 1))
    module.get_submodule("body.2").bias.fill_(-1.0)
    if name == "prelu":
        module.get_submodule("body.3").weight.fill_(0.5)
    module.get_submodule("body.4").weight[:, 0, 1, 1] = 1.0
    assert_close(module(torch.zeros(1, 3, 2, 2)), torch.full((1, 3, 2, 2), expected))
    assert len(module.get_submodule("body")) == 5  # none behind the last


def test_ncnet_enlarges_by_4_in_two_steps(blank: Callable[[nn.Module], nn.Module]) -> None:
    module = blank(build("ncnet", {"n_feats": 4}, 4))
    module.get_submodule("body.12").bias[1] = 1.0
    out = module(torch.zeros(1, 3, 1, 1))
    # Of 16 channels, the second is in the second column of the first step's upper left pixel.
    assert out[0, 0].nonzero().tolist() == [[0, 2]]


def test_srvgg_enlarges_by_4_in_one_step(blank: Callable[[nn.Module], nn.Module]) -> None:
    module = blank(build("srvgg", SRVGG, 4))
    module.get_submodule("body.6").bias[1] = 1.0
    assert module(torch.zeros(1, 3, 1, 1))[0, 0].nonzero().tolist() == [[0, 1]]
