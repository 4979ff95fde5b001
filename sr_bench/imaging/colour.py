"""RGB to the luma that papers score: BT.601 studio range, three ways."""

import numpy as np
from numpy.typing import NDArray

from sr_bench.errors import ImageError

Pixels = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64]
"""Height x width x channels on the 0-255 scale."""

_STUDIO = np.array([65.481, 128.553, 24.966]) / 255.0
_EDSR = np.array([65.738, 129.057, 25.064]) / 256.0
_BLACK = 16.0


def y_float(rgb: Pixels) -> NDArray[np.float64]:
    """Return the luma of `rgb` as MATLAB's ``rgb2ycbcr`` does for doubles.

    Args:
        rgb: Height x width x 3 on the 0-255 scale.

    Returns:
        Height x width x 1, 16-235 for input in range, not rounded.

    Raises:
        ImageError: `rgb` doesn't have three channels.
    """
    return _weigh(rgb, _STUDIO)


def y_rounded(rgb: Pixels) -> NDArray[np.uint8]:
    """Return `y_float` rounded to 8-bit levels, as scripts do that convert uint8 to uint8.

    Raises:
        ImageError: `rgb` doesn't have three channels.
    """
    levels: NDArray[np.uint8] = np.clip(np.rint(y_float(rgb)), 0, 255).astype(np.uint8)
    return levels


def y_edsr(rgb: Pixels) -> NDArray[np.float64]:
    """Return the luma with the weights of EDSR-PyTorch, which differ in the fourth digit.

    Its script weighs the difference of two images, where the black level cancels; it is added
    here so that SSIM sees levels.

    Raises:
        ImageError: `rgb` doesn't have three channels.

    Source:
        sanghyun-son/EDSR-PyTorch, src/utility.py, ``calc_psnr``.
    """
    return _weigh(rgb, _EDSR)


def _weigh(rgb: Pixels, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        msg = f"expected an HxWx3 image to take the luma of, came shape {rgb.shape}"
        raise ImageError(msg)
    luma: NDArray[np.float64] = rgb.astype(np.float64, copy=False) @ weights + _BLACK
    return luma[..., np.newaxis]
