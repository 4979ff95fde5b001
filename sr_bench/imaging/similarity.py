"""Structural similarity: of one tile, fast, and as a map by any of the windows that scripts use.

A tile is scored from the sum and the difference of two images.

With s = x + y and d = x - y, four Gaussian filters are enough where the textbook form needs
five, and neither product of two different images is needed:
2 m_x m_y = (m_s^2 - m_d^2) / 2 and m_x^2 + m_y^2 = (m_s^2 + m_d^2) / 2; likewise for variances.

In float32 a variance is lost where it is small beside the squared mean. So the tile's mean is
taken off first (a variance doesn't see it), and each tile comes with an estimate of the error that
is left: the caller computes a tile again in float64 where that is too much.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from sr_bench.imaging.colour import Pixels
from sr_bench.imaging.filters import MARGIN, WINDOW, gaussian_valid, gaussian_window

Plane: TypeAlias = NDArray[np.floating]
Exact: TypeAlias = NDArray[np.float64]
"""Height x width."""
Edge = Literal["mirror", "zero", "replicate", "symmetric"]

K1, K2 = 0.01, 0.03
"""What keeps the terms of SSIM finite, as parts of the white level (Wang et al., 2004)."""

_BUFFERS = 6  # the sum, the difference, and the mean and variance of each
# Largest error in float32 of a variance of equal values, as a part of their square.
_ROUNDING = 5e-7  # measured over all levels 1-510: 4.9e-7
_BINS = 1024  # groups of sampled windows, by their mean
_VALID = slice(MARGIN, -MARGIN)
_BEYOND: Mapping[Edge, int] = {
    "mirror": cv2.BORDER_REFLECT_101,
    "zero": cv2.BORDER_CONSTANT,
    "replicate": cv2.BORDER_REPLICATE,
    "symmetric": cv2.BORDER_REFLECT,
}


@dataclass(frozen=True)
class TileScore:
    """The similarity of one tile."""

    total: float
    """Sum over the tile's windows and channels."""
    error: float
    """Estimate of the error of the tile's mean; 0.0 in float64, NaN if values overflowed."""


@dataclass(frozen=True)
class Workspace:
    """Buffers for tiles of up to a given size, so that tiles allocate nothing."""

    buffers: tuple[Plane, ...]

    @classmethod
    def of(cls, shape: tuple[int, ...], dtype: type[np.float32] | type[np.float64]) -> "Workspace":
        """Return buffers for tiles of `shape` (margins included), to compute in `dtype`."""
        return cls(tuple(np.empty(shape, dtype) for _ in range(_BUFFERS)))

    def views(self, shape: tuple[int, ...]) -> list[Plane]:
        """Return the buffers, cut to a tile of `shape`."""
        return [buffer[: shape[0], : shape[1]] for buffer in self.buffers]


@dataclass(frozen=True)
class _Moments:
    """Local moments of the centred sum and difference: the valid region of buffers."""

    mean_s: Plane
    mean_d: Plane
    square_s: Plane
    square_d: Plane
    variance_s: Plane
    variance_d: Plane


def tile_similarity(x: Pixels, y: Pixels, work: Workspace, *, c1: float, c2: float) -> TileScore:
    """Return the summed similarity of two tiles, computed in the dtype of `work`.

    Args:
        x: Rows x columns (x channels, at most 4), `MARGIN` pixels larger on each side than the
            region that is scored.
        y: The same shape.
        work: Buffers at least as large.
        c1: Constant that keeps the luminance term finite, (K1 L)^2.
        c2: Constant of the contrast and structure term, (K2 L)^2.
    """
    if x.dtype != np.uint8 or y.dtype != np.uint8:
        # Centred in double precision: only what is left is rounded to the dtype of `work`.
        x, y = x.astype(np.float64, copy=False), y.astype(np.float64, copy=False)
    # Any number near the means does, so a sixteenth of the pixels gives it.
    mean_x, mean_y = float(x[::4, ::4].mean()), float(y[::4, ::4].mean())
    # Whole numbers, so that 8-bit images stay exact.
    offset_s, offset_d = float(round(mean_x + mean_y)), float(round(mean_x - mean_y))
    moments = _moments(x, y, work.views(x.shape), offset_s, offset_d)
    # A 1080p pair by tiles, one thread: 56 ms in float32, 118 in float64, 430 as defined.
    single = work.buffers[0].dtype == np.float32
    error = _estimated_error(moments, c2) if single else 0.0
    total = _similarity_sum(moments, offset_s, offset_d, c1, c2)
    return TileScore(total, error if math.isfinite(total) else math.nan)


