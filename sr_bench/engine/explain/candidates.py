"""Score one image pair in every way that scripts are known to use: maps once, borders by slicing.

Borders are cut from finished maps of squared error or similarity; only windows that reach over the
edge, and images that are made smaller, are computed for each border.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.forensics import Channels, Rounding, Scoring
from sr_bench.core.protocol import PSNR_WEIGHTS, PsnrChannels, Resize
from sr_bench.engine.explain.borders import PEAKS, Planes
from sr_bench.engine.explain.similarities import similarities
from sr_bench.engine.explain.squared_errors import squared_errors
from sr_bench.engine.score.network_io import Image, Levels
from sr_bench.errors import MetricError
from sr_bench.imaging.colour import COLOURS
from sr_bench.imaging.geometry import crop_centre
from sr_bench.imaging.resize import resize
from sr_bench.imaging.windows import SMALLEST, WHITE

ByBorder: TypeAlias = Mapping[Scoring, NDArray[np.float64]]
"""Borders (from 0) x channels: mean squared error for PSNR, mean similarity for SSIM; the key has
border 0 and the aggregation ``mean``."""
Tables: TypeAlias = Mapping[Scoring, NDArray[np.float64]]
"""As `ByBorder`, with the images as first axis."""

_BY_CHANNEL: Mapping[str, PsnrChannels] = {"rgb": "mean", "ycbcr_pil": "mean_6_1_1"}
"""Where PSNR is taken of each channel: the choice."""

_BATCHES = (2, 4, 8, 10, 16, 20, 32, 50, 64, 100)
"""Sizes of batches of which PSNR is taken, where images have one size."""

_MOST_MISTAKES = 2
"""At once; with more of them anything can be reproduced."""


def score_ways(sr: Levels, hr: Image, metric: str, borders: int, likely: Sequence[int]) -> ByBorder:
    """Return the means that `metric` follows from, of one pair, for each way and each border.

    Args:
        sr: Height x width x 3, RGB on the 0-255 scale; floats are scored as they are, rounded and
            truncated.
        hr: RGB; if its size is not that of `sr`, each rule resizes it, and both are cut.
        metric: ``psnr`` or ``ssim``.
        borders: How many to try, from 0; fewer where the image is small.
        likely: Those of them for which costly ways are tried too.

    Raises:
        MetricError: The images are too small to score.
    """
    means: dict[Scoring, NDArray[np.float64]] = {}
    for rule, cut, truth in _sized(sr, hr):
        count = _borders(truth, metric, borders)
        for rounding, levels in _rounded(cut):
            for key, x, y in _coloured(levels, truth, Scoring(rounding=rounding, resize=rule)):
                if metric == "psnr":
                    means |= squared_errors(key, x, y, count)
                else:
                    tried = [border for border in likely if border < count]
                    means |= similarities(key, x, y, count, tried)
    return means


def all_candidates(
    tables: Tables, metric: str, names: Sequence[str]
) -> Iterator[tuple[Scoring, float]]:
    """Yield every way of scoring with its value; identical images have no finite one."""
    counts = [table[:, 0, 1] for key, table in tables.items() if key.aggregation == "pixels"]
    one_size = bool(counts) and all(len(set(count.tolist())) == 1 for count in counts)
    batches = [size for size in _BATCHES if one_size and 1 < size < len(names)]
    for key, table in tables.items():
        usual = tables[_usual(key)]
        # HR images from 0 to 255, or too small to be made smaller: nothing else was tried.
        if usual is not table and np.array_equal(np.where(np.isnan(table), usual, table), usual):
            continue
        # A rule that resizes HR is one more thing that must be right.
        most = _MOST_MISTAKES - (key.resize != "none")
        for border in range(table.shape[1]):
            scored, means = replace(key, border=border), table[:, border]
            if metric == "psnr":
                values = _psnr_values(scored, means, names, batches)
            else:
                values = _aggregates(scored, means.mean(axis=1), names)
            for scoring, value in values:
                if np.isfinite(value) and scoring.mistakes <= most:
                    yield scoring, value


def _usual(key: Scoring) -> Scoring:
    """Return `key` with the usual choices where its own may come to the same."""
    smaller = key.window in ("gaussian_pooled", "gaussian_lowpass")
    window = "gaussian" if smaller else key.window
    taken = key.peak if isinstance(key.peak, float) else WHITE
    return replace(key, window=window, peak=taken, difference="exact")


def _psnr_values(
    scoring: Scoring, mse: NDArray[np.float64], names: Sequence[str], batches: Sequence[int]
) -> Iterator[tuple[Scoring, float]]:
    if scoring.aggregation == "pixels":  # sums, and numbers of values
        total, count = mse.sum(axis=0)
        if len(set(mse[:, 1])) > 1:  # of images of one size it is the mean of their errors
            yield scoring, float(_db(total / count, WHITE))
        return
    plain = scoring.peak == WHITE and scoring.difference == "exact"
    for peak in PEAKS if plain else (WHITE,):
        whiter = replace(scoring, peak=peak) if plain else scoring
        yield from _aggregates(whiter, _db(mse.mean(axis=1), peak), names)
        if len(names) > 1:
            yield replace(whiter, aggregation="pooled"), float(_db(mse.mean(), peak))
        for size in batches if plain else ():
            starts = range(0, len(names), size)
            errors = np.array([mse[start : start + size].mean() for start in starts])
            yield replace(whiter, aggregation=size), float(_db(errors, peak).mean())
    if plain and scoring.colour in _BY_CHANNEL:
        by_channel = _BY_CHANNEL[scoring.colour]
        each = np.average(_db(mse, WHITE), axis=1, weights=PSNR_WEIGHTS[by_channel])
        yield replace(scoring, psnr_channels=by_channel), float(each.mean())


def _aggregates(
    scoring: Scoring, values: NDArray[np.float64], names: Sequence[str]
) -> Iterator[tuple[Scoring, float]]:
    yield scoring, float(values.mean())
    if len(names) > 1:
        yield replace(scoring, aggregation="last_image"), float(values[-1])
    if len(names) > 2:  # of two it is the mean
        yield replace(scoring, aggregation="median"), float(np.median(values))
    if not scoring.mistakes:  # one image and a mistake fit anything
        for name, value in list(zip(names, values, strict=True))[:-1]:
            yield replace(scoring, aggregation="image", image=name), float(value)


def _db(mse: NDArray[np.float64], peak: float) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):  # identical images: inf
        decibels: NDArray[np.float64] = 10.0 * np.log10(peak**2 / mse)
    return decibels


def _sized(sr: Levels, hr: Image) -> Iterator[tuple[str, Levels, Image]]:
    """Yield the pair in one size, by each rule if the sizes differ."""
    if sr.shape == hr.shape:
        yield "none", sr, hr
        return
    for rule in get_args(Resize):
        yield rule, sr, resize(hr, (sr.shape[0], sr.shape[1]), rule)
    height, width = (min(sides) for sides in zip(sr.shape[:2], hr.shape[:2], strict=True))
    yield "crop", sr[:height, :width], hr[:height, :width]
    middle = crop_centre(hr, (height, width)).astype(np.uint8, copy=False)
    yield "centre_crop", crop_centre(sr, (height, width)), middle


def _borders(image: Image, metric: str, wanted: int) -> int:
    smallest = SMALLEST if metric == "ssim" else 1
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
    for colour, convert in COLOURS.items():
        if colour.endswith("_pil") and sr.dtype != np.uint8:
            continue  # PIL converts whole levels
        orders = _ORDERS.get(colour, ("rgb",))
        swapped = {False} if orders == ("rgb",) else {False, True}
        x = {order: _split(convert(sr[..., ::-1] if order else sr)) for order in swapped}
        y = {order: _split(convert(hr[..., ::-1] if order else hr)) for order in swapped}
        for order in orders:
            key = replace(base, colour=colour, channels=order)
            yield key, x[order in ("both_bgr", "sr_bgr")], y[order in ("both_bgr", "hr_bgr")]


def _split(image: Levels) -> Planes:
    return tuple(image[..., channel].astype(np.float64) for channel in range(image.shape[2]))


# Of RGB, both in the wrong order are as good as none, and one is as good as the other. Further
# lumas differ so little that a wrong order is found by the first ones.
_ORDERS: Mapping[str, tuple[Channels, ...]] = {
    "rgb": ("rgb", "sr_bgr"),
    **dict.fromkeys(("y_float", "y_rounded", "y_edsr", "y_full"), get_args(Channels)),
}
