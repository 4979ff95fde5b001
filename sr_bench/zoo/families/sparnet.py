"""SPARNet, SPARNetHD: residual blocks that an hourglass of their own weighs, most at a small size.

Source: chaofengc/Face-SPARNet 5204283, models/sparnet.py, blocks.py and networks.py (parameter
names and arithmetic). Hyper-parameters of the published networks:

====================  =======  =========  =======  ========  =====  ====  ==========
model                 n_feats  max_feats  n_halve  n_blocks  depth  norm  attention
====================  =======  =========  =======  ========  =====  ====  ==========
SPARNet               32       128        3        10        5      bn    ``spar``
SPARNet-Light-Attn3D  32       128        3        1         5      bn    ``spar3d``
SPARNetHD-Attn2D      102      512        4        9         5      in    ``spar``
SPARNetHD-Attn3D      102      512        4        9         5      in    ``spar3d``
====================  =======  =========  =======  ========  =====  ====  ==========

Of the authors' options, `n_feats` is ``max_ch // (n_halve + 1)``, `n_blocks` is ``res_depth + 3 -
n_halve``, and ``2 ** depth`` is ``128 / bottleneck_size``. Input and output are RGB in -1 to 1, of
one size: the small face is enlarged before. Spectral normalisation, of HD
alone, is folded into the weights.
"""

from typing import Literal

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from sr_bench.core.card import Hyper
from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import Foldable, named, reflect_conv, store_weight
from sr_bench.zoo.hyper import Count, check_scale, read

_Step = Literal["halve", "keep", "double"]
_Norm = Literal["bn", "in"]

_MIDDLE = 64  # channels within hourglasses
_SLOPE = 0.2


@dataclass(config=STRICT, frozen=True)
class SparHyper:
    """Hyper-parameters of SPARNet."""

    n_feats: Count
    """Channels at the size of the image; each halving doubles them."""
    max_feats: Count
    """Most channels."""
    n_halve: Count
    """How often the encoder halves the image."""
    n_blocks: Count
    """Blocks at the smallest size."""
    depth: Count
    """How often an hourglass at the size of the image halves it; one less for each halving."""
    norm: _Norm
    """Normalisation over the batch, or of each image."""
    attention: Literal["spar", "spar3d"]
    """One weight for each position, or one for each position and channel."""

    def __post_init__(self) -> None:
        if self.n_halve >= self.depth:
            msg = f"expected an n_halve below the depth of {self.depth}, got {self.n_halve}"
            raise ValueError(msg)


def _layer(
    inputs: int, outputs: int, step: _Step, norm: _Norm | None = None, *, rectify: bool = False
) -> nn.Sequential:
    """Return a 3x3 convolution that halves, keeps or doubles the size, and what follows it."""
    pad, conv2d = reflect_conv(inputs, outputs, stride=2 if step == "halve" else 1, bias=not norm)
    layers: dict[str, nn.Module] = {"pad": pad, "conv2d": conv2d}
    if step == "double":
        layers = {"enlarge": nn.Upsample(scale_factor=2.0), **layers}
    if norm:
        layers["norm"] = _normalisation(norm, outputs)
    if rectify:
        layers["relu"] = nn.LeakyReLU(_SLOPE)
    return named(**layers)


def _normalisation(norm: _Norm, feats: int) -> nn.Sequential:
    layer = nn.BatchNorm2d(feats) if norm == "bn" else nn.InstanceNorm2d(feats, affine=True)
    return named(norm=layer)


