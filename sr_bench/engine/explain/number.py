"""Explain printed numbers: find which ways of scoring the images at hand reproduce them."""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TypeAlias

import numpy as np

from sr_bench.core.forensics import Beside, Candidate, Companion, Forensics, Scoring
from sr_bench.engine.explain.chance import ROUND_OFF, Digits, Number, covered
from sr_bench.engine.explain.scored import NamedPair, Scored, Way
from sr_bench.errors import OptionError

_SCALES = (2, 3, 4)
"""Tried where none is given."""
_SHOWN, _NEAREST = 10, 3

_Companions: TypeAlias = tuple[Companion, ...]

_ALONE = "no way gives the other numbers of the row too"
_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,12})?")


@dataclass(frozen=True)
class Asked:
    """A printed number, and the images that it is about."""

    text: str
    """As printed: its digits say how exact it is."""
    metric: str
    """``psnr`` or ``ssim``."""
    pairs: Iterable[NamedPair]
    """All of them, in the dataset's order; one is held at a time."""
    scale: int | None = None
    """Upscaling factor, which named borders follow; None: 2, 3 and 4 are tried."""
    where: str = ""
    """What tells the images from those of other numbers."""


def guess_metric(text: str) -> str:
    """Return what `text` is most likely a value of: up to 1 SSIM, above it PSNR.

    Raises:
        OptionError: It is no number.
    """
    return "ssim" if abs(_read(text).value) <= 1.0 else "psnr"


def explain_number(
    text: str, metric: str, pairs: Iterable[NamedPair], *, scale: int | None = None
) -> Forensics:
    """Return which ways of scoring `pairs` give the printed number `text`: see `explain_row`."""
    return explain_row([Asked(text, metric, pairs, scale)])


def explain_row(row: Sequence[Asked]) -> Forensics:
    """Return which ways of scoring give the first number of `row`, and the others too.

    Ways that give all of them count together: each number that a way did not have to give makes
    an accident less likely. If none gives all, those of the first number alone are returned, with a
    note that says so.

    Raises:
        OptionError: A text is no number.
        MetricError: There is no pair, or one is too small.
        SrBenchError: A pair can't be read or scored; the message names it.
    """
    first, *others = [_Printed.of(asked) for asked in row]
    fitting = _fitting(first, others)
    if alone := bool(others) and not fitting:
        fitting = _fitting(first, ())
    fitting.sort(
        key=lambda way: (way.chance, way.digits != "rounded", *first.how_far(way)),
    )
    return Forensics(
        first.scored.metric,
        row[0].text,
        first.scored.images,
        first.scored.scales,
        tried=len(first.scored.ways),
        fits=len(fitting),
        matches=tuple(islice(_distinct(fitting), _SHOWN)),
        nearest=() if fitting else first.nearest(),
        notes=(*first.scored.notes, *[_ALONE] * alone),
        beside=tuple(Beside(each.metric, each.text, each.where) for each in row[1:]),
    )


