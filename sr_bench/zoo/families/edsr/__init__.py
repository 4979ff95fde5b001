"""EDSR and EDSR baseline: residual blocks without normalisation, by its authors and by BasicSR.

==================  =========================================================================
``form="official"``  sanghyun-son/EDSR-PyTorch 8dba558. Input and output RGB in 0-`rgb_range`
                     (255); the mean shift is a frozen 1x1 convolution in the checkpoint.
``form="basicsr"``   XPixelGroup/BasicSR 8d56e3a. Input and output RGB in 0-1; the mean is no
                     part of the checkpoint, and `rgb_range` is BasicSR's ``img_range`` (255).
==================  =========================================================================

Hyper-parameters of the published networks (`rgb_range` is 255 throughout):

=====================  =======  ===========  =========
model                  n_feats  n_resblocks  res_scale
=====================  =======  ===========  =========
EDSR baseline, Mx2     64       16           1
EDSR                   256      32           0.1
EDSR_x1 (Deblur)       32       9            1
=====================  =======  ===========  =========
"""

from torch import nn

from sr_bench.core.card import Hyper
from sr_bench.zoo.families.edsr.basicsr import BasicSrEdsr
from sr_bench.zoo.families.edsr.hyper import EdsrHyper
from sr_bench.zoo.families.edsr.official import OfficialEdsr
from sr_bench.zoo.hyper import check_scale, read


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return an EDSR for scale 1 (no upsampler), 2, 3 or 4.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(EdsrHyper, hyper, architecture="edsr")
    check_scale(scale, (1, 2, 3, 4), architecture="edsr")
    return (OfficialEdsr if params.form == "official" else BasicSrEdsr)(params, scale)
