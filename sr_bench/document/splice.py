"""Replace the content of table cells, leaving every other byte of the document alone."""

import re
from collections.abc import Mapping

from sr_bench.document.tables import Cell, parse_document
from sr_bench.errors import DocumentError

_BARE_PIPE = re.compile(r"(?<!\\)\|")


def splice(text: str, cell: Cell, new: str) -> str:
    """Return `text` with the content of `cell` replaced by `new`.

    Raises:
        DocumentError: As `splice_cells`.
    """
    return splice_cells(text, {cell: new})


def splice_cells(text: str, edits: Mapping[Cell, str]) -> str:
    r"""Return `text` with the content of several cells, or parts of cells, replaced.

    Guarantees: nothing outside the edited spans changes, byte order mark and line ends included,
    and the result has the same tables with the same cells but for the edits.

    Args:
        text: The document's text as it was when the cells were read.
        edits: The new content of each cell: one line, blanks around it and bare pipes refused
            (write a pipe as ``\|``).

    Raises:
        DocumentError: A cell is not where it was, two edits overlap, or a new content can't
            stand in a table.
    """
    ordered = sorted(edits.items(), key=lambda edit: (edit[0].start, edit[0].end))
    pieces, position = [], 0
    for cell, new in ordered:
        _check_cell(text, cell, position)
        _check_content(cell, new)
        pieces += [text[position : cell.start], new]
        position = cell.end
    result = "".join((*pieces, text[position:]))
    _check_result(text, result, edits)
    return result


def _check_cell(text: str, cell: Cell, position: int) -> None:
    found = text[cell.start : cell.end]
    if found != cell.text:
        msg = (
            f"line {cell.line}, column {cell.column}: expected the cell to hold {cell.text!r}, got"
            f" {found!r}; the document changed since it was read: read it again"
        )
        raise DocumentError(msg)
    if cell.start < position:
        msg = f"line {cell.line}, column {cell.column}: expected one edit per cell, got two"
        raise DocumentError(msg)


def _check_content(cell: Cell, new: str) -> None:
    faults = {
        "has a line break": "\n" in new or "\r" in new,
        r"has a bare pipe (write it as \|)": _BARE_PIPE.search(new) is not None,
        "ends with a backslash": new.endswith("\\"),
        "has blanks around it": new != new.strip(),
    }
    named = [fault for fault, is_so in faults.items() if is_so]
    if named:
        msg = (
            f"line {cell.line}, column {cell.column}: expected content for one table cell, got"
            f" {new!r}, which {' and '.join(named)}"
        )
        raise DocumentError(msg)


def _check_result(before: str, after: str, edits: Mapping[Cell, str]) -> None:
    """Refuse an edit that moves cells: in a table without outer pipes an empty cell vanishes."""
    expected = [
        [_edited(cell, edits) for cell in table.cells]
        for table in parse_document(before, "").tables
    ]
    got = [[cell.text for cell in table.cells] for table in parse_document(after, "").tables]
    if got != expected:
        places = ", ".join(f"line {cell.line}, column {cell.column}" for cell in edits)
        news = ", ".join(repr(new) for new in edits.values())
        msg = f"{places}: expected an edit that keeps the table as it is, got {news}"
        raise DocumentError(msg)


def _edited(cell: Cell, edits: Mapping[Cell, str]) -> str:
    """Return what `cell` should hold after those of `edits` that lie within it."""
    text = cell.text
    inside = [edit for edit in edits if cell.start <= edit.start and edit.end <= cell.end]
    for edit in sorted(inside, key=lambda part: part.start, reverse=True):
        text = text[: edit.start - cell.start] + edits[edit] + text[edit.end - cell.start :]
    return text
