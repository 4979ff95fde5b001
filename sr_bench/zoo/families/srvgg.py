"""SRVGG, the compact network of Real-ESRGAN's animevideov3 and general-x4v3.

Source: XPixelGroup/BasicSR 5ba5f85, srvgg_arch.py (parameter names and arithmetic). Input and
output are RGB in 0-1. Hyper-parameters of the published networks, all for x4:

====================================  =======  =======  =======  ==========
model                                 n_feats  n_convs  colours  activation
====================================  =======  =======  =======  ==========
realesr-animevideov3                  64       16       3        prelu
realesr-general-x4v3, wdn-x4v3        64       32       3        prelu
====================================  =======  =======  =======  ==========
"""

from torch import nn

from sr_bench.core.card import Hyper
from sr_bench.zoo.hyper import check_scale, read
from sr_bench.zoo.plain import PlainHyper, PlainNet


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return an SRVGG for scale 1 (no enlargement), 2, 3 or 4.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(PlainHyper, hyper, architecture="srvgg")
    check_scale(scale, (1, 2, 3, 4), architecture="srvgg")
    return PlainNet(params.widths(scale), scale, params.activation)
