"""Show a case over time: a table of its values, a small chart, and where the margin is going."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from math import isfinite

from sr_bench.history.over_time import HistoryCase, HistoryRow, value_text
from sr_bench.report.terminal.tables import plain_table, stretches
from sr_bench.text.printable import printable

_BLOCKS = "▁▂▃▄▅▆▇█"
_CHART_WIDTH = 60
_CHANGES_SHOWN = 4
_COLUMNS = ("when (UTC)", "run", "commit", "value", "delta", "margin", "status", "changed")


def history_lines(case: HistoryCase, *, limit: int) -> list[str]:
    """Return the lines that show `case`: its newest `limit` values, and its trend."""
    where = f" on {case.backend} ({case.device})" if case.device else ""
    shown = [*_stretches(case.rows)][-limit:]
    left_out = len(case.rows) - sum(map(len, shown))
    older = [f"and {left_out} older: see them with --limit {len(case.rows)}"]
    cells = [_shown(case.metric, rows) for rows in shown]
    return [
        printable(f"{case.family}/{case.case_id}{where}"),
        _chart(case),
        *plain_table(_COLUMNS, cells, left=(0, 1, 2, 6, 7)),
        *(older if left_out > 0 else []),
        case.trend_line,
    ]


def _stretches(rows: Sequence[HistoryRow]) -> Iterator[Sequence[HistoryRow]]:
    """Yield each row alone, but together those that say what the row before said."""
    return stretches(rows, [False, *(_repeats(before, row) for before, row in pairwise(rows))])


def _repeats(before: HistoryRow, row: HistoryRow) -> bool:
    said = ((each.value, each.status, each.images, each.planned) for each in (before, row))
    return len({*said}) == 1 and row.complete and not row.changed


def _shown(metric: str, rows: Sequence[HistoryRow]) -> list[str]:
    alike = ["...", f"{len(rows)} runs alike", *[""] * (len(_COLUMNS) - 2)]
    return _cells(metric, rows[0]) if len(rows) == 1 else alike


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
