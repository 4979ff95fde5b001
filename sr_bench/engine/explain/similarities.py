"""The means of SSIM by each window that scripts use."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from sr_bench.core.forensics import Scoring
from sr_bench.engine.explain.borders import Plane, Planes, inside, means
from sr_bench.imaging.similarity import (
    K1,
    K2,
    Edge,
    local_moments,
    local_moments_3d,
    rim_similarity,
)

PEAKS = (255.0, 219.0, 1.0, 65025.0, 510.0)
"""White levels that are mixed up: 235 - 16; 1 for images of 0 to 255; 255 for images of 0 to 1; 2
for those, which scikit-image assumes of floats."""

_FEW = 5  # borders for which a window is tried that takes a pass of its own for each: 0 to 4
_PER_SIDE = 256  # pixels of the shorter side for which the image is not made smaller


def similarities(
    key: Scoring, x: Planes, y: Planes, borders: int
) -> Iterator[tuple[Scoring, NDArray[np.float64]]]:
    """Yield the mean similarity by each window: borders x channels, NaN where it is not tried."""
    planes = [dict(_of_plane(key, a, b, borders)) for a, b in zip(x, y, strict=True)]
    for way in planes[0]:
        yield way, np.stack([plane[way] for plane in planes], axis=1)
    if key.colour == "rgb" and key.channels == "rgb":
        yield replace(key, window="gaussian_3d"), _across_channels(x, y, borders)


def _of_plane(
    key: Scoring, x: Plane, y: Plane, borders: int
) -> Iterator[tuple[Scoring, NDArray[np.float64]]]:
    """Yield the mean similarity for each border.

    A wrong channel order, or a rare colour, excludes other windows and white levels.
    """
    gaussian = local_moments(x, y)  # once for all white levels
    inner = means(gaussian.similarity(**_constants(255.0)), borders)
    yield key, inner
    if key.channels != "rgb" or key.colour in _RARE:
        return
    uniform = local_moments(x, y, side=7)  # scikit-image's default window
    for peak in PEAKS:
        c, whole = _constants(peak), replace(key, peak=peak)
        if peak != 255.0:
            yield whole, means(gaussian.similarity(**c), borders)
        sampled = uniform.similarity(**c, correction=49 / 48)
        yield replace(whole, window="uniform7"), means(sampled, borders)
    c = _constants(255.0)
    sampled = gaussian.similarity(**c, correction=121 / 120)
    yield replace(key, window="gaussian_sample"), means(sampled, borders)
    eight = local_moments(x, y, side=8).similarity(**c)
    yield replace(key, window="uniform8"), means(eight, borders)
    for edge in get_args(Edge):
        yield replace(key, window=f"gaussian_{edge}"), _with_rim(inner, x, y, edge)
    for name, smaller in _SMALLER.items() if key.colour in _MADE_SMALLER else ():
        yield replace(key, window=f"gaussian_{name}"), _made_smaller(inner, x, y, smaller)


def _constants(peak: float) -> dict[str, float]:
    return {"c1": (K1 * peak) ** 2, "c2": (K2 * peak) ** 2}


def _with_rim(inner: NDArray[np.float64], x: Plane, y: Plane, edge: Edge) -> NDArray[np.float64]:
    """Return the means with the windows that reach over the edge of each crop."""
    results = []
    for border, mean in enumerate(inner):
        cut_x, cut_y = inside(x, border), inside(y, border)
        total, windows = rim_similarity(cut_x, cut_y, edge, **_constants(255.0))
        total += mean * (cut_x.size - windows)
        results.append(total / cut_x.size)
    return np.array(results)


def _made_smaller(
    inner: NDArray[np.float64], x: Plane, y: Plane, smaller: Callable[[Plane, int], Plane]
) -> NDArray[np.float64]:
    """Return the means where images are made smaller first, to about `_PER_SIDE` pixels."""
    results = np.full(len(inner), np.nan)
    results[:_FEW] = inner[:_FEW]
    for border in range(min(len(inner), _FEW)):
        cut_x, cut_y = inside(x, border), inside(y, border)
        factor = round(min(cut_x.shape) / _PER_SIDE)
        if factor > 1:
            moments = local_moments(smaller(cut_x, factor), smaller(cut_y, factor))
            results[border] = float(moments.similarity(**_constants(255.0)).mean())
    return results


def _pooled(plane: Plane, factor: int) -> Plane:
    """Return the means of squares that don't overlap, as piq does."""
    height, width = (side // factor for side in plane.shape)
    whole = plane[: height * factor, : width * factor]
    pooled: Plane = whole.reshape(height, factor, width, factor).mean(axis=(1, 3))
    return pooled


def _lowpass(plane: Plane, factor: int) -> Plane:
    """Return every so many pixels of the local means, as ssim.m of Wang does."""
    middle = (factor + 1) // 2 - 1
    kernel, anchor = (factor, factor), (middle, middle)
    local = cv2.boxFilter(plane, cv2.CV_64F, kernel, anchor=anchor, borderType=cv2.BORDER_REFLECT)
    return np.ascontiguousarray(local[::factor, ::factor], dtype=np.float64)


def _across_channels(x: Planes, y: Planes, borders: int) -> NDArray[np.float64]:
    """Return the means, borders x 1, of a window that is a Gaussian over the channels too."""
    results = np.full((borders, 1), np.nan)
    for border in range(min(borders, _FEW)):
        cut_x, cut_y = (np.stack([inside(p, border) for p in image], axis=-1) for image in (x, y))
        moments = local_moments_3d(cut_x, cut_y)
        results[border] = float(moments.similarity(**_constants(255.0)).mean())
    return results


_SMALLER: Mapping[str, Callable[[Plane, int], Plane]] = {"pooled": _pooled, "lowpass": _lowpass}
_RARE = frozenset(("luma", "bt709", "pil_y", "pil_ycbcr"))
_MADE_SMALLER = frozenset(("rgb", "y_float", "y_rounded"))
