"""Pictures that a page holds inside itself: parts of images, and where two of them differ."""

from base64 import b64encode

import numpy as np

from sr_bench.imaging.web import Levels, lossless_webp, to_8bit

_GREY = 128.0
_LARGEST = 100.0  # levels that a difference may be drawn with
_MOST_GAIN = 64.0  # above it the noise of float sums would look like a picture

SMALLEST = 0.5 / _MOST_GAIN
"""Levels: where no two values differ by more, nothing but grey would be drawn."""


def difference(a: Levels, b: Levels) -> tuple[Levels, float]:
    """Return `a` minus `b` around grey, and by how much it is multiplied to be seen.

    Args:
        a: Height x width x 3 on the 0-255 scale.
        b: Of the same shape.
    """
    apart = np.subtract(a, b, dtype=np.float32)
    gain = min(_MOST_GAIN, max(1.0, _LARGEST / max(float(np.abs(apart).max()), 1e-9)))
    return _GREY + np.float32(gain) * apart, gain


def data_url(levels: Levels) -> str:
    """Return `levels` (height x width x 3, 0-255) as the address of a lossless image."""
    return f"data:image/webp;base64,{b64encode(lossless_webp(to_8bit(levels))).decode()}"
