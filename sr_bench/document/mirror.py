"""Put other numbers into a document's tables, leaving every other byte alone."""

import math
import re
from collections.abc import Mapping
from decimal import ROUND_DOWN, Context, Decimal
from typing import Literal

from sr_bench.core.claim import Source
from sr_bench.document.cell import Cell
from sr_bench.document.cells import metric_cells
from sr_bench.document.claims import read_model_tables
from sr_bench.document.tables import Document, parse_document
from sr_bench.errors import DocumentError

_BARE_PIPE = re.compile(r"(?<!\\)\|")
_LINE_END = re.compile(r"(\r\n?|\n)")  # in a group, so that split keeps the ends


def replace_numbers(document: Document, values: Mapping[Source, str]) -> str:
    """Return the document's text with the numbers at `values` replaced, and nothing else.

    `values` has new texts by the place of a claim, or of a metric cell without a number.

    Raises:
        DocumentError: There is no metric cell at a place, or a text can't stand in a cell.
    """
    targets = {place.source: place.cell for place in metric_cells(document)}
    if unknown := [str(source) for source in values if source not in targets]:
        msg = f"expected places of numbers in {document.path}, got {', '.join(unknown)}"
        raise DocumentError(msg)
    edits = {targets[source]: text for source, text in values.items()}
    return splice_cells(document, edits)


def mirror(document: Document, values: Mapping[Source, str]) -> str:
    """Return the model-info tables of `document` with the numbers at `values` replaced.

    With the document's own numbers the result is byte for byte what the document prints, line
    ends included; tables are parted by an empty line, the last line has no line end. Raises as
    `replace_numbers`.
    """
    text = replace_numbers(document, values)
    # A replaced number adds no line, so the tables are still where they were.
    pieces = _LINE_END.split(text.removeprefix("\ufeff"))
    grids = [table.table for table in read_model_tables(document)]
    # Several tables of HTML or YAML may share lines.
    spans = dict.fromkeys((grid.line, grid.last_line) for grid in grids)
    return "\n\n".join("".join(pieces[2 * (a - 1) : 2 * b - 1]) for a, b in spans)


def format_like(
    claim_text: str, value: float, *, digits: Literal["rounded", "truncated"] = "rounded"
) -> str:
    """Return `value`, which may be infinite, with as many decimals as `claim_text` prints.

    Digits that do not fit are rounded or cut off, as `digits` says.

    Raises:
        DocumentError: `value` is NaN.

    >>> format_like("0.297", 0.297723, digits="truncated")
    '0.297'
    >>> format_like("0.7740", 0.77404)
    '0.7740'
    """
    if math.isnan(value):
        msg = f"expected a number to print like {claim_text}, got NaN"
        raise DocumentError(msg)
    step = Decimal(1).scaleb(int(Decimal(claim_text).as_tuple().exponent))
    decimals = max(0, -int(step.adjusted()))
    if digits == "truncated" and math.isfinite(value):
        # repr, not the exact binary value: 0.297 is stored below 0.297 and would become 0.296.
        # As many digits as a float and its claim may have together; the default of 28 is too few.
        exact = Context(prec=400 + decimals)
        value = float(Decimal(repr(value)).quantize(step, ROUND_DOWN, exact))
    return f"{value:z.{decimals}f}"  # z: no minus sign for what prints as 0


def splice_cells(document: Document, edits: Mapping[Cell, str]) -> str:
    r"""Return the text of `document` with the content of cells, or parts of cells, replaced.

    Guarantees: nothing outside the edited spans changes, byte order mark and line ends included,
    and the result has the same tables with the same cells but for the edits.

    A new content is one line without blanks around it or a bare pipe (write it as ``\|``).

    Raises:
        DocumentError: A cell is not where it was, two edits overlap, or a new content can't
            stand in a table.
    """
    ordered = sorted(edits.items(), key=lambda edit: (edit[0].start, edit[0].end))
    text, pieces, position = document.text, [], 0
    for cell, new in ordered:
        _check_cell(text, cell, position)
        _check_content(cell, new)
        pieces += [text[position : cell.start], new]
        position = cell.end
    result = "".join((*pieces, text[position:]))
    _check_result(document, result, edits)
    return result


def _check_cell(text: str, cell: Cell, position: int) -> None:
    present = text[cell.start : cell.end]
    if present != cell.text:
        msg = (
            f"line {cell.line}, column {cell.column}: expected the cell to hold {cell.text!r}, got"
            f" {present!r}; the document changed since it was read: read it again"
        )
        raise DocumentError(msg)
    if cell.start < position:
        msg = f"line {cell.line}, column {cell.column}: expected one edit per cell, got two"
        raise DocumentError(msg)


def _check_content(cell: Cell, new: str) -> None:
    faults = {
        "has a line break": "\n" in new or "\r" in new,
        r"has a bare pipe (write it as \|)": _BARE_PIPE.search(new) is not None,
        "ends with a backslash": new.endswith("\\"),  # it would escape the pipe behind it
        "has blanks around it": new != new.strip(),
    }
    if named := [fault for fault, is_so in faults.items() if is_so]:
        msg = (
            f"line {cell.line}, column {cell.column}: expected content for one table cell, got"
            f" {new!r}, which {' and '.join(named)}"
        )
        raise DocumentError(msg)


def _check_result(before: Document, after: str, edits: Mapping[Cell, str]) -> None:
    """Refuse an edit that moves cells: in a table without outer pipes an empty cell vanishes."""
    expected = [[_edited(cell, edits) for cell in grid.cells] for grid in before.grids]
    got = [[cell.text for cell in grid.cells] for grid in parse_document(after, before.path).grids]
    if got != expected:
        places = ", ".join(f"line {cell.line}, column {cell.column}" for cell in edits)
        news = ", ".join(repr(new) for new in edits.values())
        msg = f"{places}: expected an edit that keeps the table as it is, got {news}"
        raise DocumentError(msg)


def _edited(cell: Cell, edits: Mapping[Cell, str]) -> str:
    """Return what `cell` should hold after those of `edits` that lie within it."""
    text = cell.text
    inside = [edit for edit in edits if cell.start <= edit.start and edit.end <= cell.end]
    # From the end, so that the offsets of the others stay right.
    for edit in sorted(inside, key=lambda part: part.start, reverse=True):
        text = text[: edit.start - cell.start] + edits[edit] + text[edit.end - cell.start :]
    return text
