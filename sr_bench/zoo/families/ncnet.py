"""NCNet: seven convolutions beside an enlargement that copies each pixel.

Source: Algolzw/NCNet 6c91a28, torch_code/ncnet.py (parameter names and arithmetic); the authors
copy pixels by a constant 1x1 convolution that is no layer. The published network has
``n_feats = 32`` and enlarges by 3. Input and output are RGB in 0-255.
"""

from pydantic.dataclasses import dataclass
from torch import nn

from sr_bench.core.card import Hyper
from sr_bench.files.validation import STRICT
from sr_bench.zoo.hyper import Count, check_scale, read
from sr_bench.zoo.plain import PlainNet

_COLOURS = 3


@dataclass(config=STRICT, frozen=True)
class NcnetHyper:
    """Hyper-parameters of NCNet."""

    n_feats: Count


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return an NCNet for scale 2, 3 or 4.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    feats = read(NcnetHyper, hyper, architecture="ncnet").n_feats
    check_scale(scale, (2, 3, 4), architecture="ncnet")
    subpixels = _COLOURS * scale**2
    widths = (_COLOURS, *(feats,) * 5, subpixels, subpixels)
    return PlainNet(widths, scale, "relu", single=False)
