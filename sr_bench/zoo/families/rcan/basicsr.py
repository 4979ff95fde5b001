"""RCAN and SR4K as in BasicSR: mean shift and range by tensor arithmetic, values 0-1.

Source: XPixelGroup/BasicSR 8d56e3a, basicsr/archs/rcan_arch.py; SR4K: Vastai/VastModelZOO
43aff36, cv/super_resolution/rcan/source_code/basicsr/sr4k_arch.py (parameter names and
arithmetic).
"""

from torch import Tensor, nn

from sr_bench.zoo.blocks import CenteredRange, conv, scaled, upsampler
from sr_bench.zoo.families.rcan.hyper import RcanHyper


class _Attention(nn.Module):
    """Weigh each channel by a function of all channels' means."""

    def __init__(self, feats: int, reduction: int) -> None:
        super().__init__()
        squeezed = feats // reduction
        self.attention = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            conv(feats, squeezed, kernel=1),
            nn.ReLU(),
            conv(squeezed, feats, kernel=1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        weights: Tensor = self.attention(x)
        return x * weights


class _Block(nn.Module):
    """x + res_scale * attention(conv(relu(conv(x))))."""

    def __init__(self, hyper: RcanHyper) -> None:
        super().__init__()
        feats = hyper.n_feats
        attention = [_Attention(feats, hyper.reduction)] if hyper.attention else []
        self.res_scale = hyper.res_scale
        self.rcab = nn.Sequential(conv(feats, feats), nn.ReLU(), conv(feats, feats), *attention)

    def forward(self, x: Tensor) -> Tensor:
        return scaled(self.rcab(x), self.res_scale) + x


class _Group(nn.Module):
    """x + conv(blocks(x))."""

    def __init__(self, hyper: RcanHyper) -> None:
        super().__init__()
        self.residual_group = nn.Sequential(*(_Block(hyper) for _ in range(hyper.n_resblocks)))
        self.conv = conv(hyper.n_feats, hyper.n_feats)

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.conv(self.residual_group(x))
        return residual + x


class BasicSrRcan(nn.Module):
    """Map RGB (N, 3, H, W) in 0-1 to (N, 3, scale * H, scale * W) in 0-1.

    With a stride-2 head that holds for even H and W only; see `size_multiple`.
    """

    def __init__(self, hyper: RcanHyper, scale: int) -> None:
        super().__init__()
        feats = hyper.n_feats
        self.range = CenteredRange(hyper.mean, hyper.rgb_range)
        self.conv_first = conv(3, feats, stride=hyper.stride)
        self.body = nn.Sequential(*(_Group(hyper) for _ in range(hyper.n_resgroups)))
        self.conv_after_body = conv(feats, feats)
        self.upsample = upsampler(scale * hyper.stride, feats, single=hyper.upsample == "single")
        self.conv_last = conv(feats, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged images; values are not clipped."""
        features: Tensor = self.conv_first(self.range.enter(x))
        residual: Tensor = self.conv_after_body(self.body(features))
        return self.range.leave(self.conv_last(self.upsample(residual + features)))
