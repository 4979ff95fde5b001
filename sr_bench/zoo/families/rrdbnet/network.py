"""RRDBNet: dense blocks of five convolutions, three to a residual block, nearest upsampling.

Source: xinntao/ESRGAN 73e9b63, RRDBNet_arch.py (parameter names and arithmetic); Tencent/Real-SR
10276f4 uses the same network. For x2 and x1: cszn/BSRGAN 5ce1a9c, network_rrdbnet.py,
and BasicSR 8d56e3a, rrdbnet_arch.py.
"""

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import conv
from sr_bench.zoo.hyper import Count, Factor

_SLOPE = 0.2


@dataclass(config=STRICT, frozen=True)
class RrdbHyper:
    """Hyper-parameters of RRDBNet."""

    n_feats: Count
    n_blocks: Count
    growth: Count
    """Channels that each convolution of a dense block adds."""
    res_scale: Factor
    """Factor on the residuals, of the dense blocks and of the blocks of three alike."""
    unshuffle: bool = False
    """Whether squares of the input's pixels become one pixel with their channels, so many that the
    network that follows enlarges by 4, as in Real-ESRGAN x2 (2x2 pixels) and x1 (4x4)."""

    def fold(self, scale: int) -> int:
        """Return how many pixels of the input's side become one of the first convolution's."""
        return 4 // scale if self.unshuffle else 1


class _DenseBlock(nn.Module):
    """Five convolutions, each of which sees the input and all earlier outputs."""

    def __init__(self, hyper: RrdbHyper) -> None:
        super().__init__()
        feats, growth = hyper.n_feats, hyper.growth
        self.res_scale = hyper.res_scale
        self.conv1 = conv(feats, growth)
        self.conv2 = conv(feats + growth, growth)
        self.conv3 = conv(feats + 2 * growth, growth)
        self.conv4 = conv(feats + 3 * growth, growth)
        self.conv5 = conv(feats + 4 * growth, feats)
        self.lrelu = nn.LeakyReLU(_SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            seen = torch.cat((seen, self.lrelu(layer(seen))), dim=1)
        residual: Tensor = self.conv5(seen)
        return residual * self.res_scale + x


class _Rrdb(nn.Module):
    """Three dense blocks inside a residual."""

    def __init__(self, hyper: RrdbHyper) -> None:
        super().__init__()
        self.res_scale = hyper.res_scale
        self.RDB1 = _DenseBlock(hyper)
        self.RDB2 = _DenseBlock(hyper)
        self.RDB3 = _DenseBlock(hyper)

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.RDB3(self.RDB2(self.RDB1(x)))
        return residual * self.res_scale + x


class RrdbNet(nn.Module):
    """Map RGB (N, 3, H, W) in 0-1 to (N, 3, scale * H, scale * W) in 0-1.

    With `unshuffle` that holds for multiples of 4 / scale only; see `size_multiple`.
    """

    def __init__(self, hyper: RrdbHyper, scale: int) -> None:
        super().__init__()
        feats, fold = hyper.n_feats, hyper.fold(scale)
        self.unshuffle = nn.PixelUnshuffle(fold) if hyper.unshuffle else nn.Identity()
        self.conv_first = conv(3 * fold**2, feats)
        self.RRDB_trunk = nn.Sequential(*(_Rrdb(hyper) for _ in range(hyper.n_blocks)))
        self.trunk_conv = conv(feats, feats)
        self.upconv1 = conv(feats, feats)
        self.upconv2 = conv(feats, feats) if scale * fold == 4 else None
        self.HRconv = conv(feats, feats)
        self.conv_last = conv(feats, 3)
        self.lrelu = nn.LeakyReLU(_SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged images; values are not clipped."""
        features: Tensor = self.conv_first(self.unshuffle(x))
        features = features + self.trunk_conv(self.RRDB_trunk(features))
        for layer in filter(None, (self.upconv1, self.upconv2)):
            enlarged = interpolate(features, scale_factor=2.0, mode="nearest")
            features = self.lrelu(layer(enlarged))
        out: Tensor = self.conv_last(self.lrelu(self.HRconv(features)))
        return out