def _moments(
    x: Pixels, y: Pixels, buffers: list[Plane], offset_s: float, offset_d: float
) -> _Moments:
    s, d, mean_s, mean_d, var_s, var_d = buffers
    depth = cv2.CV_32F if s.dtype == np.float32 else cv2.CV_64F
    window: Plane = gaussian_window().astype(s.dtype)
    cv2.addWeighted(x, 1.0, y, 1.0, -offset_s, dst=s, dtype=depth)
    cv2.addWeighted(x, 1.0, y, -1.0, -offset_d, dst=d, dtype=depth)
    for image, mean, variance in ((s, mean_s, var_s), (d, mean_d, var_d)):
        cv2.sepFilter2D(image, depth, window, window, dst=mean)
        cv2.multiply(image, image, dst=image)
        cv2.sepFilter2D(image, depth, window, window, dst=variance)
    s, d, mean_s, mean_d, var_s, var_d = (plane[_VALID, _VALID] for plane in buffers)
    for square, mean, variance in ((s, mean_s, var_s), (d, mean_d, var_d)):
        cv2.multiply(mean, mean, dst=square)
        cv2.subtract(variance, square, dst=variance)
    return _Moments(mean_s, mean_d, s, d, var_s, var_d)


def _estimated_error(moments: _Moments, c2: float) -> float:
    """Estimate from above the error that float32 leaves in the tile's mean, by a sample.

    A variance is wrong by up to `_ROUNDING` times the squared mean that was taken from it; its
    weight in the score follows from the formula. Errors of unlike windows have random signs and
    cancel; those of equal windows (flat areas, regular patterns) add up. So the sampled
    windows are grouped by local mean: errors add within a group, as squares between
    groups. This held on every image tried, adversarial ones included; it is not a proof.
    """
    sample = (slice(None, None, 8), slice(None, None, 4))
    with np.errstate(all="ignore"):
        mean = moments.mean_s[sample]
        variance_d = np.maximum(moments.variance_d[sample], 0.0)  # a rounded one may be below 0
        contrast = 0.5 * (moments.variance_s[sample] + variance_d) + c2
        weighted = moments.square_s[sample] * variance_d / contrast
        errors = (weighted + 2.0 * moments.square_d[sample]) / contrast
        low, span = float(mean.min()), float(np.ptp(mean))
        total = float(errors.sum())
    if not math.isfinite(total + span):
        return math.nan
    group = ((mean - low) * ((_BINS - 1) / max(span, 1e-9))).astype(np.intp)
    sums = np.bincount(group.ravel(), weights=np.abs(errors).ravel())
    return float(_ROUNDING * np.sqrt((sums**2).sum()) / errors.size)


def _similarity_sum(
    moments: _Moments, offset_s: float, offset_d: float, c1: float, c2: float
) -> float:
    """Sum the similarity over the windows; overwrites `moments`."""
    s, d, var_s, var_d = moments.square_s, moments.square_d, moments.variance_s, moments.variance_d
    # The means are of shifted images; variances and the covariance don't see the shift.
    for square, mean, offset in ((s, moments.mean_s, offset_s), (d, moments.mean_d, offset_d)):
        if offset:
            np.add(mean, offset, out=mean)
            cv2.multiply(mean, mean, dst=square)
    # Each result takes a buffer whose content is not needed any more.
    covariance = cv2.addWeighted(var_s, 0.5, var_d, -0.5, c2, dst=moments.mean_s)
    variances = cv2.addWeighted(var_s, 0.5, var_d, 0.5, c2, dst=moments.mean_d)
    product = cv2.addWeighted(s, 0.5, d, -0.5, c1, dst=var_s)
    squares = cv2.addWeighted(s, 0.5, d, 0.5, c1, dst=var_d)
    cv2.multiply(covariance, product, dst=covariance)
    cv2.multiply(variances, squares, dst=variances)
    cv2.divide(covariance, variances, dst=covariance)
    return math.fsum(cv2.sumElems(covariance))


