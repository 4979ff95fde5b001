"""TIFF files to 8-bit arrays, where nothing is left to choose; any other is refused by name."""

from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from sr_bench.errors import ImageError

STARTS = (b"II*\x00", b"MM\x00*")
_MODES = ("L", "RGB", "RGBA")
_LOSSLESS = ("raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits")
_BITS, _PHOTOMETRIC, _ORIENTATION = 258, 262, 274  # tags
_PLAIN = (1, 2)  # photometric: 0 is black, or RGB


def decode_tiff(data: bytes, path: Path) -> NDArray[np.uint8]:
    """Return gray (height, width), BGR or BGRA (height, width, channels), as OpenCV orders them.

    Pillow decodes it: OpenCV gives wrong pixels for damaged data, and only prints a warning.

    Raises:
        ImageError: It has several pages, another depth, colours, compression or orientation than
            are read, or is damaged.
    """
    try:
        with Image.open(BytesIO(data), formats=("TIFF",)) as image:
            if why := _unread(image):
                msg = f"{path}: expected a plain 8-bit TIFF, got {why}; convert the file to PNG"
                raise ImageError(msg)
            pixels = np.asarray(image)
    except (OSError, ValueError, SyntaxError, Warning) as error:
        msg = f"{path}: truncated or corrupt ({error}); copy or download the file again"
        raise ImageError(msg) from error
    order = [2, 1, 0, 3][: pixels.shape[-1]]
    return np.ascontiguousarray(pixels if pixels.ndim == 2 else pixels[..., order])


def _unread(image: Image.Image) -> str:
    """Return what of `image` is not read; empty if nothing is."""
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    bits = max(tags.get(_BITS, (8,)))
    if bits != 8:  # Pillow cuts RGB of 16 bits to 8
        return f"{bits} bits per channel"
    if image.mode not in _MODES or tags.get(_PHOTOMETRIC) not in _PLAIN:
        return f"{image.mode} colours"
    if image.info.get("compression") not in _LOSSLESS:
        return f"{image.info.get('compression')} compression"
    if tags.get(_ORIENTATION, 1) != 1:
        return "a turned image"
    try:
        image.seek(1)
    except EOFError:
        image.seek(0)
        return ""
    return "several pages"
