"""RRDBNet x4, residual in residual dense blocks: the network of ESRGAN and RealSR.

Hyper-parameters of ESRGAN and of RealSR's DF2K, DF2K-JPEG and DPED: ``n_feats = 64``,
``n_blocks = 23``, ``growth = 32``, ``res_scale = 0.2``. Input and output are RGB in 0-1; the
slope of the LeakyReLUs is always 0.2. Parameter names are those of xinntao/ESRGAN 73e9b63 after
its renaming; checkpoints with its older names or with BasicSR's load too.
"""

from torch import nn

from sr_bench.core.card import Hyper
from sr_bench.zoo.families.rrdbnet.keys import canonical_key
from sr_bench.zoo.families.rrdbnet.network import RrdbHyper, RrdbNet
from sr_bench.zoo.hyper import check_scale, read

__all__ = ["build", "canonical_key"]


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return an RRDBNet; it exists for scale 4 only.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(RrdbHyper, hyper, architecture="rrdbnet")
    check_scale(scale, (4,), architecture="rrdbnet")
    return RrdbNet(params)
