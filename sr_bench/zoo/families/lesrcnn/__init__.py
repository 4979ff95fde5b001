"""LESRCNN: pairs of 3x3 and 1x1 convolutions, one upsampler for a deep and a shallow branch.

Source: hellloxiaotian/LESRCNN e3729ed. Hyper-parameters of the published networks:
``n_feats = 64``; ``multi_scale = false`` for the three of one scale, ``true`` for lesrcnn_b,
which holds upsamplers for x2, x3 and x4 and uses the one that the card's scale names. Input and
output are RGB in 0-1.
"""

from torch import nn

from sr_bench.core.card import Hyper
from sr_bench.zoo.families.lesrcnn.network import SCALES, Lesrcnn, LesrcnnHyper
from sr_bench.zoo.hyper import check_scale, read


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return a LESRCNN for scale 2, 3 or 4.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(LesrcnnHyper, hyper, architecture="lesrcnn")
    check_scale(scale, SCALES, architecture="lesrcnn")
    return Lesrcnn(params, scale)
