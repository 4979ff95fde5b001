"""What two images must be before any metric compares them."""

import math

import numpy as np
from numpy.typing import NDArray

from sr_bench.errors import MetricError

Pixels = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64]
"""Height x width x channels on the scale of ``data_range``."""

# Beyond this no value is a level on any scale, and products of squares near overflow.
_LARGEST = 1e12


def check_pair(sr: Pixels, hr: Pixels, *, smallest: int = 1) -> None:
    """Refuse a pair that has no score.

    Raises:
        MetricError: The shapes differ, an image is too small, or a value is NaN, infinite or
            absurdly large.
    """
    if sr.shape != hr.shape:
        msg = (
            f"expected two images of one shape, got SR {sr.shape} and HR {hr.shape}; "
            "check the scale, and how the protocol resizes the ground truth"
        )
        raise MetricError(msg)
    if sr.ndim != 3 or not 1 <= sr.shape[2] <= 4:
        msg = f"expected images of shape HxWxC with 1 to 4 channels, got {sr.shape}"
        raise MetricError(msg)
    if min(sr.shape[:2]) < smallest:
        msg = f"expected at least {smallest}x{smallest} pixels, got {sr.shape[0]}x{sr.shape[1]}"
        raise MetricError(msg)
    for name, image in (("SR", sr), ("HR", hr)):
        _check_values(name, image)


def _check_values(name: str, image: Pixels) -> None:
    if image.dtype == np.uint8:
        return
    if not np.issubdtype(image.dtype, np.floating):
        msg = f"expected {name} as uint8 or floating point, got {image.dtype}"
        raise MetricError(msg)
    low, high = float(image.min()), float(image.max())  # NaN if there is one in the image
    if not (math.isfinite(low) and math.isfinite(high)):
        wrong = int(image.size - np.count_nonzero(np.isfinite(image)))
        msg = f"{name} holds {wrong} values that are NaN or infinite; check the model's output"
        raise MetricError(msg)
    if max(-low, high) > _LARGEST:
        msg = f"expected levels, got {name} values from {low:g} to {high:g}; check the output"
        raise MetricError(msg)
