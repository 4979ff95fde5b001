"""Find the rows whose numbers a page prints again; what can't be told apart is left alone."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sr_bench.core.claim import Claim, dataset_key
from sr_bench.core.metric import metric_infos
from sr_bench.lint.digits import NOISE
from sr_bench.lint.entries import Entry
from sr_bench.lint.pages import Page
from sr_bench.lint.results import Result, read_results

# COCO's mean over all thresholds is called mAP alone.
_ALIASES = {"map_50_95": ("map",), "miou": ("meaniou",)}
_MOST_ROWS = 50  # of one label: among more no text tells which it means

Printed = Claim | Result
"""A number of a page: of a table, or of its text."""


@dataclass(frozen=True)
class Match:
    """A row beside what a page prints of it."""

    entry: Entry
    page: Page
    numbers: Mapping[str, Sequence[Printed]]
    """By metric; several where a text prints it again and again."""

    def differing(self) -> Iterator[tuple[Claim, Printed]]:
        """Yield each claim that the page contradicts, with the page's nearest number."""
        for metric, numbers in self.numbers.items():
            if (claim := self.entry.claims.get(metric)) is not None:
                near = min(numbers, key=lambda number: abs(in_unit_of(claim, number) - claim.value))
                if not agree(claim, near):
                    yield claim, near


@dataclass(frozen=True)
class Compared:
    """What became of the results in a page's text."""

    matches: tuple[Match, ...]
    results: int
    """How many the text prints."""
    matched: int
    """How many of those are of a row."""


def compare(entries: Sequence[Entry], page: Page) -> Compared:
    """Return the rows of `entries` that the text of `page` prints results of."""
    printed = {metric for entry in entries for metric in entry.claims}
    names = {word: metric for metric in sorted(printed) for word in _words(metric)}
    results = read_results(page.document, names)
    sources = {entry.row_source for entry in entries}
    named = {source for source in sources if dataset_key(source) in page.names}
    about = tuple(entry for entry in entries if not named or entry.row_source in named)
    finder = _Finder(page, about)
    groups: dict[tuple[frozenset[str], object], list[Result]] = {}
    for result in results:
        said = (result.section, result.dtype, result.calibration, result.about)
        groups.setdefault((finder.labels(result), said), []).append(result)
    matches, matched = [], 0
    for (labels, _), group in groups.items():
        if match := finder.match(labels, group):
            matches.append(match)
            matched += len(group)
    return Compared(tuple(matches), len(results), matched)


def compare_tables(entries: Sequence[Entry], page: Page, theirs: Sequence[Entry]) -> list[Match]:
    """Return the rows of `entries` that a table of `page`, whose rows are `theirs`, has too."""
    rows: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        rows.setdefault(_identity(entry), []).append(entry)
    matches = []
    for other in theirs:
        alike, source = rows.get(_identity(other), [])[:_MOST_ROWS], other.row_source.casefold()
        same = [e for e in alike if len({e.row_source.casefold(), source} - {""}) < 2]
        if len(same) == 1:
            numbers = {metric: [claim] for metric, claim in other.claims.items()}
            matches.append(Match(same[0], page, numbers))
    return matches


def agree(claim: Claim, number: Printed) -> bool:
    """Tell whether two prints are of one number: one may be rounded or cut off, int8 varies."""
    coarse = 2 * max(claim.half_step, number.half_step)
    return abs(in_unit_of(claim, number) - claim.value) <= coarse + NOISE.get(claim.metric, 0.0)


def in_unit_of(claim: Claim, number: Printed) -> float:
    """Return a page's number, which may be a share where the claim is in percent."""
    known = claim.metric in metric_infos()
    share = not known and number.value <= 1 < claim.value
    return 100 * number.value if share else number.value


@dataclass(frozen=True)
class _Finder:
    """Finds the row that a result is of."""

    page: Page
    entries: tuple[Entry, ...]
    """Those that the page may be about, by its name."""

    def labels(self, result: Result) -> frozenset[str]:
        """Return what the model of a result is called; none if it can't be told."""
        before = bisect_right(self._lines, result.source.line)
        if before and self._lines[before - 1] >= result.section:
            return frozenset(self._mentioned[self._lines[before - 1]])
        if self.page.own or not self._lines:  # a document's own prose is about all of its models
            return frozenset(self._rows) if len(self._rows) == 1 else frozenset()
        return frozenset(self._mentioned[self._lines[min(before, len(self._lines) - 1)]])

    def match(self, labels: frozenset[str], results: Sequence[Result]) -> Match | None:
        """Return the row that results about one question are of, if it can be told."""
        rows = [entry for label in labels for entry in self._rows[label]]
        if len(rows) > _MOST_ROWS:
            return None
        numbers: dict[str, list[Printed]] = {}
        for result in results:
            numbers.setdefault(result.metric, []).append(result)
        fitting = [
            Match(entry, self.page, numbers)
            for entry in rows
            if _fits(entry, results[0]) and entry.claims.keys() & numbers.keys()
        ]
        if len(fitting) == 1:
            return fitting[0]
        return next((match for match in fitting if not any(match.differing())), None)

    @cached_property
    def _rows(self) -> Mapping[str, list[Entry]]:
        rows: dict[str, list[Entry]] = {}
        for entry in self.entries:
            rows.setdefault(entry.row, []).append(entry)
        return rows

    @cached_property
    def _mentioned(self) -> Mapping[int, list[str]]:
        mentioned: dict[int, list[str]] = {}
        for line, label in self.page.mentions(self._rows):
            mentioned.setdefault(line, []).append(label)
        return mentioned

    @cached_property
    def _lines(self) -> list[int]:
        return sorted(self._mentioned)


def _fits(entry: Entry, result: Result) -> bool:
    about = {dataset_key(word) for word in (entry.dataset, entry.row, entry.shape) if word}
    if result.about and dataset_key(result.about) not in {*about, f"x{entry.scale}"}:
        return False
    precision = entry.precision
    return result.dtype in ("", precision.dtype) and (
        result.calibration in ("", precision.calibration)
    )


def _identity(entry: Entry) -> tuple[object, ...]:
    shape = entry.size or entry.shape.casefold()
    where = (entry.backend, entry.device, dataset_key(entry.dataset), entry.scale, shape)
    return (dataset_key(entry.row), entry.precision, *where)


def _words(metric: str) -> tuple[str, ...]:
    """Return what a text may call a metric: lower case, without signs."""
    words = [word for word in metric.split("_") if word]
    return (*_ALIASES.get(metric, ()), "".join(words), "".join(reversed(words)))
