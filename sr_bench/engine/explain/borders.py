"""Planes of an image, the mean of a map without 0, 1, ... pixels all round, and white levels."""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.forensics import WhiteOfImage
from sr_bench.imaging.windows import WHITE

PEAKS = (WHITE, 219.0, 1.0, 65025.0, 4095.0)
"""White levels that are mixed up: 235 - 16; 1 for images of 0 to 255; 255 for images of 0 to 1;
4095, which image-similarity-measures assumes."""

Plane: TypeAlias = NDArray[np.float64]
"""Height x width, on the 0-255 scale."""
Planes: TypeAlias = tuple[Plane, ...]


def means(values: Plane, borders: int) -> NDArray[np.float64]:
    """Return the mean of `values` without 0, 1, ... pixels all round: the rings are summed once."""
    height, width = values.shape
    deepest = borders - 1
    total = float(inside(values, deepest).sum())
    results = [total / ((height - 2 * deepest) * (width - 2 * deepest))]
    for border in reversed(range(deepest)):
        last_row, last_column = height - border - 1, width - border - 1
        rows = values[[border, last_row], border : last_column + 1]
        columns = values[border + 1 : last_row, [border, last_column]]
        total += float(rows.sum()) + float(columns.sum())
        results.append(total / ((height - 2 * border) * (width - 2 * border)))
    return np.array(results[::-1])


def inside(plane: Plane, border: int) -> Plane:
    """Return `plane` (or an image) without `border` pixels on each side."""
    height, width = plane.shape[:2]
    return plane[border : height - border, border : width - border]


def whites(sr: Planes, hr: Planes, borders: int) -> Mapping[WhiteOfImage, NDArray[np.float64]]:
    """Return the white levels that may be taken from images without 0, 1, ... pixels all round."""
    highest, hr_range = _extent(hr, borders)
    _, sr_range = _extent(sr, borders)
    both = np.maximum(sr_range, hr_range)
    return {"hr_max": highest, "hr_range": hr_range, "sr_range": sr_range, "both_range": both}


def _extent(image: Planes, borders: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the largest value, and how far it is from the smallest, for each border."""
    crops = [[inside(plane, border) for plane in image] for border in range(borders)]
    high = np.array([max(plane.max() for plane in crop) for crop in crops])
    low = np.array([min(plane.min() for plane in crop) for crop in crops])
    return high, high - low
