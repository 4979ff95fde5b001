"""RGB to what is scored: the lumas that papers, libraries and scripts take."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sr_bench.core.protocol import Colour
from sr_bench.errors import ImageError

Pixels = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64]
"""Height x width x channels on the 0-255 scale."""

# Whole weights make the luma of whole levels exact up to its one division, on every machine:
# how halves are rounded moves the mean PSNR of Set5 in the fourth digit.
STUDIO, STUDIO_UNIT = np.array([65481.0, 128553.0, 24966.0]), 255_000.0
EDSR, EDSR_UNIT = np.array([65738.0, 129057.0, 25064.0]), 256_000.0
_FSRCNN = np.array([64738.0, 129057.0, 25064.0])
_FULL, _BT709 = np.array([299.0, 587.0, 114.0]), np.array([2125.0, 7154.0, 721.0])
BLACK = 16.0
STUDIO_PER_LEVEL = 219.0 / 255.0
"""How much luma of studio range rises with a level of gray."""


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


def with_luma(rgb: Pixels, luma: Pixels) -> NDArray[np.float64]:
    """Return `rgb` with the luma of studio range `luma` in place of its own, and its own chroma.

    Height x width x 3 and x 1, on the 0-255 scale; neither clipped nor rounded.

    Raises:
        ImageError: `rgb` doesn't have three channels.
    """
    # Luma has one weight in the three colours, so that a change of it moves them alike.
    return rgb + (luma - y_float(rgb)) / STUDIO_PER_LEVEL


def _y_truncated(rgb: Pixels) -> NDArray[np.uint8]:
    """Return `y_float` cut off to 8-bit levels, as by ``astype(numpy.uint8)``."""
    cut = np.floor(_weighted(rgb, STUDIO) / STUDIO_UNIT) + BLACK
    levels: NDArray[np.uint8] = np.clip(cut, 0, 255).astype(np.uint8)
    return levels


def _y_fsrcnn(rgb: Pixels) -> NDArray[np.float64]:
    """Return the luma of yjn870's SRCNN, FSRCNN and RDN, whose red weight is a slip of EDSR's."""
    return _weighted(rgb, _FSRCNN) / EDSR_UNIT + BLACK


def _y_full(rgb: Pixels) -> Pixels:
    """Return the Y of OpenCV's YCrCb, of full range: whole levels of 8 bits, floats of floats."""
    if rgb.dtype != np.uint8:
        return _y_full_float(rgb)
    return cv2.cvtColor(_contiguous(rgb), cv2.COLOR_RGB2YCrCb)[..., :1].astype(np.uint8, copy=False)


def _gray(rgb: Pixels) -> Pixels:
    """Return OpenCV's gray; of one in 400 colours of 8 bits it is one level off `_y_full`."""
    if rgb.dtype != np.uint8:
        return _y_full_float(rgb)
    gray = cv2.cvtColor(_contiguous(rgb), cv2.COLOR_RGB2GRAY)
    return gray[..., np.newaxis].astype(np.uint8, copy=False)


def _y_full_float(rgb: Pixels) -> NDArray[np.float64]:
    return _weighted(rgb, _FULL) / 1000.0


def _y_bt709(rgb: Pixels) -> NDArray[np.float64]:
    """Return scikit-image's gray, on the 0-255 scale."""
    return _weighted(rgb, _BT709) / 10_000.0


def _ycbcr_pil(rgb: Pixels) -> NDArray[np.uint8]:
    """Return PIL's YCbCr; of floats that of their rounded levels, as PIL has no other."""
    levels = np.rint(rgb).clip(0, 255).astype(np.uint8) if rgb.dtype != np.uint8 else rgb
    return np.asarray(Image.fromarray(_contiguous(levels)).convert("YCbCr"))


def _contiguous(rgb: Pixels) -> NDArray[np.uint8]:
    _check(rgb)
    return np.ascontiguousarray(rgb, dtype=np.uint8)


def _weighted(rgb: Pixels, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    _check(rgb)
    total: NDArray[np.float64] = rgb.astype(np.float64, copy=False) @ weights
    return total[..., np.newaxis]


def _check(rgb: Pixels) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        msg = f"expected an HxWx3 image to take the luma of, got shape {rgb.shape}"
        raise ImageError(msg)


COLOURS: Mapping[Colour, Callable[[Pixels], Pixels]] = {
    "rgb": lambda image: image,
    "y_float": y_float,
    "y_rounded": y_rounded,
    "y_truncated": _y_truncated,
    "y_edsr": y_edsr,
    "y_fsrcnn": _y_fsrcnn,
    "y_full": _y_full,
    "y_full_float": _y_full_float,
    "gray": _gray,
    "y_bt709": _y_bt709,
    "y_pil": lambda image: _ycbcr_pil(image)[..., :1],
    "ycbcr_pil": _ycbcr_pil,
}
"""What each choice of a protocol's colour compares: height x width x channels."""
