"""RRDBNet, residual in residual dense blocks: ESRGAN, RealSR, BSRGAN, BSRNet, Real-ESRGAN x1 to x4.

Hyper-parameters of ESRGAN, of BSRGAN, of Real-ESRGAN's x4plus and of RealSR's DF2K, DF2K-JPEG and
DPED: ``n_feats = 64``, ``n_blocks = 23``, ``growth = 32``, ``res_scale = 0.2``. Input and output
are RGB in 0-1; the slope of the LeakyReLUs is always 0.2. There are two forms for x2: BSRGAN's has
one enlargement fewer, Real-ESRGAN's (``unshuffle = true``) is the x4 network on an input of half
the size, and so is its x1 on one of a quarter. Parameter names are those of xinntao/ESRGAN 73e9b63
after its renaming; checkpoints with its older names or with BasicSR's load too.
"""

from torch import nn

from sr_bench.core.card import Hyper
from sr_bench.zoo.families.rrdbnet.keys import canonical_key
from sr_bench.zoo.families.rrdbnet.network import RrdbHyper, RrdbNet
from sr_bench.zoo.hyper import check_scale, read

__all__ = ["build", "canonical_key", "size_multiple"]


def build(hyper: Hyper, scale: int) -> nn.Module:
    """Return an RRDBNet for scale 2 or 4; with `unshuffle` for 1 or 2.

    Raises:
        CardError: A hyper-parameter or the scale is not valid.
    """
    params = read(RrdbHyper, hyper, architecture="rrdbnet")
    valid = (1, 2) if params.unshuffle else (2, 4)
    check_scale(scale, valid, architecture="rrdbnet")
    return RrdbNet(params, scale)


def size_multiple(hyper: Hyper, scale: int) -> int:
    """Return the side of the squares that a network folds its input by, else 1.

    Raises:
        CardError: A hyper-parameter is not valid.
    """
    return read(RrdbHyper, hyper, architecture="rrdbnet").fold(scale)
