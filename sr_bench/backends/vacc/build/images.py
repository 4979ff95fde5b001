"""Calibration images for the card's compiler, in the network's size."""

import numpy as np
from numpy.typing import NDArray

FITTING = "cut in the middle, mirrored where too small"
"""How images come to have the network's size."""


def fitted(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the middle of `image` in `size`, height and width; mirrored at its edges if smaller.

    Nothing is resampled: that would change the statistics that calibration is about.
    """
    missing = [max(0, want - have) for want, have in zip(size, image.shape, strict=False)]
    margins = [(gap // 2, gap - gap // 2) for gap in missing]
    filled = np.pad(image, [*margins, (0, 0)], mode="symmetric")
    top, left = ((have - want) // 2 for want, have in zip(size, filled.shape, strict=False))
    return filled[top : top + size[0], left : left + size[1]]
