"""All runs over time: how many numbers ended how in each, and what is news since the run before."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from sr_bench.core.case import TIMED_METRICS
from sr_bench.core.compare import Change
from sr_bench.core.history import HistoryEntry, Point, SessionInfo
from sr_bench.core.record import Status
from sr_bench.core.trend import Moment
from sr_bench.history.over_time import changes, value_text

_Group = tuple[str, bool, tuple[Change, ...]]


@dataclass(frozen=True)
class News:
    """Numbers of a run that are others than when they were measured last, with one cause."""

    what: str
    """``match -> differs``, or ``moved``: the value did, and its verdict did not."""
    count: int
    models: tuple[str, ...]
    changed: tuple[Change, ...]
    """What differs from that run, but for what the document prints."""
    claimed: tuple[Change, ...] = ()
    """What it prints now, where that is another number."""


@dataclass(frozen=True)
class RunRow:
    """One run."""

    info: SessionInfo
    complete: bool
    """Whether it ended."""
    counts: str
    """``8 match, 2 differs``."""
    news: tuple[News, ...]


def calendar(
    entries: Iterable[HistoryEntry], incomplete: Collection[str] = ()
) -> tuple[RunRow, ...]:
    """Return the runs `entries`, oldest first; those in `incomplete` did not end.

    What a run did not measure is no news, nor is a number that was never measured before. Of times
    only verdicts count: no two are equal.
    """
    last: dict[tuple[str, ...], Moment] = {}
    rows = []
    for entry in entries:
        news = tuple(_news(entry, last))
        complete = entry.info.run not in incomplete
        rows.append(RunRow(entry.info, complete, _counts(entry.points), news))
    return tuple(rows)


def _news(entry: HistoryEntry, last: dict[tuple[str, ...], Moment]) -> Iterator[News]:
    """Yield what is news in `entry`, and put its values into `last`, by what they are about."""
    groups: dict[_Group, list[tuple[Point, tuple[Change, ...]]]] = {}
    for point in entry.points:
        if point.value is None and point.status is not Status.ERROR:
            continue
        key, now = (point.family, point.case_id, point.backend), Moment(entry.info, point)
        before, last[key] = last.get(key), now
        if before and (what := _what(before.point, point)):
            found = changes(before, now)
            claimed = tuple(change for change in found if change.name == "claimed")
            changed = tuple(change for change in found if change not in claimed)
            groups.setdefault((what, bool(claimed), changed), []).append((point, claimed))
    for (what, _, changed), members in groups.items():
        models = tuple(dict.fromkeys(point.model for point, _ in members))
        printed = tuple(change for _, claimed in members for change in claimed)
        yield News(what, len(members), models, changed, printed)


def _what(before: Point, now: Point) -> str:
    if before.status is not now.status:
        return f"{before.status} -> {now.status}"
    # To the digits that are shown: a device need not give the same twice.
    shown = (value_text(point.metric, point.value) for point in (before, now))
    return "moved" if now.metric not in TIMED_METRICS and len({*shown}) > 1 else ""


def _counts(points: Iterable[Point]) -> str:
    number = Counter(point.status for point in points)
    return ", ".join(f"{number[status]} {status}" for status in Status if number[status])
