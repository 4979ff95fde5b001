"""A model's trend page: values, margins and latency over the runs, with what changed between."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sr_bench.core.fields import narrowed
from sr_bench.core.history import HistoryEntry, PastSession, Point, SessionInfo
from sr_bench.core.trend import Moment, Series
from sr_bench.core.trend import series as series_of
from sr_bench.history.index import History
from sr_bench.history.newest import newest_runs
from sr_bench.history.over_time import HistoryRow, changes, history_row, without_rows

RUNS_SHOWN = 60
"""The newest ones: a session reads no more of its history."""


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
    left_out: bool
    """Whether there are runs before those shown."""


def shown_history(session: PastSession) -> History:
    """Return what the pages of `session` show of earlier runs, and whether there are more.

    Raises:
        SrBenchError: A file of the history can't be read at all.
    """
    models = {(record.family, record.model) for record in session.records}
    return newest_runs(session.results, models, RUNS_SHOWN + 1)


def by_model(history: Sequence[HistoryEntry]) -> Mapping[tuple[str, str], list[HistoryEntry]]:
    """Return the runs of each family's model, with the points of that model alone."""
    entries: dict[tuple[str, str], list[HistoryEntry]] = defaultdict(list)
    for entry in history:
        points: dict[tuple[str, str], list[Point]] = defaultdict(list)
        for point in entry.points:
            points[point.family, point.model].append(point)
        for model, own in points.items():
            entries[model].append(HistoryEntry(entry.info, tuple(own)))
    return entries


def trend_page(
    head: SessionInfo,
    family: str,
    model: str,
    pages: tuple[tuple[str, str], ...],
    entries: Sequence[HistoryEntry],
) -> TrendPage | None:
    """Return the trends of a model; None if none of `entries` has a value of it.

    Args:
        head: The run that the report shows.
        family: Of the model.
        model: Its name.
        pages: Data set and page of the model.
        entries: Its runs as `by_model` returns them, oldest first.
    """
    shown = entries[-RUNS_SHOWN:]
    cases = series_of(shown, lambda point: point.value is not None)
    # What images say comes first: costs hardly move.
    series = sorted(chain(*map(_by_device, cases)), key=lambda case: not case.newest.dataset)
    if not series:
        return None
    left_out = len(entries) > len(shown)
    views = tuple(map(_view, series))
    return TrendPage(head, family, model, pages, views, len(shown), left_out)


def _view(case: Series) -> TrendSeries:
    count, rows = len(case.moments), tuple(_telling(case.moments))
    return narrowed(TrendSeries, without_rows(case), runs=count, rows=rows)


def _telling(moments: Sequence[Moment]) -> Iterator[TrendRow]:
    """Yield the rows of `moments` without those as the one before and the one after: most nights.

    A row where something else changed stays too.
    """
    last = -1
    told = [_told(moment.point) for moment in moments]
    for number, (before, moment) in enumerate(zip((None, *moments), moments, strict=False)):
        inside = 0 < number < len(moments) - 1
        same = inside and told[number - 1] == told[number] == told[number + 1]
        if not same or (before and changes(before, moment)):
            yield TrendRow(history_row(moment, before), number, number - last - 1)
            last = number


def _told(point: Point) -> tuple[object, ...]:
    judged = point.claimed, point.tolerance, point.status
    return (point.value, *judged, point.images, point.planned)


def _by_device(case: Series) -> Iterator[Series]:
    """Yield the values of each device by themselves: what one gives says nothing of another."""
    by_device: dict[str, list[Moment]] = defaultdict(list)
    for moment in case.moments:
        by_device[moment.point.device].append(moment)
    yield from (Series(tuple(moments)) for moments in by_device.values())
