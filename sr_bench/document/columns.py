"""Know a model-info table by its header, and read the number that a metric cell holds."""

import re
from types import MappingProxyType
from typing import Final

from sr_bench.core.metric import metric_headers
from sr_bench.document.inline import plain
from sr_bench.document.tables import Cell, Document, PipeTable
from sr_bench.errors import DocumentError

_OTHERS: Final = MappingProxyType(
    {
        "models": "model",
        "model": "model",
        "source": "source",
        "codesource": "source",
        "dataset": "dataset",
        "shape": "shape",
        "size": "shape",
    }
)
_FULL_WIDTH: Final = str.maketrans("（）", "()")  # noqa: RUF001 - what Chinese input methods type
_NUMBER: Final = re.compile(
    r"[*_`\[]*(?P<number>-?[0-9]+(?:\.[0-9]+)?)[*_`]*(?:\]\([^()]*\)[*_`]*)?"
)


def read_columns(document: Document, table: PipeTable) -> tuple[str, ...]:
    """Return the name of each column: ``model``, a metric, ``source``, ``dataset``, ``shape``.

    A column of another kind keeps its header as its name, without markup.

    Raises:
        DocumentError: Two columns have the same of these meanings.
    """
    names = tuple(_name(cell) for cell in table.header)
    for index, name in enumerate(names):
        first = names.index(name)
        if first != index and name in {*metric_headers().values(), *_OTHERS.values()}:
            msg = (
                f"{document.source(table.header[index])}: expected one {name} column, got"
                f" {table.header[index].plain!r} beside {table.header[first].plain!r}"
            )
            raise DocumentError(msg)
    return names


def is_model_info(table: PipeTable) -> bool:
    """Whether `table` has a model column and at least one metric column."""
    return all(_kinds(table))


def lost_its_shape(table: PipeTable) -> bool:
    """Whether `table`, known to be broken, was meant as a model-info table."""
    return any(_kinds(table))


def _kinds(table: PipeTable) -> tuple[bool, bool]:
    names = {_name(cell) for cell in table.header}
    return "model" in names, not names.isdisjoint(metric_headers().values())


def read_number(document: Document, cell: Cell) -> Cell | None:
    """Return the part of a metric cell that is its number; None if it holds none.

    Emphasis, code marks and a link around the number are left out. Content without any digit
    (``-``, ``N/A``, ``multi-shape``) is no number.

    Raises:
        DocumentError: The cell has a digit but is not one plain number: ``3O.1``, ``32.1 dB``.
    """
    match = _NUMBER.fullmatch(cell.text)
    # The pattern takes marks without a partner too, as in **32.1: a reader sees those.
    if match and plain(cell.text) == match["number"]:
        return cell.part(*match.span("number"))
    if any(character.isdigit() for character in cell.text):
        msg = (
            f"{document.source(cell)}: expected a plain number such as 32.785, or '-' for none, got"
            f" {cell.text!r}; units belong in the header and remarks below the table"
        )
        raise DocumentError(msg)
    return None


def _name(cell: Cell) -> str:
    key = "".join(cell.plain.split()).lower().translate(_FULL_WIDTH)
    return metric_headers().get(key) or _OTHERS.get(key) or cell.plain
