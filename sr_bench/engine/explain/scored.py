"""A set of images, scored in every way."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.forensics import Scoring
from sr_bench.engine.explain.candidates import ByBorder, Tables, all_candidates, score_ways
from sr_bench.engine.explain.named import changed, named_borders, named_ways
from sr_bench.engine.score.network_io import Image, Levels
from sr_bench.errors import MetricError, SrBenchError

NamedPair: TypeAlias = tuple[str, Levels, Image]
"""The image's name, SR and HR; as `score_ways` takes them."""

_SPARE = 8
"""Borders are tried up to the scale and this many pixels more."""


@dataclass(frozen=True)
class Way:
    """One way of scoring, with what it gives."""

    scoring: Scoring
    value: float
    """In the metric's unit."""
    protocols: tuple[str, ...]
    """Named protocols that score like this, but for `changes`."""
    changes: tuple[str, ...]
    """Fields of `scoring` that `protocols` set otherwise."""
    cost: int
    """How far-fetched the changes are."""


@dataclass(frozen=True)
class Scored:
    """All ways of scoring a set of images by one metric."""

    metric: str
    scales: tuple[int, ...]
    """Upscaling factors that borders which follow the scale were tried for."""
    images: int
    ways: Sequence[Way]
    notes: tuple[str, ...]
    """What the files don't show, in sentences."""

    @classmethod
    def of(cls, pairs: Iterable[NamedPair], metric: str, scales: tuple[int, ...]) -> "Scored":
        """Score `pairs`, of which one is held at a time.

        Raises:
            MetricError: There is no pair, or one is too small.
            SrBenchError: A pair can't be read or scored; the message names it.
        """
        borders = max(scales) + _SPARE + 1
        likely = sorted(border for border in named_borders(scales) if border < borders)
        names, tables = _tabled(pairs, metric, borders, likely)
        named = named_ways(
            metric,
            scales,
            images=len(names),
            borders=next(iter(tables.values())).shape[1],
            stored=any(key.rounding == "stored" for key in tables),
            sized=any(key.resize == "none" for key in tables),
        )
        ways = []
        for scoring, value in all_candidates(tables, metric, names):
            near = named.closest(scoring)
            changes = changed(scoring, near)
            cost = named.cost(scoring, changes)
            ways.append(Way(scoring, value, named.protocols[near], changes, cost))
        return cls(metric, scales, len(names), ways, tuple(_notes(tables, bool(ways))))


def _tabled(
    pairs: Iterable[NamedPair], metric: str, borders: int, likely: Sequence[int]
) -> tuple[list[str], Tables]:
    """Return the names of the images, and what each way of scoring makes of each.

    The arguments are those of `score_ways`; one pair is held at a time.

    Raises:
        MetricError: There is no pair, or one is too small.
        SrBenchError: A pair can't be read or scored; the message names it.
    """
    names: list[str] = []
    scored: list[ByBorder] = []
    for name, sr, hr in pairs:
        try:
            scored.append(score_ways(sr, hr, metric, borders, likely))
        except SrBenchError as cause:
            raise cause.about(name) from cause
        names.append(name)
    if not scored:
        msg = "expected at least one image pair, got none"
        raise MetricError(msg)
    common = min(len(table) for image in scored for table in image.values())
    stacked: dict[Scoring, NDArray[np.float64]] = {}
    for key in dict.fromkeys(key for image in scored for key in image):
        rows = [row[:common] for row in (_row(image, key) for image in scored) if row is not None]
        if len(rows) == len(scored):  # a way that one image lacks has no mean
            stacked[key] = np.stack(rows)
    return names, stacked


def _row(image: ByBorder, key: Scoring) -> NDArray[np.float64] | None:
    """Return what `key` gives for one image, which may need no resizing or no rounding."""
    for rounding in (key.rounding, "stored"):
        for rule in (key.resize, "none"):
            row = image.get(replace(key, rounding=rounding, resize=rule))
            if row is not None:
                return row
    return None


def _notes(tables: Tables, differ: bool) -> Iterator[str]:
    if not differ:
        yield "SR and HR are identical, so PSNR is infinite"
    if any(key.rounding == "stored" for key in tables):
        yield "SR has 8 bits, which hides whether it was rounded or truncated"
    if any(key.resize != "none" for key in tables):
        yield "SR and HR have unlike sizes: each rule that resizes HR was tried, and cutting both"
