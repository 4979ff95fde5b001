"""SSIM by each window that libraries and scripts use: the usual one is in `sr_bench.metrics`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from sr_bench.core.protocol import SsimWindow
from sr_bench.imaging.filters import WINDOW, gaussian_valid, uniform_valid
from sr_bench.imaging.similarity import (
    K1,
    K2,
    LocalMoments,
    Rim,
    local_moments,
    means_3d,
    rim_similarity,
)

Plane: TypeAlias = NDArray[np.float64]
"""Height x width, on the 0-255 scale."""

WHITE = 255.0
SMALLEST = 13
"""Pixels on a side that each window needs."""
_PER_SIDE = 256  # pixels of the shorter side for which an image is not made smaller


@dataclass(frozen=True)
class Window:
    """How local means are taken, and what is done with the image before."""

    means: Callable[[Plane], Plane] = gaussian_valid
    """Of a plane, in each window in it; windows with the same function share their moments."""
    correction: float = 1.0
    """Factor of the variances: n / (n - 1) makes sample variances of n pixels."""
    rim: Rim | None = None
    """Windows that reach over the edge of the image besides."""
    smaller: Callable[[Plane, int], Plane] | None = None
    """What makes a large image smaller first, by a whole factor."""
    across: bool = False
    """Whether the window reaches over the channels too: `means` is then of whole images."""

    @property
    def cut(self) -> bool:
        """Whether the similarities in an image hold those in each crop of it."""
        return self.smaller is None and not self.across

    def similarity(self, moments: LocalMoments, peak: float = WHITE) -> Plane:
        """Return the similarity in each window of `moments`, for a white level of `peak`."""
        return moments.similarity(**_constants(peak), correction=self.correction)

    def with_rim(self, inner: float, x: Plane, y: Plane, peak: float = WHITE) -> float:
        """Return the mean similarity of two planes in which it is `inner` without the rim."""
        if self.rim is None:
            return inner
        constants = _constants(peak)
        total, count = rim_similarity(x, y, self.rim, **constants, correction=self.correction)
        height, width = (side - self.rim.taps + 1 for side in x.shape)
        return float((total + inner * height * width) / (count + height * width))

    def mean(self, x: Plane, y: Plane, peak: float = WHITE) -> float:
        """Return the mean similarity of two planes (if `across`: images) of one shape.

        Each side has at least `SMALLEST` pixels.
        """
        if self.smaller and (factor := round(min(x.shape) / _PER_SIDE)) > 1:
            x, y = self.smaller(x, factor), self.smaller(y, factor)
        inner = self.similarity(local_moments(x, y, self.means), peak)
        return self.with_rim(float(inner.mean()), x, y, peak)


def windowed_ssim(
    sr: NDArray[np.generic], hr: NDArray[np.generic], window: SsimWindow, data_range: float
) -> float:
    """Return SSIM by `window`: the mean over the channels, unless the window reaches over them.

    Args:
        sr: Height x width x channels, each side at least `SMALLEST`.
        hr: The same shape.
        window: Name of a choice of `WINDOWS`.
        data_range: White level.
    """
    x, y = (np.asarray(image, np.float64) for image in (sr, hr))
    how = WINDOWS[window]
    if how.across:
        return how.mean(x, y, data_range)
    planes = zip(_planes(x), _planes(y), strict=True)
    return float(np.mean([how.mean(a, b, data_range) for a, b in planes]))


def _planes(image: Plane) -> Sequence[Plane]:
    return [np.ascontiguousarray(plane) for plane in np.moveaxis(image, -1, 0)]


def _constants(peak: float) -> dict[str, float]:
    return {"c1": (K1 * peak) ** 2, "c2": (K2 * peak) ** 2}


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


_SAMPLE = WINDOW**2 / (WINDOW**2 - 1)  # scikit-image takes the Gaussian for so many equal weights
_THIRTEEN, _SEVEN = partial(gaussian_valid, taps=13), partial(uniform_valid, side=7)
_ELEVEN = partial(uniform_valid, side=11)
_OLD_RIM = Rim("symmetric", reach=1, taps=13)

WINDOWS: Mapping[SsimWindow, Window] = {
    "gaussian": Window(),
    "gaussian_sample": Window(correction=_SAMPLE),
    # scikit-image before 0.15 took four standard deviations, and cut off what 11 pixels need.
    "gaussian13": Window(_THIRTEEN, rim=_OLD_RIM),
    "gaussian13_sample": Window(_THIRTEEN, correction=_SAMPLE, rim=_OLD_RIM),
    "gaussian_replicate": Window(rim=Rim("replicate")),
    "gaussian_mirror": Window(rim=Rim("mirror")),
    "gaussian5_mirror": Window(partial(gaussian_valid, taps=5), rim=Rim("mirror", 2, 5)),
    "gaussian_zero": Window(rim=Rim("zero")),
    "gaussian_3d": Window(means_3d, across=True),
    "gaussian_pooled": Window(smaller=_pooled),
    "gaussian_lowpass": Window(smaller=_lowpass),
    "uniform7": Window(_SEVEN, correction=49 / 48),
    "uniform7_population": Window(_SEVEN),
    "uniform8": Window(partial(uniform_valid, side=8)),
    "uniform11": Window(_ELEVEN),
    "uniform11_sample": Window(_ELEVEN, correction=_SAMPLE),
}
"""How each choice of a protocol's `ssim_window` is computed."""