@dataclass(frozen=True)
class Rim:
    """Gaussian windows that reach over the edge of an image."""

    edge: Edge
    """What lies beyond: the image mirrored at its outermost pixels, which don't repeat (the default
    of OpenCV's filters), or do (``symmetric``: SciPy's); zeros (the padding of convolutions); or
    the outermost pixels repeated (MATLAB's ``ssim``)."""
    reach: int = MARGIN
    """Pixels beyond the edge that the outermost windows take."""
    taps: int = WINDOW
    """Side of a window."""


@dataclass(frozen=True)
class LocalMoments:
    """Means, variances and the covariance of two planes in each whole window; float64."""

    mean_x: Exact
    mean_y: Exact
    variance_x: Exact
    variance_y: Exact
    covariance: Exact

    def similarity(self, *, c1: float, c2: float, correction: float = 1.0) -> Exact:
        """Return the similarity of each window; the constants are as in `tile_similarity`.

        Variances get the factor `correction`; n / (n - 1) makes sample variances of n pixels.
        """
        product, squares = self.mean_x * self.mean_y, self.mean_x**2 + self.mean_y**2
        variances = correction * (self.variance_x + self.variance_y) + c2
        structure: Exact = (2.0 * correction * self.covariance + c2) / variances
        structure *= (2.0 * product + c1) / (squares + c1)
        return structure


def local_moments(
    x: Exact, y: Exact, means: Callable[[Exact], Exact] = gaussian_valid
) -> LocalMoments:
    """Return the moments of two planes of one shape in each window that lies whole in them.

    `means` returns the means of a plane in these windows: by default 11x11 Gaussian ones.
    """
    mean_x, mean_y = means(x), means(y)
    return LocalMoments(
        mean_x,
        mean_y,
        means(x * x) - mean_x**2,
        means(y * y) - mean_y**2,
        means(x * y) - mean_x * mean_y,
    )


def rim_similarity(
    x: Exact, y: Exact, rim: Rim, *, c1: float, c2: float, correction: float = 1.0
) -> tuple[float, int]:
    """Return the summed similarity and the number of Gaussian windows that reach over the edge.

    The planes have one shape, each side at least as long as the window; the constants and the
    correction are as in `LocalMoments.similarity`.
    """
    reach, whole = rim.reach, slice(None)
    near, inner, both = slice(None, rim.taps - 1), slice(1 - rim.taps, None), (reach, reach)
    # Each window lies in one strip: the first two take the corners.
    strips = (
        ((near, whole), ((reach, 0), both)),
        ((inner, whole), ((0, reach), both)),
        ((whole, near), ((0, 0), (reach, 0))),
        ((whole, inner), ((0, 0), (0, reach))),
    )
    means = partial(gaussian_valid, taps=rim.taps)
    total, windows = 0.0, 0
    for part, beyond in strips:
        padded_x, padded_y = (_padded(plane[part], beyond, rim.edge) for plane in (x, y))
        moments = local_moments(padded_x, padded_y, means)
        strip = moments.similarity(c1=c1, c2=c2, correction=correction)
        total, windows = total + float(strip.sum()), windows + strip.size
    return total, windows


def _padded(plane: Exact, beyond: tuple[tuple[int, int], tuple[int, int]], edge: Edge) -> Exact:
    rows, columns = beyond
    padded = cv2.copyMakeBorder(plane, *rows, *columns, _BEYOND[edge])
    return padded.astype(np.float64, copy=False)


def means_3d(image: Exact) -> Exact:
    """Return the means of an image in a Gaussian window over rows, columns and channels.

    Edges are repeated in all three directions, as scripts do that take SSIM by ``conv3d``.
    """
    window = gaussian_window()
    planar = cv2.sepFilter2D(image, cv2.CV_64F, window, window, borderType=cv2.BORDER_REPLICATE)
    last = image.shape[2] - 1
    mixed = np.zeros((last + 1, last + 1))
    for channel in range(last + 1):
        for weight, offset in zip(window, range(-MARGIN, MARGIN + 1), strict=True):
            mixed[min(max(channel + offset, 0), last), channel] += weight
    means: Exact = planar.astype(np.float64, copy=False) @ mixed
    return means
