"""A ``[[table]]`` to paste into a card, with the reader's guesses and ``?`` for what it can't."""

from collections.abc import Iterator
from typing import Final

from sr_bench.document.columns import Column
from sr_bench.document.dimensions import Dimensions, Measure
from sr_bench.document.layout import Layout
from sr_bench.document.told import place
from sr_bench.text import toml

_MOST: Final = 30
"""Columns that are spelled out."""


def draft(layout: Layout) -> str:
    """Return the table of a card that would tell what `layout` can't, a line for each column."""
    return "\n".join(f"    {line}" for line in _lines(layout))


def _lines(layout: Layout) -> Iterator[str]:
    grid = layout.grid
    yield "[[table]]"
    yield f"header = {toml.value(grid.title)}" if grid.title else f"line = {grid.line}"
    if layout.model_column is None and not any(c.says.model for c in layout.columns):
        yield f"model = {toml.value(layout.says.model or '?')}"
    numbers = (column for column in layout.columns if column.role == "number")
    if "metric" not in layout.roles and any(not column.says.measures for column in numbers):
        around = "/".join(map(_measure, layout.says.measures))
        yield f"metric = {toml.value(around or '?')}"
    named = dict(_named(layout))
    if named:
        yield "[table.columns]"
    for header, column in list(named.items())[:_MOST]:
        # In a table that is read, what says nothing holds no number.
        said = "remark" if column.role == "unknown" and layout.is_read else _spelled(column)
        yield f"{toml.value(header)} = {toml.value('?' if column.fault else said)}"
    if len(named) > _MOST:
        yield f"# and {len(named) - _MOST} more"


def _named(layout: Layout) -> Iterator[tuple[str, Column]]:
    """Yield each column by its header, or by its place where that is blank or not its own."""
    width = max(map(len, layout.body.rows), default=0)
    columns = layout.columns or (Column("", "unknown"),) * width
    headers = [column.header for column in columns]
    for number, column in enumerate(columns, 1):
        if column.header and headers.count(column.header) == 1:
            yield column.header, column
        elif not (layout.is_read and column.role == "unknown" and not column.fault):
            yield place(number), column


def _spelled(column: Column) -> str:
    """Return what a column means as a card spells it, with ``?`` where the reader can't tell."""
    if column.role == "unknown":
        return "?"
    if column.role != "number":
        return column.role
    if column.says.model:
        return f"model: {column.says.model}"
    measures = "/".join(map(_measure, column.says.measures))
    about = _about(column.says)
    return f"{measures} @ {about}".strip() if about else measures or "value"


def _measure(measure: Measure) -> str:
    return f"{measure.metric} [{measure.unit}]" if measure.unit else measure.metric


def _about(says: Dimensions) -> str:
    scale = f"x{says.scale}" if says.scale else ""
    precision = str(says.precision).replace("_", " ") if says.precision else ""
    return " ".join(filter(None, (says.dataset, scale, precision, says.backend, says.device)))
