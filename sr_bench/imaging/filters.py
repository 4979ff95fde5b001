"""Gaussian filters of the valid region: only pixels whose whole window lies in the image."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

WINDOW = 11
"""Side of the Gaussian window in pixels."""

SIGMA = 1.5
"""Standard deviation of the window in pixels."""

MARGIN = WINDOW // 2
"""Pixels that the valid region loses on each side."""


@cache
def gaussian_window(taps: int = WINDOW) -> NDArray[np.float64]:
    """Return the weights of one axis, an odd number of `taps`; they add up to one."""
    distance = np.arange(taps) - taps // 2
    weights = np.exp(-(distance**2) / (2 * SIGMA**2))
    weights /= weights.sum()
    weights.flags.writeable = False  # the cache gives all callers one array
    return weights


def gaussian_valid(image: NDArray[np.float64], taps: int = WINDOW) -> NDArray[np.float64]:
    """Return the local weighted means of `image`.

    Args:
        image: Height x width x channels (at most 4), float64, each side at least `taps`.
        taps: Side of the window in pixels, odd.

    Returns:
        (Height + 1 - taps) x (width + 1 - taps) x channels, float64.
    """
    window, margin = gaussian_window(taps), taps // 2
    # OpenCV drops the axis of a single channel.
    means = cv2.sepFilter2D(image, cv2.CV_64F, window, window).reshape(image.shape)
    return means[margin:-margin, margin:-margin].astype(np.float64, copy=False)


def uniform_valid(image: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return the local means of `image`, height x width, in each `side` x `side` window in it."""
    before, after = side // 2, side - 1 - side // 2
    means = cv2.boxFilter(image, cv2.CV_64F, (side, side))
    rows, columns = (slice(before, length - after) for length in image.shape)
    return means[rows, columns].astype(np.float64, copy=False)