@dataclass(frozen=True)
class _Printed:
    """A printed number beside all ways of scoring its images."""

    number: Number
    scored: Scored

    @classmethod
    def of(cls, asked: Asked) -> "_Printed":
        number = _read(asked.text)
        scales = _SCALES if asked.scale is None else (asked.scale,)
        return cls(number, Scored.of(asked.pairs, asked.metric, scales))

    @cached_property
    def digits(self) -> Sequence[Digits]:
        """How the value of each way becomes the number."""
        return [self.number.digits(way.value) for way in self.scored.ways]

    @cached_property
    def costs(self) -> Sequence[int]:
        """How far-fetched ways are, in order."""
        return sorted({way.cost for way in self.scored.ways})

    def nearest(self) -> tuple[Candidate, ...]:
        """Return the simple ways whose values are closest."""
        simple = (way for way in self.scored.ways if len(way.changes) <= 1)
        sorted_ways = sorted(simple, key=lambda way: abs(way.value - self.number.value))
        return tuple(_candidate(way) for way in sorted_ways[:_NEAREST])

    def how_far(self, way: Candidate) -> tuple[float, int]:
        """Sort ways by their distance, and those that differ by round-off by their mistakes."""
        return abs(way.value - self.number.value) // ROUND_OFF, way.scoring.mistakes

    def covered(self, indices: Iterable[int]) -> float:
        """Return which part of the numbers nearby the ways of these numbers give."""
        values = np.array([self.scored.ways[index].value for index in indices])
        return covered(values, self.number, self.scored.metric)

    def shared(self, index: int, other: "_Printed") -> Hashable:
        """Return the choices of a way that one must share with it which gives `other`.

        A border that follows the scale is the same one at another scale.
        """
        scoring, scales = self.scored.ways[index].scoring, self.scored.scales
        follows = scales != other.scored.scales and len(scales) == 1 and scoring.border
        border = f"scale {scoring.border - scales[0]:+}" if follows else scoring.border
        both = (scoring.colour, scoring.channels, border, scoring.rounding, scoring.resize)
        if self.scored.metric != other.scored.metric:
            return both
        return both, replace(scoring, border=0, image="")


def _fitting(first: _Printed, others: Sequence[_Printed]) -> list[Candidate]:
    """Return the ways that give all numbers."""
    ways = first.scored.ways
    fitting: dict[int, Candidate] = {}
    for cost in first.costs:
        simple = [index for index, way in enumerate(ways) if way.cost <= cost]
        found: dict[int, _Companions] = {at: () for at in simple if first.digits[at]}
        if found.keys() <= fitting.keys():
            continue
        chance = first.covered(simple)
        for other in others:
            part, found = _given_too(first, found, other, cost)
            chance *= part
        for index in (index for index in found if index not in fitting):
            way = _candidate(ways[index], first.digits[index])
            fitting[index] = replace(way, chance=chance, beside=found[index])
    return list(fitting.values())


def _candidate(way: Way, digits: Digits = "") -> Candidate:
    return Candidate(way.scoring, way.value, way.protocols, way.changes, digits)


def _given_too(
    first: _Printed, fitting: Mapping[int, _Companions], other: _Printed, cost: int
) -> tuple[float, dict[int, _Companions]]:
    """Return which of the ways `fitting` give the number of `other` too, and how.

    First comes which part of the numbers nearby so many ways would give.
    """
    by_choices: dict[Hashable, list[int]] = {}
    for index, way in enumerate(other.scored.ways):
        if way.cost <= cost:
            by_choices.setdefault(other.shared(index, first), []).append(index)
    alike = {index: by_choices.get(first.shared(index, other), []) for index in fitting}
    found: dict[int, _Companions] = {}
    for index, indices in alike.items():
        fits = [other.scored.ways[at] for at in indices if other.digits[at]]
        if fits:
            way = min(fits, key=lambda way: way.cost)
            found[index] = (*fitting[index], Companion(way.scoring, way.value, way.changes))
    tried = {at for indices in alike.values() for at in indices}
    return (other.covered(tried) if tried else 1.0), found


def _read(text: str) -> Number:
    if not _NUMBER.fullmatch(text):
        msg = f"{text!r:.40}: expected a number as it is printed, such as 32.46 or 0.9614"
        raise OptionError(msg)
    return Number.of(text)


def _distinct(fitting: Iterable[Candidate]) -> Iterator[Candidate]:
    """Yield what differs from all before it: black borders and gray images hide many choices."""
    values: list[float] = []
    exact: set[Scoring] = set()  # of what fits, an epsilon in the error is no news
    for way in fitting:
        plain = replace(way.scoring, difference="exact")
        news = plain not in exact or way.scoring.difference not in ("exact", "epsilon")
        if not way.changes or (news and all(abs(way.value - v) > ROUND_OFF for v in values)):
            values.append(way.value)
            exact.add(plain)
            yield way
