"""A model's trend page: values, margins and latency over the runs, with what changed between."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sr_bench.core.history import HistoryEntry, Point, SessionInfo
from sr_bench.core.trend import Moment, Series
from sr_bench.core.trend import series as series_of
from sr_bench.history.over_time import HistoryCase, history_case

_RUNS_SHOWN = 200


@dataclass(frozen=True)
class TrendPage:
    """All that a trend page shows."""

    head: SessionInfo
    family: str
    model: str
    pages: tuple[tuple[str, str], ...]
    """Data set and page of the model."""
    series: tuple[HistoryCase, ...]
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
    views = tuple(map(history_case, series))
    return TrendPage(head, family, model, pages, views, len(shown), left_out)


def _by_device(case: Series) -> Iterator[Series]:
    """Yield the values of each device by themselves: what one gives says nothing of another."""
    by_device: dict[str, list[Moment]] = defaultdict(list)
    for moment in case.moments:
        by_device[moment.point.device].append(moment)
    yield from (Series(tuple(moments)) for moments in by_device.values())
