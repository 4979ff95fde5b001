"""Rows that stack several results in each cell: ``x2<br>x3`` beside ``33.64<br>30.39``."""

import re
from collections.abc import Sequence
from typing import Final

from sr_bench.document.cell import BREAK, Cell
from sr_bench.document.columns import Column
from sr_bench.document.labelled_parts import labelled_parts
from sr_bench.document.lexicon import NOTHING
from sr_bench.document.spelling import has_digit

_BREAK: Final = re.compile(rf"\s{{0,9}}{BREAK}\s{{0,9}}", re.IGNORECASE)
_LABELS: Final = ("model", "scale", "dataset", "precision", "shape", "device")


def unstacked(columns: Sequence[Column], cells: tuple[Cell, ...]) -> tuple[tuple[Cell, ...], ...]:
    """Return the rows that the row `cells` stacks, itself alone if it stacks none.

    It does where a label has as many lines as the numbers beside it; what has but one line holds
    for each of them, as a cell that spans rows does.
    """
    if len(cells) != len(columns) or not any("<" in cell.text for cell in cells):
        return (cells,)
    stacks = [(cell,) if cell.whole else cell.split(_BREAK) for cell in cells]
    pairs = list(zip(columns, stacks, strict=True))
    labels = {len(lines) for column, lines in pairs if column.role in _LABELS} - {1}
    numbers = [lines for column, lines in pairs if column.holds_numbers and len(lines) > 1]
    if not numbers or {len(lines) for lines in numbers} != labels:
        return (cells,)
    if not all(map(_is_numbers, numbers)) or any(map(_tells_itself, columns, cells)):
        return (cells,)
    (height,) = labels
    return tuple(
        tuple(lines[n] if len(lines) == height else lines[0] for lines in stacks)
        for n in range(height)
    )


def _is_numbers(lines: Sequence[Cell]) -> bool:
    return all(has_digit(one.text) or one.plain.lower() in NOTHING for one in lines)


def _tells_itself(column: Column, cell: Cell) -> bool:
    """Tell whether a cell says in itself what each of its numbers is about."""
    return column.holds_numbers and bool(labelled_parts(cell))
