"""Show a case over time: a table of its values, a small chart, and where the margin is going."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite

from sr_bench.core.compare import environment_changes, input_changes
from sr_bench.core.metric import metric_info
from sr_bench.core.trend import Moment, Series, Trend
from sr_bench.core.trend import trend as trend_of
from sr_bench.document.mirror import format_like
from sr_bench.document.numbers import plain_pattern
from sr_bench.report.terminal.tables import plain_table
from sr_bench.text.printable import printable

_BLOCKS = "▁▂▃▄▅▆▇█"
_CHART_WIDTH = 60
_CHANGES_SHOWN = 4
_COLUMNS = ("when (UTC)", "run", "commit", "value", "delta", "margin", "status", "changed")


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


def value_text(metric: str, value: float | None) -> str:
    """Return `value` with the metric's usual decimals; ``-`` if there is none."""
    return "-" if value is None else format_like(plain_pattern(metric), value)


def history_case(case: Series, incomplete: Collection[str]) -> HistoryCase:
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


def history_lines(case: HistoryCase, *, limit: int) -> list[str]:
    """Return the lines that show `case`: its newest `limit` values, and its trend."""
    where = f" on {case.backend} ({case.device})" if case.device else ""
    left_out = len(case.rows) - limit
    older = [f"and {left_out} older: see them with --limit {len(case.rows)}"]
    cells = [_cells(case.metric, row) for row in case.rows[-limit:]]
    return [
        printable(f"{case.family}/{case.case_id}{where}"),
        _chart(case),
        *plain_table(_COLUMNS, cells, left=(0, 1, 2, 6, 7)),
        *(older if left_out > 0 else []),
        trend_line(case.trend, case.metric, case.unit),
    ]


def _cells(metric: str, row: HistoryRow) -> list[str]:
    emulated = " (emulated)" if row.device.startswith("emulated") else ""
    partial = f" ({row.images} of {row.planned} images)" if row.images < row.planned else ""
    judged = row.value is not None and row.claimed is not None
    delta = f"{row.value - row.claimed:+.3g}" if judged else "-"  # type: ignore[operator]
    more = len(row.changed) - _CHANGES_SHOWN
    changed = ", ".join(row.changed[:_CHANGES_SHOWN])
    return [
        row.when or "-",
        row.run + ("" if row.complete else " (did not end)"),
        row.commit or "-",
        value_text(metric, row.value),
        delta,
        "-" if row.margin is None else f"{row.margin:.3g}",
        f"{row.status}{emulated}{partial}",
        changed + (f" and {more} more" if more > 0 else ""),
    ]


def _chart(case: HistoryCase) -> str:
    values = [row.value for row in case.rows if row.value is not None]
    drawn = [value for value in values if isfinite(value)][-_CHART_WIDTH:]
    if not drawn:
        return "no value that can be drawn"
    low, high = value_text(case.metric, min(drawn)), value_text(case.metric, max(drawn))
    return f"{sparkline(drawn)}  {low if low == high else f'{low} .. {high}'} {case.unit}".rstrip()


def sparkline(values: Sequence[float]) -> str:
    """Return a bar for each of `values`, all finite, from the lowest to the highest of them."""
    low, high = Fraction(min(values)), Fraction(max(values))
    if low == high:
        return _BLOCKS[len(_BLOCKS) // 2] * len(values)
    # In fractions, as the difference of two floats may be none.
    step = (high - low) / (len(_BLOCKS) - 1)
    return "".join(_BLOCKS[round((Fraction(value) - low) / step)] for value in values)


def trend_line(trend: Trend | None, metric: str, unit: str) -> str:
    """Return the sentence on where values are going; `trend` is None if that is not known."""
    if trend is None:
        return "trend: not known before 3 values that compare, over a day or more"

    def with_unit(text: str) -> str:
        return f"{text} {unit}".rstrip()

    pace = f"{with_unit(f'{trend.per_week:+.2g}')} per week" if trend.per_week else "steady"
    basis = f"{trend.points} values since {trend.since}"
    if trend.of == "value":
        return f"trend: {with_unit(value_text(metric, trend.last))}, {pace} ({basis})"
    left = with_unit(f"{abs(trend.last):.3g}")
    state = f"{left} of margin left" if trend.last >= 0 else f"{left} beyond the tolerance"
    end = f": used up about {trend.used_up}" if trend.used_up else ""
    return f"trend: {state}, {pace}{end} ({basis})"
