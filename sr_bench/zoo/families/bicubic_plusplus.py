"""Bicubic++: four convolutions on half the input's size, and one pixel shuffle.

Source: aselsan-research-imaging-team/bicubic-plusplus 52084c8, models/SR_models.py (parameter names
and arithmetic). The published network has ``n_feats = 32`` and enlarges by 3. Input and output are
RGB in 0-1; the slope of the LeakyReLUs is 0.1.
"""

from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from sr_bench.core.card import Hyper
from sr_bench.files.validation import STRICT
from sr_bench.zoo.blocks import conv
from sr_bench.zoo.hyper import Count, check_scale, read

_STRIDE = 2


@dataclass(config=STRICT, frozen=True)
class BicubicPlusPlusHyper:
    """Hyper-parameters of Bicubic++."""

    n_feats: Count


class BicubicPlusPlus(nn.Module):
    """Map RGB (N, 3, H, W) in 0-1 to (N, 3, scale * H, scale * W) in 0-1, for even H and W."""

    def __init__(self, feats: int, scale: int) -> None:
        super().__init__()
        enlarge = _STRIDE * scale
        self.conv0 = conv(3, feats, stride=_STRIDE, bias=False)
        self.conv1 = conv(feats, feats, bias=False)
        self.conv2 = conv(feats, feats, bias=False)
        self.conv_out = conv(feats, 3 * enlarge**2, bias=False)
        self.shuffle = nn.PixelShuffle(enlarge)
        self.act = nn.LeakyReLU(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged images; values are not clipped."""
        features: Tensor = self.act(self.conv0(x))
        residual: Tensor = self.act(self.conv2(self.act(self.conv1(features))))
        out: Tensor = self.shuffle(self.conv_out(residual + features))
        return out


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return a Bicubic++ for scale 2, 3 or 4.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    feats = read(BicubicPlusPlusHyper, hyper, architecture="bicubic_plusplus").n_feats
    check_scale(scale, (2, 3, 4), architecture="bicubic_plusplus")
    return BicubicPlusPlus(feats, scale)


def size_multiple(_hyper: Hyper, _scale: int) -> int:
    """Return 2: the first convolution halves the image."""
    return _STRIDE
