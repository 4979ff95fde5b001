"""A case over time, as every output shows it: its values, what changed, and where they go."""

from collections.abc import Collection
from dataclasses import dataclass

from sr_bench.core.compare import environment_changes, input_changes
from sr_bench.core.metric import metric_info, with_unit
from sr_bench.core.trend import Moment, Series, Trend
from sr_bench.core.trend import trend as trend_of
from sr_bench.document.mirror import format_like
from sr_bench.document.numbers import plain_pattern

_OF_A_CASE = ("case_id", "family", "model", "metric", "precision", "dataset", "backend", "device")
_OF_A_ROW = ("device", "value", "claimed", "tolerance", "margin", "status", "images", "planned")
"""What a row and a case hold as the point of a history has it."""


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
        """Where its values are going, in a sentence."""
        return _trend_line(self.trend, self.metric)


def history_case(case: Series, incomplete: Collection[str] = ()) -> HistoryCase:
    """Return what is shown of `case`; runs in `incomplete` did not end."""
    rows, before, newest = [], None, case.newest
    for moment in case.moments:
        rows.append(_row(moment, before, moment.info.run not in incomplete))
        before = moment
    same = {name: getattr(newest, name) for name in _OF_A_CASE}
    unit = metric_info(newest.metric).unit
    return HistoryCase(**same, unit=unit, trend=trend_of(case), rows=tuple(rows))


def _row(moment: Moment, before: Moment | None, complete: bool) -> HistoryRow:
    point, when = moment.point, moment.when
    return HistoryRow(
        run=moment.info.run,
        when=when.strftime("%Y-%m-%d %H:%M") if when else "",
        commit=moment.info.environment.commit,
        complete=complete,
        changed=_changed(before, moment) if before else (),
        **{name: getattr(point, name) for name in _OF_A_ROW},
    )


def _changed(before: Moment, now: Moment) -> tuple[str, ...]:
    """Return what may have moved the value: inputs by name, all else with what it was."""
    old, new = before.point, now.point
    inputs = [change.name for change in input_changes(old.inputs, new.inputs)]
    named = [
        f"{name} {getattr(old, name) or 'none'} -> {getattr(new, name) or 'none'}"
        for name in ("device", "protocol", "claimed")
        if name not in inputs and getattr(old, name) != getattr(new, name)
    ]
    environment = environment_changes(before.info.environment, now.info.environment)
    return (*inputs, *named, *(str(change) for change in environment if change.name not in inputs))


def value_text(metric: str, value: float | None) -> str:
    """Return `value` with the metric's usual decimals; ``-`` if there is none."""
    return "-" if value is None else format_like(plain_pattern(metric), value)


def _trend_line(trend: Trend | None, metric: str) -> str:
    """Return the sentence on where values are going; `trend` is None if that is not known."""
    if trend is None:
        return "trend: not known before 3 values that compare, over a day or more"
    pace = f"{with_unit(f'{trend.per_week:+.2g}', metric)} per week" if trend.per_week else "steady"
    basis = f"{trend.points} values since {trend.since}"
    if trend.of == "value":
        return f"trend: {with_unit(value_text(metric, trend.last), metric)}, {pace} ({basis})"
    left = with_unit(f"{abs(trend.last):.3g}", metric)
    state = f"{left} of margin left" if trend.last >= 0 else f"{left} beyond the tolerance"
    end = f": used up about {trend.used_up}" if trend.used_up else ""
    return f"trend: {state}, {pace}{end} ({basis})"
