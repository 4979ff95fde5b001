"""Score one image pair in every way that scripts are known to use: maps once, borders by slicing.

Borders are cut from finished maps of squared error or similarity; only windows that reach over the
edge are computed for each border.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.forensics import Channels, Rounding, Scoring
from sr_bench.core.protocol import Resize
from sr_bench.engine.score.protocol import Image, Levels
from sr_bench.errors import MetricError
from sr_bench.imaging.colour import y_edsr, y_float, y_rounded
from sr_bench.imaging.filters import WINDOW
from sr_bench.imaging.resize import resize
from sr_bench.imaging.similarity import K1, K2, local_moments, rim_similarity

Plane: TypeAlias = NDArray[np.float64]
"""Height x width, on the 0-255 scale."""
Planes: TypeAlias = tuple[Plane, ...]

ByBorder: TypeAlias = Mapping[Scoring, NDArray[np.float64]]
"""Borders (from 0) x channels: mean squared error for PSNR, mean similarity for SSIM; the key has
border 0 and the aggregation ``mean``."""
Tables: TypeAlias = Mapping[Scoring, NDArray[np.float64]]
"""As `ByBorder`, with the images as first axis."""

_PSNR_PEAKS = (255.0, 219.0, 1.0, 65025.0)
"""White levels that are mixed up: 235 - 16; 1 for images of 0 to 255; 255 for images of 0 to 1."""

_SSIM_PEAKS = (*_PSNR_PEAKS, 510.0)
"""And 2 for images of 0 to 1, which scikit-image assumes of floats."""

_MOST_MISTAKES = 2
"""At once; with more of them anything can be reproduced."""
_Edge = Literal["mirror", "zero"]


def score_ways(sr: Levels, hr: Image, metric: str, borders: int) -> ByBorder:
    """Return the means that `metric` follows from, of one pair, for each way and each border.

    Args:
        sr: Height x width x 3, RGB on the 0-255 scale; floats are scored as they are, rounded and
            truncated.
        hr: RGB; if its size is not that of `sr`, each rule resizes it, and both are cut.
        metric: ``psnr`` or ``ssim``.
        borders: How many to try, from 0; fewer where the image is small.

    Raises:
        MetricError: The images are too small to score.
    """
    means: dict[Scoring, NDArray[np.float64]] = {}
    for rule, cut, truth in _sized(sr, hr):
        count = _borders(truth, metric, borders)
        for rounding, levels in _rounded(cut):
            for key, x, y in _coloured(levels, truth, Scoring(rounding=rounding, resize=rule)):
                means |= (_psnr if metric == "psnr" else _ssim)(key, x, y, count)
    return means


def all_candidates(
    tables: Tables, metric: str, names: Sequence[str]
) -> Iterator[tuple[Scoring, float]]:
    """Yield every way of scoring with its value; identical images have no finite one."""
    for key, table in tables.items():
        for border in range(table.shape[1]):
            scored, means = replace(key, border=border), table[:, border]
            if metric == "psnr":
                values = _psnr_values(scored, means, names)
            else:
                values = _aggregates(scored, means.mean(axis=1), names)
            for scoring, value in values:
                if np.isfinite(value) and _mistakes(scoring) <= _MOST_MISTAKES:
                    yield scoring, value


def _psnr_values(
    scoring: Scoring, mse: NDArray[np.float64], names: Sequence[str]
) -> Iterator[tuple[Scoring, float]]:
    for peak in _PSNR_PEAKS:
        whiter = replace(scoring, peak=peak)
        yield from _aggregates(whiter, _db(mse.mean(axis=1), peak), names)
        if len(names) > 1:
            yield replace(whiter, aggregation="pooled"), float(_db(mse.mean(), peak))
    if scoring.colour == "rgb":
        yield replace(scoring, colour="rgb_channels"), float(_db(mse, scoring.peak).mean())


def _aggregates(
    scoring: Scoring, values: NDArray[np.float64], names: Sequence[str]
) -> Iterator[tuple[Scoring, float]]:
    yield scoring, float(values.mean())
    if len(names) > 1:
        yield replace(scoring, aggregation="last_image"), float(values[-1])
    if len(names) > 2:  # of two it is the mean
        yield replace(scoring, aggregation="median"), float(np.median(values))
    if not _mistakes(scoring):  # one image and a mistake fit anything
        for name, value in list(zip(names, values, strict=True))[:-1]:
            yield replace(scoring, aggregation="image", image=name), float(value)


def _db(mse: NDArray[np.float64], peak: float) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):  # identical images: inf
        decibels: NDArray[np.float64] = 10.0 * np.log10(peak**2 / mse)
    return decibels


def _mistakes(scoring: Scoring) -> int:
    """Return the number of choices that no evaluation makes on purpose."""
    return sum(
        (
            scoring.channels != "rgb",
            scoring.peak != 255.0,
            scoring.window not in ("", "gaussian"),
            scoring.aggregation != "mean",
        )
    )


def _sized(sr: Levels, hr: Image) -> Iterator[tuple[str, Levels, Image]]:
    """Yield the pair in one size, by each rule if the sizes differ."""
    if sr.shape == hr.shape:
        yield "none", sr, hr
        return
    for rule in get_args(Resize):
        yield rule, sr, resize(hr, (sr.shape[0], sr.shape[1]), rule)
    height, width = (min(sides) for sides in zip(sr.shape[:2], hr.shape[:2], strict=True))
    yield "crop", sr[:height, :width], hr[:height, :width]


def _borders(image: Image, metric: str, wanted: int) -> int:
    smallest = WINDOW if metric == "ssim" else 1
    side = int(min(image.shape[:2]))
    if side < smallest:
        msg = f"expected at least {smallest}x{smallest} pixels to score, got {side} on one side"
        raise MetricError(msg)
    return min(wanted, (side - smallest) // 2 + 1)


def _rounded(sr: Levels) -> Iterator[tuple[Rounding, Levels]]:
    if sr.dtype == np.uint8:
        yield "stored", sr
        return
    inside = sr.clip(0.0, 255.0)
    yield "none", inside
    yield "round", np.rint(inside).astype(np.uint8)
    yield "truncate", np.floor(inside).astype(np.uint8)


def _coloured(sr: Levels, hr: Image, base: Scoring) -> Iterator[tuple[Scoring, Planes, Planes]]:
    """Yield both images as planes, in each colour and with each mistake in the channel order."""
    for colour, convert in _COLOURS.items():
        x = {swapped: convert(sr[..., ::-1] if swapped else sr) for swapped in (False, True)}
        y = {swapped: convert(hr[..., ::-1] if swapped else hr) for swapped in (False, True)}
        # Of RGB, both in the wrong order are as good as none, and one is as good as the other.
        orders: tuple[Channels, ...] = ("rgb", "sr_bgr") if colour == "rgb" else get_args(Channels)
        for order in orders:
            key = replace(base, colour=colour, channels=order)
            yield key, x[order in ("both_bgr", "sr_bgr")], y[order in ("both_bgr", "hr_bgr")]


def _split(image: Levels) -> Planes:
    return tuple(image[..., channel].astype(np.float64) for channel in range(image.shape[2]))


def opencv_gray(rgb: Levels) -> Levels:
    """Return the gray of `rgb` as OpenCV makes it, height x width x 1: in integers for 8 bits."""
    if rgb.dtype == np.uint8:
        total = rgb.astype(np.int64) @ np.array([9798, 19235, 3735])
        levels: NDArray[np.uint8] = ((total + 16384) >> 15).astype(np.uint8)
        return levels[..., np.newaxis]
    gray: NDArray[np.float64] = rgb.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    return gray[..., np.newaxis]


_COLOURS: Mapping[str, Callable[[Levels], Planes]] = {
    "rgb": _split,
    "y_float": lambda image: _split(y_float(image)),
    "y_rounded": lambda image: _split(y_rounded(image)),
    "y_edsr": lambda image: _split(y_edsr(image)),
    "gray": lambda image: _split(opencv_gray(image)),
}


def _psnr(key: Scoring, x: Planes, y: Planes, borders: int) -> dict[Scoring, NDArray[np.float64]]:
    means = [_means((a - b) ** 2, borders) for a, b in zip(x, y, strict=True)]
    return {replace(key, window=""): np.stack(means, axis=1)}


def _ssim(key: Scoring, x: Planes, y: Planes, borders: int) -> dict[Scoring, NDArray[np.float64]]:
    planes = [dict(_similarities(key, a, b, borders)) for a, b in zip(x, y, strict=True)]
    return {way: np.stack([plane[way] for plane in planes], axis=1) for way in planes[0]}


def _similarities(
    key: Scoring, x: Plane, y: Plane, borders: int
) -> Iterator[tuple[Scoring, NDArray[np.float64]]]:
    """Yield the mean similarity for each border; a wrong channel order excludes other mistakes."""
    gaussian = local_moments(x, y)  # once for all white levels
    inner = _means(gaussian.similarity(**_constants(255.0)), borders)
    yield key, inner
    if key.channels != "rgb":
        return
    uniform = local_moments(x, y, side=7)  # scikit-image's default window
    for peak in _SSIM_PEAKS:
        c, whole = _constants(peak), replace(key, peak=peak)
        if peak != 255.0:
            yield whole, _means(gaussian.similarity(**c), borders)
        sampled = uniform.similarity(**c, correction=49 / 48)
        yield replace(whole, window="uniform7"), _means(sampled, borders)
    c = _constants(255.0)
    sampled = gaussian.similarity(**c, correction=121 / 120)
    yield replace(key, window="gaussian_sample"), _means(sampled, borders)
    eight = local_moments(x, y, side=8).similarity(**c)
    yield replace(key, window="uniform8"), _means(eight, borders)
    for edge in get_args(_Edge):
        yield replace(key, window=f"gaussian_{edge}"), _with_rim(inner, x, y, edge)


def _constants(peak: float) -> dict[str, float]:
    return {"c1": (K1 * peak) ** 2, "c2": (K2 * peak) ** 2}


def _with_rim(inner: NDArray[np.float64], x: Plane, y: Plane, edge: _Edge) -> NDArray[np.float64]:
    """Return the means with the windows that reach over the edge of each crop."""
    means = []
    for border, mean in enumerate(inner):
        rows, columns = (slice(border, length - border) for length in x.shape)
        cut_x, cut_y = x[rows, columns], y[rows, columns]
        total, windows = rim_similarity(cut_x, cut_y, edge, **_constants(255.0))
        total += mean * (cut_x.size - windows)
        means.append(total / cut_x.size)
    return np.array(means)


def _means(values: Plane, borders: int) -> NDArray[np.float64]:
    """Return the mean of `values` without 0, 1, ... pixels all round: the rings are summed once."""
    height, width = values.shape
    deepest = borders - 1
    total = float(values[deepest : height - deepest, deepest : width - deepest].sum())
    means = [total / ((height - 2 * deepest) * (width - 2 * deepest))]
    for border in reversed(range(deepest)):
        last_row, last_column = height - border - 1, width - border - 1
        rows = values[[border, last_row], border : last_column + 1]
        columns = values[border + 1 : last_row, [border, last_column]]
        total += float(rows.sum()) + float(columns.sum())
        means.append(total / ((height - 2 * border) * (width - 2 * border)))
    return np.array(means[::-1])
