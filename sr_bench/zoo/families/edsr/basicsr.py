"""EDSR as in BasicSR: mean shift and range by tensor arithmetic, values 0-1.

Source: XPixelGroup/BasicSR 8d56e3a, basicsr/archs/edsr_arch.py and arch_util.py (parameter names
and arithmetic).
"""

from torch import Tensor, nn

from sr_bench.zoo.blocks import DIV2K_MEAN, CenteredRange, conv, scaled, upsampler
from sr_bench.zoo.families.edsr.hyper import EdsrHyper


class _Block(nn.Module):
    """x + res_scale * conv2(relu(conv1(x)))."""

    def __init__(self, feats: int, res_scale: float) -> None:
        super().__init__()
        self.res_scale = res_scale
        self.conv1 = conv(feats, feats)
        self.conv2 = conv(feats, feats)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return scaled(self.conv2(self.relu(self.conv1(x))), self.res_scale) + x


class BasicSrEdsr(nn.Module):
    """Map RGB (N, 3, H, W) in 0-1 to (N, 3, scale * H, scale * W) in 0-1."""

    def __init__(self, hyper: EdsrHyper, scale: int) -> None:
        super().__init__()
        feats = hyper.n_feats
        self.range = CenteredRange(DIV2K_MEAN, hyper.rgb_range)
        self.conv_first = conv(3, feats)
        blocks = (_Block(feats, hyper.res_scale) for _ in range(hyper.n_resblocks))
        self.body = nn.Sequential(*blocks)
        self.conv_after_body = conv(feats, feats)
        self.upsample = upsampler(scale, feats)
        self.conv_last = conv(feats, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged images; values are not clipped."""
        features: Tensor = self.conv_first(self.range.enter(x))
        residual: Tensor = self.conv_after_body(self.body(features))
        return self.range.leave(self.conv_last(self.upsample(residual + features)))
