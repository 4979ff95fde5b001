"""DIPNet: residual blocks of three 3x3 convolutions, as pruned and folded after the training.

Source: xiumu00/DIPNet 69f43a7, models/DIPNet.py; without the attention: Vastai/VastModelZOO
43aff36, cv/super_resolution/dipnet/source_code/basicsr/archs/dipnet_arch.py (parameter names and
arithmetic). The published network has ``n_feats = 44``, ``mid_feats = 38``, ``esa_feats = 16`` and
enlarges by 4. Input and output are RGB in 0-1; the slope of the LeakyReLUs is 0.05.
"""

from typing import Annotated

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from sr_bench.core.card import Hyper
from sr_bench.core.fields import Bounds
from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import conv
from sr_bench.zoo.hyper import Count, check_scale, read

_BLOCKS = ("block_1", "block_2", "block_3", "block_4")


@dataclass(config=STRICT, frozen=True)
class DipnetHyper:
    """Hyper-parameters of DIPNet."""

    n_feats: Count
    mid_feats: Count
    """Channels between the convolutions of a block."""
    esa_feats: Annotated[int, Bounds(ge=0)]
    """Channels inside the spatial attention that ends each block; 0 where there is none."""


class _Attention(nn.Module):
    """Weigh each value by a function of its wide surroundings (ESA)."""

    def __init__(self, feats: int, inside: int) -> None:
        super().__init__()
        self.conv1 = conv(feats, inside, kernel=1)
        self.conv_f = conv(inside, inside, kernel=1)
        self.conv2 = nn.Conv2d(inside, inside, 3, stride=2)
        self.conv3 = conv(inside, inside)
        self.conv4 = conv(inside, feats, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        near: Tensor = self.conv1(x)
        far = self.conv3(max_pool2d(self.conv2(near), 7, stride=3))
        far = interpolate(far, x.shape[2:], mode="bilinear", align_corners=False)
        return x * torch.sigmoid(self.conv4(far + self.conv_f(near)))


class _Block(nn.Module):
    def __init__(self, hyper: DipnetHyper) -> None:
        super().__init__()
        feats, inside = hyper.n_feats, hyper.mid_feats
        self.c1_r = conv(feats, inside, bias=False)
        self.c2_r = conv(inside, inside, bias=False)
        self.c3_r = conv(inside, feats, bias=False)
        self.c5 = conv(feats, feats, kernel=1, bias=False)
        self.esa = _Attention(feats, hyper.esa_feats) if hyper.esa_feats else nn.Identity()
        self.act = nn.LeakyReLU(0.05)

    def forward(self, x: Tensor) -> Tensor:
        features = x
        for layer in (self.c1_r, self.c2_r, self.c3_r):
            features = self.act(layer(features))
        out: Tensor = self.esa(self.c5(features + x))
        return out


class Dipnet(nn.Module):
    """Map RGB (N, 3, H, W) in 0-1 to (N, 3, scale * H, scale * W) in 0-1.

    With attention, H and W must be 15 at least.
    """

    def __init__(self, hyper: DipnetHyper, scale: int) -> None:
        super().__init__()
        feats = hyper.n_feats
        self.conv_1 = conv(3, feats, bias=False)
        for name in _BLOCKS:
            self.add_module(name, _Block(hyper))
        self.conv_2 = conv(feats, feats, bias=False)
        last = conv(feats, 3 * scale**2, bias=False)
        self.upsampler = nn.Sequential(last, nn.PixelShuffle(scale))

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged images; values are not clipped."""
        first = features = self.conv_1(x)
        for name in _BLOCKS:
            features = self.get_submodule(name)(features)
        out: Tensor = self.upsampler(self.conv_2(features) + first)
        return out


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return a DIPNet for scale 2, 3 or 4.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(DipnetHyper, hyper, architecture="dipnet")
    check_scale(scale, (2, 3, 4), architecture="dipnet")
    return Dipnet(params, scale)