class _Hourglass(nn.Module):
    """x times weights from 0 to 1, for which x is seen at all sizes down to 2 ** -depth."""

    def __init__(self, depth: int, feats: int, weights: int, norm: _Norm) -> None:
        super().__init__()

        def layer(inputs: int, step: _Step) -> nn.Sequential:
            return _layer(inputs, _MIDDLE, step, norm, rectify=True)

        self.depth = depth
        for level in range(1, depth + 1):
            inputs = feats if level == depth else _MIDDLE
            self.add_module(f"b1_{level}", layer(inputs, "keep"))
            self.add_module(f"b2_{level}", layer(inputs, "halve"))
            self.add_module(f"b3_{level}", layer(_MIDDLE, "double"))
        self.b2_plus_1 = layer(_MIDDLE, "keep")
        self.out_block = nn.Sequential(_layer(_MIDDLE, weights, "keep"), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        weights: Tensor = self.out_block(self._from(self.depth, x))
        return x * weights

    def _from(self, level: int, x: Tensor) -> Tensor:
        beside, before, behind = (self.get_submodule(f"b{i}_{level}") for i in (1, 2, 3))
        small = before(x)
        small = self._from(level - 1, small) if level > 1 else self.b2_plus_1(small)
        out: Tensor = beside(x) + behind(small)
        return out


class _Block(nn.Module):
    """A residual block; where size or channels change, a convolution takes the place of x."""

    def __init__(
        self, inputs: int, outputs: int, step: _Step, norm: _Norm, *, depth: int, weights: int
    ) -> None:
        super().__init__()
        same = step == "keep" and inputs == outputs
        self.shortcut_func = nn.Identity() if same else _layer(inputs, outputs, step)
        self.preact_func = nn.Sequential(_normalisation(norm, inputs), nn.LeakyReLU(_SLOPE))
        first: _Step = "double" if step == "double" else "keep"
        second: _Step = "halve" if step == "halve" else "keep"
        self.conv1 = _layer(inputs, outputs, first, norm, rectify=True)
        self.conv2 = _layer(outputs, outputs, second, norm)
        self.att_func = _Hourglass(depth, outputs, weights, norm)

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.conv2(self.conv1(self.preact_func(x)))
        out: Tensor = self.shortcut_func(x) + self.att_func(residual)
        return out


class SparNet(nn.Module):
    """Map RGB (N, 3, H, W) in -1 to 1 to (N, 3, H, W) in the same range.

    H and W are multiples of 2 ** depth.
    """

    def __init__(self, hyper: SparHyper) -> None:
        super().__init__()
        levels = range(hyper.n_halve + 1)
        widths = [min(hyper.n_feats * 2**level, hyper.max_feats) for level in levels]

        def block(before: int, after: int, step: _Step) -> _Block:
            inputs, outputs = widths[before], widths[after]
            weights = outputs if hyper.attention == "spar3d" else 1
            depth = hyper.depth - after
            return _Block(inputs, outputs, step, hyper.norm, depth=depth, weights=weights)

        down = (block(level - 1, level, "halve") for level in levels[1:])
        body = (block(levels[-1], levels[-1], "keep") for _ in range(hyper.n_blocks))
        up = (block(level, level - 1, "double") for level in levels[:0:-1])
        self.encoder = nn.Sequential(_layer(3, widths[0], "keep"), *down)
        self.res_layers = nn.Sequential(*body)
        self.decoder = nn.Sequential(*up)
        self.out_conv = _layer(widths[0], 3, "keep")

    def forward(self, x: Tensor) -> Tensor:
        """Return the restored faces; values are not clipped."""
        out: Tensor = self.out_conv(self.decoder(self.res_layers(self.encoder(x))))
        return out


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return a SPARNet; its scale is 1.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(SparHyper, hyper, architecture="sparnet")
    check_scale(scale, (1,), architecture="sparnet")
    return SparNet(params)


def size_multiple(hyper: Hyper, _scale: int) -> int:
    """Return the factor by which the last hourglass makes the image smaller.

    Raises:
        CardError: A hyper-parameter is not valid.
    """
    return int(2 ** read(SparHyper, hyper, architecture="sparnet").depth)


def trained(hyper: Hyper, _scale: int) -> Foldable:
    """Return the SPARNet with spectral normalisation.

    Raises:
        CardError: A hyper-parameter is not valid.
    """
    return _Trained(read(SparHyper, hyper, architecture="sparnet"))


class _Trained(SparNet, Foldable):
    def __init__(self, hyper: SparHyper) -> None:
        super().__init__(hyper)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                outputs, inputs = layer.weight.flatten(1).shape
                layer.register_buffer("weight_u", torch.ones(outputs))
                layer.register_buffer("weight_v", torch.ones(inputs))
                store_weight(layer)

    def folded(self) -> dict[str, Tensor]:
        """Return the weights divided by the norms that u and v of the power iteration give."""
        state = self.state_dict()
        for name in [name.removesuffix("_orig") for name in state if name.endswith("weight_orig")]:
            stored, u, v = (state.pop(f"{name}_{part}") for part in ("orig", "u", "v"))
            state[name] = stored / (u @ (stored.flatten(1) @ v))
        return state
