from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, instance_norm, interpolate, leaky_relu, pad
from torch.nn.utils import spectral_norm
from torch.testing import assert_close

from sr_bench.errors import CardError
from sr_bench.zoo.build import build, size_multiple
from tests.zoo.weights import loaded, random_state

HYPER = {
    **{"n_feats": 4, "max_feats": 6, "n_halve": 2, "n_blocks": 1, "depth": 3},
    **{"norm": "bn", "attention": "spar3d"},
}
LIGHT = {**HYPER, "n_feats": 32, "max_feats": 128, "n_halve": 3, "depth": 5}
FULL = {**LIGHT, "n_blocks": 10, "attention": "spar"}
HD = {**LIGHT, "n_feats": 102, "max_feats": 512, "n_halve": 4, "n_blocks": 9, "norm": "in"}


class Reference:
    """The network as its publication draws it, by the authors' names of parameters."""

    def __init__(self, w: dict[str, Tensor]) -> None:
        self.w = w

    def norm(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self.w[f"{name}.norm.weight"], self.w[f"{name}.norm.bias"]
        if f"{name}.norm.running_mean" not in self.w:
            return instance_norm(x, weight=weight, bias=bias)
        mean, variance = self.w[f"{name}.norm.running_mean"], self.w[f"{name}.norm.running_var"]
        mean, variance, weight, bias = (v[:, None, None] for v in (mean, variance, weight, bias))
        return (x - mean) / (variance + 1e-5).sqrt() * weight + bias

    def conv(self, name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight, bias = self.w[f"{name}.conv2d.weight"], self.w.get(f"{name}.conv2d.bias")
        return conv2d(pad(x, (1, 1, 1, 1), "reflect"), weight, bias, stride)

    def layer(self, name: str, x: Tensor, stride: int = 1) -> Tensor:
        return leaky_relu(self.norm(f"{name}.norm", self.conv(name, x, stride)), 0.2)

    def hourglass(self, name: str, level: int, x: Tensor) -> Tensor:
        small = self.layer(f"{name}.b2_{level}", x, 2)
        if level > 1:
            small = self.hourglass(name, level - 1, small)
        else:
            small = self.layer(f"{name}.b2_plus_1", small)
        behind = self.layer(f"{name}.b3_{level}", interpolate(small, scale_factor=2))
        return self.layer(f"{name}.b1_{level}", x) + behind

    def block(self, name: str, depth: int, x: Tensor, down: int = 1, up: int = 1) -> Tensor:
        def larger(features: Tensor) -> Tensor:
            return interpolate(features, scale_factor=2) if up == 2 else features

        inner = larger(leaky_relu(self.norm(f"{name}.preact_func.0", x), 0.2))
        inner = self.layer(f"{name}.conv1", inner)
        inner = self.norm(f"{name}.conv2.norm", self.conv(f"{name}.conv2", inner, down))
        glass = self.hourglass(f"{name}.att_func", depth, inner)
        inner = inner * self.conv(f"{name}.att_func.out_block.0", glass).sigmoid()
        skip = f"{name}.shortcut_func"
        return inner + (
            self.conv(skip, larger(x), down) if f"{skip}.conv2d.weight" in self.w else x
        )

    def __call__(self, x: Tensor) -> Tensor:
        """Return the output of the network of `HYPER`."""
        x = self.conv("encoder.0", x)
        x = self.block("encoder.2", 1, self.block("encoder.1", 2, x, down=2), down=2)
        x = self.block("res_layers.0", 1, x)
        x = self.block("decoder.1", 3, self.block("decoder.0", 2, x, up=2), up=2)
        return self.conv("out_conv", x)


@pytest.mark.parametrize("style", [{}, {"norm": "in", "attention": "spar"}])
def test_the_network_equals_its_definition_at_the_smallest_size_of_its_hourglasses(
    style: dict[str, str],
) -> None:
    module = build("sparnet", HYPER | style, 1).eval()
    w = random_state(module)
    module.load_state_dict(w, strict=False)  # all but counters
    assert size_multiple("sparnet", HYPER, 1) == 8
    x = torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.inference_mode():
        assert_close(module(x), Reference(w)(x))


@pytest.mark.parametrize(
    ("hyper", "expected"),
    # The first two as the authors print them, 5.24 M and 10.52 M.
    [(LIGHT, 5_242_211), (FULL, 10_518_867), (HD, 90_093_793)],
)
def test_parameters_equal_those_of_the_published_networks(
    hyper: dict[str, int | str], expected: int
) -> None:
    with torch.device("meta"):
        module = build("sparnet", hyper, 1)
    assert sum(p.numel() for p in module.parameters()) == expected


def test_weights_are_divided_by_their_norms_as_torch_does(tmp_path: Path) -> None:
    normed = build("sparnet", HYPER, 1)
    normed.load_state_dict(random_state(normed), strict=False)
    for layer in list(normed.modules()):
        if isinstance(layer, nn.Conv2d):
            spectral_norm(layer, n_power_iterations=3)
    x = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1
    normed(x)  # each call in training improves the vectors
    module = loaded("sparnet", HYPER, 1, normed.state_dict(), tmp_path)
    with torch.inference_mode():
        assert_close(module(x), normed.eval()(x))


def test_more_halvings_than_the_hourglasses_allow_are_refused() -> None:
    with pytest.raises(CardError, match="n_halve below the depth of 3, got 3"):
        build("sparnet", HYPER | {"n_halve": 3}, 1)
