"""RGB to the luma that papers score: BT.601 studio range, three ways."""

import numpy as np
from numpy.typing import NDArray

from sr_bench.errors import ImageError

Pixels = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64]
"""Height x width x channels on the 0-255 scale."""

# Whole weights make the luma of whole levels exact up to its one division, on every machine:
# how halves are rounded moves the mean PSNR of Set5 in the fourth digit.
STUDIO, STUDIO_UNIT = np.array([65481.0, 128553.0, 24966.0]), 255_000.0
EDSR, EDSR_UNIT = np.array([65738.0, 129057.0, 25064.0]), 256_000.0
BLACK = 16.0
STUDIO_PER_LEVEL = 219.0 / 255.0
"""How much luma of studio range rises with a level of gray."""
FULL = np.array([0.299, 0.587, 0.114])


def y_float(rgb: Pixels) -> NDArray[np.float64]:
    """Return the luma of `rgb` as MATLAB's ``rgb2ycbcr`` does for doubles.

    Args:
        rgb: Height x width x 3 on the 0-255 scale.

    Returns:
        Height x width x 1, 16-235 for input in range, not rounded.

    Raises:
        ImageError: `rgb` doesn't have three channels.
    """
    return _weighted(rgb, STUDIO) / STUDIO_UNIT + BLACK


def y_rounded(rgb: Pixels) -> NDArray[np.uint8]:
    """Return `y_float` rounded to 8-bit levels, halves up, as MATLAB does for 8-bit images.

    Raises:
        ImageError: `rgb` doesn't have three channels.
    """
    rounded = np.floor((_weighted(rgb, STUDIO) + STUDIO_UNIT / 2) / STUDIO_UNIT) + BLACK
    levels: NDArray[np.uint8] = np.clip(rounded, 0, 255).astype(np.uint8)
    return levels


def y_edsr(rgb: Pixels) -> NDArray[np.float64]:
    """Return the luma with the weights of EDSR-PyTorch, which differ in the fourth digit.

    Its script weighs the difference of two images, where the black level cancels; it is added
    here so that SSIM sees levels.

    Raises:
        ImageError: `rgb` doesn't have three channels.

    Source: sanghyun-son/EDSR-PyTorch, src/utility.py, ``calc_psnr``.
    """
    return _weighted(rgb, EDSR) / EDSR_UNIT + BLACK


def y_full(rgb: Pixels) -> Pixels:
    """Return the luma of full range, 0-255, as OpenCV makes gray of RGB: in whole levels of uint8.

    Raises:
        ImageError: `rgb` doesn't have three channels.
    """
    if rgb.dtype != np.uint8:
        return _weighted(rgb, FULL)
    total = _weighted(rgb, np.array([9798.0, 19235.0, 3735.0]))  # OpenCV's, of 15 bits
    levels: NDArray[np.uint8] = np.floor((total + 16384.0) / 32768.0).astype(np.uint8)
    return levels


def with_luma(rgb: Pixels, luma: Pixels) -> NDArray[np.float64]:
    """Return `rgb` with the luma of studio range `luma` in place of its own, and its own chroma.

    Height x width x 3 and x 1, on the 0-255 scale; neither clipped nor rounded.

    Raises:
        ImageError: `rgb` doesn't have three channels.
    """
    # Luma has one weight in the three colours, so that a change of it moves them alike.
    return rgb + (luma - y_float(rgb)) / STUDIO_PER_LEVEL


def _weighted(rgb: Pixels, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        msg = f"expected an HxWx3 image to take the luma of, got shape {rgb.shape}"
        raise ImageError(msg)
    total: NDArray[np.float64] = rgb.astype(np.float64, copy=False) @ weights
    return total[..., np.newaxis]
