"""The values of one case over time, and where they are going."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import combinations
from math import isfinite
from statistics import median

from sr_bench.core.case import COST_METRICS
from sr_bench.core.compare import NEVER_COMPARABLE
from sr_bench.core.history import HistoryEntry, Point, SessionInfo
from sr_bench.core.record import Status

_FEWEST, _SHORTEST = 3, timedelta(days=1)  # points, and their span, below which no slope counts
_STEADY = 1e-9  # change per week, in the metric's unit, that is the rounding of floats
_NEWEST = 60  # points, of which all pairs are looked at
_FURTHEST_WEEKS = 520  # nobody plans for what a line reaches later
_RUN_TIME = "%Y%m%dT%H%M%S"
_RUN_TIME_LENGTH = 15  # random digits follow


@dataclass(frozen=True)
class Moment:
    """One point of a series, with the run that measured it."""

    info: SessionInfo
    point: Point

    @property
    def when(self) -> datetime | None:
        """When the run started; None if nothing says so."""
        return started(self.info)


@dataclass(frozen=True)
class Series:
    """One case over time, oldest first; at least one moment."""

    moments: tuple[Moment, ...]

    @property
    def newest(self) -> Point:
        """What was found last."""
        return self.moments[-1].point


@dataclass(frozen=True)
class Trend:
    """Where the points that answer the same question are going."""

    of: str
    """``margin``, the distance to the claim's tolerance; ``value`` where nothing is judged."""
    points: int
    since: str
    """Day of the oldest of them, ISO 8601."""
    per_week: float
    """Slope in the metric's unit."""
    last: float
    """The newest value of `of`."""
    used_up: str
    """Day on which the margin reaches 0; empty unless it shrinks and is above 0 now."""


def started(info: SessionInfo) -> datetime | None:
    """Return when a run started, in UTC; None if nothing says so."""
    return start_of(info.started, info.run)


@lru_cache(maxsize=4096)  # asked for each value of a run
def start_of(started: str, run: str) -> datetime | None:
    """Return when it was `started`, else what the name of the `run` says (schema 1), in UTC."""
    try:
        if started:
            start = datetime.fromisoformat(started)
            return start.astimezone(UTC) if start.tzinfo else start.replace(tzinfo=UTC)
        return datetime.strptime(run[:_RUN_TIME_LENGTH], _RUN_TIME).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def series(entries: Iterable[HistoryEntry], wanted: Callable[[Point], bool]) -> tuple[Series, ...]:
    """Return each case that has a `wanted` point, with its points in the order of `entries`.

    Points without a value are left out, unless the case ended in an error. A backend computes no
    cost metric: these are one series whatever backend was chosen.
    """
    cases: dict[tuple[str, str, str], list[Moment]] = {}
    for entry in entries:
        for point in entry.points:
            if wanted(point) and (point.value is not None or point.status is Status.ERROR):
                backend = "" if point.metric in COST_METRICS else point.backend
                key = (point.family, point.case_id, backend)
                cases.setdefault(key, []).append(Moment(entry.info, point))
    return tuple(Series(tuple(moments)) for moments in cases.values())


def trend(case: Series) -> Trend | None:
    """Return where `case` is going; None if there are too few points, or they are too close.

    It follows from the points that compare with the newest: of its device, data, protocol, claim
    and tolerance, over all images. The slope is the median of those between any two points (Theil
    and Sen's), so that a bad night is no trend.
    """
    of = "value" if case.newest.margin is None else "margin"
    points: list[tuple[datetime, float]] = []
    question = _question(case.newest)
    for moment in case.moments:
        point, when, value = moment.point, moment.when, getattr(moment.point, of)
        is_same = point is case.newest or _question(point) == question  # first what is quick
        if point.images == point.planned and is_same:
            if when is not None and value is not None and isfinite(value):
                points.append((when, value))
    if len(points) < _FEWEST or points[-1][0] - points[0][0] < _SHORTEST:
        return None
    slope = _slope_per_week(points)
    (since, _), (newest, last) = points[0], points[-1]
    used_up = _used_up(newest, last, slope) if of == "margin" else ""
    return Trend(of, len(points), since.date().isoformat(), slope, last, used_up)


def _question(point: Point) -> tuple[object, ...]:
    """Return what must be equal for two values to be of one line."""
    digests = [point.inputs.get(name, "") for name in NEVER_COMPARABLE]
    return (point.device, point.protocol, point.claimed, point.tolerance, *digests)


def _slope_per_week(points: Sequence[tuple[datetime, float]]) -> float:
    newest = points[-_NEWEST:]
    recent = [((when - newest[0][0]) / timedelta(weeks=1), value) for when, value in newest]
    if len({value for _, value in recent}) == 1:  # most cases
        return 0.0
    slope = median(
        (value - before) / (week - earlier)
        for (earlier, before), (week, value) in combinations(recent, 2)
        if week != earlier
    )
    return slope if abs(slope) > _STEADY else 0.0


def _used_up(newest: datetime, margin: float, per_week: float) -> str:
    if margin <= 0 or per_week >= 0 or margin / -per_week > _FURTHEST_WEEKS:
        return ""
    return (newest + timedelta(weeks=margin / -per_week)).date().isoformat()
