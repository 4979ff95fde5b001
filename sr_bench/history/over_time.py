"""A case over time, as every output shows it: its values, what changed, and where they go."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from sr_bench.core.compare import Change, environment_changes, input_changes
from sr_bench.core.fields import narrowed
from sr_bench.core.history import Point, SessionInfo
from sr_bench.core.metric import metric_info, with_unit
from sr_bench.core.trend import Moment, Series, Trend
from sr_bench.core.trend import trend as trend_of
from sr_bench.document.mirror import format_like
from sr_bench.document.numbers import plain_pattern


@dataclass(frozen=True)
class HistoryRow:
    """One value of a case, as it is shown; values are in the metric's unit."""

    run: str
    when: str
    """UTC, to the minute; empty if not known."""
    commit: str
    complete: bool
    """Whether the run ended."""
    device: str
    value: float | None
    claimed: float | None
    tolerance: float | None
    margin: float | None
    status: str
    images: int
    planned: int
    changed: tuple[str, ...]
    """What differs from the value before; empty for the first."""


@dataclass(frozen=True)
class Since:
    """Since when a case has ended as it does now."""

    first: SessionInfo
    """The run from which on it has."""
    before: Moment | None
    """The newest value that ended otherwise; None as far back as history goes."""
    changed: tuple[Change, ...]
    """What differs between the two; none without `before`."""


@dataclass(frozen=True)
class HistoryCase:
    """One case over time; all but `trend` and `rows` is of its newest value."""

    case_id: str
    family: str
    model: str
    metric: str
    unit: str
    precision: str
    dataset: str
    backend: str
    device: str
    trend: Trend | None
    """None if it is not known."""
    rows: tuple[HistoryRow, ...]
    """Oldest first."""

    @property
    def label(self) -> str:
        """What the case is of, in a line."""
        where = f" on {self.dataset}" if self.dataset else ""
        device = ", ".join(name for name in (self.backend, self.device) if name)
        return f"{self.metric} {self.precision}{where} ({device}): {self.case_id}"

    @property
    def trend_line(self) -> str:
        """Where its values are going, in a sentence; it may be that this is not known."""
        trend, metric = self.trend, self.metric
        if trend is None:
            return "trend: not known before 3 values that compare, over a day or more"
        slope = with_unit(f"{trend.per_week:+.2g}", metric)
        pace = f"{slope} per week" if trend.per_week else "steady"
        basis = f"{trend.points} values since {trend.since}"
        if trend.of == "value":
            return f"trend: {with_unit(value_text(metric, trend.last), metric)}, {pace} ({basis})"
        left = with_unit(f"{abs(trend.last):.3g}", metric)
        state = f"{left} of margin left" if trend.last >= 0 else f"{left} beyond the tolerance"
        end = f": used up about {trend.used_up}" if trend.used_up else ""
        return f"trend: {state}, {pace}{end} ({basis})"


def history_case(case: Series, incomplete: Collection[str] = ()) -> HistoryCase:
    """Return what is shown of `case`; runs in `incomplete` did not end."""
    rows = tuple(
        history_row(moment, before, complete=moment.info.run not in incomplete)
        for before, moment in pairwise((None, *case.moments))
        if moment
    )
    return replace(without_rows(case), rows=rows)


def without_rows(case: Series) -> HistoryCase:
    """Return what is shown of `case` besides its values."""
    unit = metric_info(case.newest.metric).unit
    return narrowed(HistoryCase, case.newest, unit=unit, trend=trend_of(case), rows=())


def history_row(moment: Moment, before: Moment | None, *, complete: bool = True) -> HistoryRow:
    """Return what is shown of `moment`, whose run ended if `complete`; `before` is the last one."""
    when = moment.when
    return narrowed(
        HistoryRow,
        moment.point,
        run=moment.info.run,
        when=when.strftime("%Y-%m-%d %H:%M") if when else "",
        commit=moment.info.environment.commit,
        complete=complete,
        changed=tuple(change.brief for change in changes(before, moment)) if before else (),
    )


def since(case: Series) -> Since:
    """Return since when `case` has ended as its newest value did, and what changed then."""
    earlier, first = None, case.moments[-1]
    for moment in reversed(case.moments):
        if moment.point.status is not case.newest.status:
            earlier = moment
            break
        first = moment
    return Since(first.info, earlier, changes(earlier, first) if earlier else ())


def changes(before: Moment, now: Moment) -> tuple[Change, ...]:
    """Return what may have moved the value, or what it is judged by: inputs first."""
    old, new = before.point, now.point
    environment = environment_changes(before.info.environment, now.info.environment)
    if old is new:  # as read of a night that measured the same
        return environment
    inputs = input_changes(old.inputs, new.inputs)
    names = {change.name for change in inputs}
    facts = (
        Change("device", old.device or "none", new.device or "none"),
        Change("protocol", old.protocol or "none", new.protocol or "none"),
        Change("claimed", _claimed(old), _claimed(new)),
        *environment,
    )
    differ = (change for change in facts if change.before != change.now)
    return (*inputs, *(change for change in differ if change.name not in names))


def _claimed(point: Point) -> str:
    return "none" if point.claimed is None else f"{Decimal(repr(point.claimed)):f}"


def value_text(metric: str, value: float | None) -> str:
    """Return `value` with the metric's usual decimals; ``-`` if there is none."""
    return "-" if value is None else format_like(plain_pattern(metric), value)
