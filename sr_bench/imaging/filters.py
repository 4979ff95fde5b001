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
def gaussian_window() -> NDArray[np.float64]:
    """Return the `WINDOW` weights of one axis; they add up to one."""
    distance = np.arange(WINDOW) - MARGIN
    weights = np.exp(-(distance**2) / (2 * SIGMA**2))
    weights /= weights.sum()
    weights.flags.writeable = False  # the cache gives all callers one array
    return weights


def gaussian_valid(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the local weighted means of `image`.

    Args:
        image: Height x width x channels (at most 4), float64, each side at least `WINDOW`.

    Returns:
        (Height - 10) x (width - 10) x channels, float64.
    """
    window = gaussian_window()
    # OpenCV drops the axis of a single channel.
    means = cv2.sepFilter2D(image, cv2.CV_64F, window, window).reshape(image.shape)
    return means[MARGIN:-MARGIN, MARGIN:-MARGIN].astype(np.float64, copy=False)
