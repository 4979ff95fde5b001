"""A model's trend page: values, margins and latency over the runs, with what changed between."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sr_bench.core.fields import narrowed
from sr_bench.core.history import HistoryEntry, Point, SessionInfo
from sr_bench.core.trend import Moment, Series
from sr_bench.core.trend import series as series_of
from sr_bench.history.over_time import HistoryCase, HistoryRow, history_case

_RUNS_SHOWN = 200


@dataclass(frozen=True)
class TrendRow:
    """A run of a series that says something new, or ends a stretch of equal ones."""

    row: HistoryRow
    number: int
    """Of the run in its series, from 0 for the oldest."""
    equal: int
    """Runs left out before it, which gave what it and the row before give."""


@dataclass(frozen=True)
class TrendSeries:
    """A case on one of its devices."""

    label: str
    trend_line: str
    metric: str
    unit: str
    device: str
    runs: int
    rows: tuple[TrendRow, ...]
    """Oldest first."""


@dataclass(frozen=True)
class TrendPage:
    """All that a trend page shows."""

    head: SessionInfo
    family: str
    model: str
    pages: tuple[tuple[str, str], ...]
    """Data set and page of the model."""
    series: tuple[TrendSeries, ...]
    """Each case on each of its devices."""
    runs: int
    """How many are shown."""
    left_out: int
    """Runs before those shown."""


def trend_page(
    head: SessionInfo,
    family: str,
    model: str,
    pages: tuple[tuple[str, str], ...],
    history: Sequence[HistoryEntry],
) -> TrendPage | None:
    """Return the trends of a model; None if history, oldest first, has no value of it."""

    def is_ours(point: Point) -> bool:
        return (point.family, point.model) == (family, model)

    entries = [entry for entry in history if any(map(is_ours, entry.points))]
    shown = entries[-_RUNS_SHOWN:]
    cases = series_of(shown, lambda point: is_ours(point) and point.value is not None)
    # What images say comes first: costs hardly move.
    series = sorted(chain(*map(_by_device, cases)), key=lambda case: not case.newest.dataset)
    if not series:
        return None
    left_out = len(entries) - len(shown)
    views = tuple(_view(history_case(case)) for case in series)
    return TrendPage(head, family, model, pages, views, len(shown), left_out)


def _view(case: HistoryCase) -> TrendSeries:
    rows = tuple(_telling(case.rows))
    return narrowed(TrendSeries, case, runs=len(case.rows), rows=rows)


def _telling(rows: Sequence[HistoryRow]) -> Iterator[TrendRow]:
    """Yield the rows without those that are as the one before and the one after: most nights."""
    last = -1
    for number, row in enumerate(rows):
        around = rows[max(0, number - 1)], rows[min(number + 1, len(rows) - 1)]
        inside = 0 < number < len(rows) - 1
        if not (inside and all(_told(other) == _told(row) for other in around)) or row.changed:
            yield TrendRow(row, number, number - last - 1)
            last = number


def _told(row: HistoryRow) -> tuple[object, ...]:
    return row.value, row.claimed, row.tolerance, row.status, row.images, row.planned


def _by_device(case: Series) -> Iterator[Series]:
    """Yield the values of each device by themselves: what one gives says nothing of another."""
    by_device: dict[str, list[Moment]] = defaultdict(list)
    for moment in case.moments:
        by_device[moment.point.device].append(moment)
    yield from (Series(tuple(moments)) for moments in by_device.values())
