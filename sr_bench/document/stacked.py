"""Rows that stack several results in each cell: ``x2<br>x3`` beside ``33.64<br>30.39``.

Slashes may part them too: ``Set5/Set14`` beside ``33.64/30.22``.
"""

import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from sr_bench.document.cell import BREAK, Cell
from sr_bench.document.columns import Column
from sr_bench.document.lexicon import NOTHING
from sr_bench.document.numbers_in_cells import labelled_parts, prints_pair
from sr_bench.document.spelling import has_digit

_BREAK: Final = re.compile(rf"\s{{0,9}}{BREAK}\s{{0,9}}", re.IGNORECASE)
_SLASH: Final = re.compile(r"\s{0,9}/\s{0,9}(?!A\b)")  # but N/A
_LABELS: Final = MappingProxyType(
    {
        _BREAK: ("model", "scale", "dataset", "precision", "shape", "device"),
        _SLASH: ("scale", "dataset", "precision", "remark"),
    }
)
"""Roles of columns whose lines are labels, by what parts them."""


def unstacked(columns: Sequence[Column], cells: tuple[Cell, ...]) -> tuple[tuple[Cell, ...], ...]:
    """Return the rows that the row `cells` stacks, itself alone if it stacks none.

    It does where a label has as many lines as the numbers beside it; what has but one line holds
    for each of them, as a cell that spans rows does.
    """
    if len(cells) != len(columns) or not (mark := _mark(columns, cells)):
        return (cells,)
    labels, numbers = set(), []
    stacks = [_lines(cell, mark) for cell in cells]
    for column, lines in zip(columns, stacks, strict=True):
        if column.holds_numbers and len(lines) > 1:
            numbers.append(lines)
        elif column.role in _LABELS[mark]:
            labels.add(len(lines))
    heights = {len(lines) for lines in numbers}
    # A slash may be part of a label: INT8/ACT16.
    fit = heights <= labels if mark is _SLASH else heights == labels - {1}
    if len(heights) != 1 or not fit:
        return (cells,)
    if not all(map(_is_numbers, numbers)) or any(map(_tells_itself, columns, cells)):
        return (cells,)
    height = len(numbers[0])
    return tuple(
        tuple(
            lines[n] if len(lines) == height else cell
            for cell, lines in zip(cells, stacks, strict=True)
        )
        for n in range(height)
    )


def _mark(columns: Sequence[Column], cells: Sequence[Cell]) -> re.Pattern[str] | None:
    """Return what parts the lines of a row's cells; None if nothing does."""
    if any("<" in cell.text for cell in cells):
        return _BREAK
    if not any(
        "/" in cell.text and column.holds_numbers
        for column, cell in zip(columns, cells, strict=True)
    ):
        return None
    stacked = False
    for column, cell in zip(columns, cells, strict=True):
        if "/" not in cell.text:
            continue
        if column.holds_numbers and (len(column.says.measures) > 1 or prints_pair(cell)):
            return None  # PSNR/SSIM
        stacked = stacked or column.role in _LABELS[_SLASH]
    return _SLASH if stacked else None


def _lines(cell: Cell, mark: re.Pattern[str]) -> tuple[Cell, ...]:
    is_one = cell.whole or (mark is _SLASH and "](" in cell.text)
    return (cell,) if is_one else tuple(cell.split(mark))


def _is_numbers(lines: Sequence[Cell]) -> bool:
    return all(has_digit(one.text) or one.plain.lower() in NOTHING for one in lines)


def _tells_itself(column: Column, cell: Cell) -> bool:
    """Tell whether a cell says in itself what each of its numbers is about."""
    return column.holds_numbers and bool(labelled_parts(cell))
