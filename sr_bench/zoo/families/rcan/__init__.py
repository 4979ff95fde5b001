"""RCAN, residual groups with channel attention, and SR4K, trimmed: by its authors and by BasicSR.

===================  ==========================================================================
``form="official"``  yulunzhang/RCAN a57c5ed (f722e5d); SR4K from Vastai/VastModelZOO 43aff36,
                     ``rcan_modify.py``. RGB in 0-`rgb_range` (255); mean shift in the checkpoint.
``form="basicsr"``   XPixelGroup/BasicSR 8d56e3a; SR4K from VastModelZOO, ``sr4k_arch.py``. RGB in
                     0-1; the mean is no part of the checkpoint; `rgb_range` is ``img_range``.
===================  ==========================================================================

Hyper-parameters of the published networks (`res_scale` 1 and `rgb_range` 255 throughout):

=============  ===========  ===========  =======  =========  =========  =======  ========
model          n_resgroups  n_resblocks  n_feats  attention  reduction  head     upsample
=============  ===========  ===========  =======  =========  =========  =======  ========
RCAN           10           20           64       true       16         stride1  steps
RCAN (SR4K)    3            2            32       false      0          stride2  single
RCAN2 (SR4K)   2            2            16       false      0          stride2  single
=============  ===========  ===========  =======  =========  =========  =======  ========

`mean_shift` is ``frozen`` for RCAN official, ``plain`` for SR4K official, ``tensor`` for BasicSR.
`rgb_mean` is ``div2k`` everywhere but in RCAN networks trained on DIVFlickr2K (``flickr2k``).
"""

from torch import nn

from sr_bench.core.card import Hyper
from sr_bench.zoo.families.rcan.basicsr import BasicSrRcan
from sr_bench.zoo.families.rcan.hyper import RcanHyper
from sr_bench.zoo.families.rcan.official import OfficialRcan
from sr_bench.zoo.hyper import check_scale, read


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return an RCAN for scale 2, 3, 4 or 8; with a stride-2 head, for 1, 2 or 4.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(RcanHyper, hyper, architecture="rcan")
    check_scale(scale, params.scales, architecture="rcan")
    return (OfficialRcan if params.form == "official" else BasicSrRcan)(params, scale)


def size_multiple(hyper: Hyper, _scale: int) -> int:
    """Return 2 for networks with a stride-2 head, else 1.

    Raises:
        CardError: A hyper-parameter is not valid.
    """
    return read(RcanHyper, hyper, architecture="rcan").stride
