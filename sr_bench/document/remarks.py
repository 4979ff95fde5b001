"""What the cells of a row say beside its numbers, which may tell it from others."""

from collections.abc import Iterator, Sequence
from typing import Final

from sr_bench.document.cell import Cell
from sr_bench.document.columns import Column
from sr_bench.document.lexicon import NOTHING
from sr_bench.document.meanings import precision_word
from sr_bench.document.phrases import read_phrase

_MARKS: Final = frozenset("√✓✔☑✅●")
_SHAPE: Final = "\ufe0f"  # of the sign before it


def value_of(cell: Cell) -> str:
    """Return the text of a cell; empty for a dash."""
    text = cell.plain
    return "" if text.lower() in NOTHING else text


def remarks_of(columns: Sequence[Column], cells: Sequence[Cell]) -> Iterator[str]:
    """Yield what is in columns of remarks, and what a row's metric is called beside its name.

    A check mark says that the row has what its column is of.
    """
    for column, cell in zip(columns, cells, strict=True):
        if column.role in ("remark", "unknown") and not column.fault:
            text = value_of(cell)
            yield column.header if text.removesuffix(_SHAPE) in _MARKS else text
        elif column.role == "precision":
            yield "" if precision_word(cell.plain) else value_of(cell)
        elif column.role == "metric" and (said := read_phrase(cell.plain)).measures:
            yield said.rest
