"""Replace the content of cells in a document, and see that nothing else of its tables changed."""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Final

from sr_bench.document.cell import Cell
from sr_bench.document.dialects import rst_fit, yaml_files
from sr_bench.document.tables import Document, parse_document
from sr_bench.errors import DocumentError

_BARE_PIPE: Final = re.compile(r"(?<!\\)\|")
_Edit = tuple[int, int, str]


def splice_cells(document: Document, edits: Mapping[Cell, str]) -> str:
    """Return the text of `document` with the content of cells, or parts of cells, replaced.

    Guarantees beside those of `spliced`: the result has the same tables with the same cells but
    for the edits.

    Raises:
        DocumentError: As of `spliced`, or a new content can't stand in the table.
    """
    result = spliced(document, edits)
    _check_result(document, result, sorted(edits.items(), key=_place_of))
    return result


def spliced(document: Document, edits: Mapping[Cell, str]) -> str:
    r"""Return the text of `document` with the content of cells, or parts of cells, replaced.

    Guarantees: nothing outside the edited spans changes, byte order mark and line ends included.
    Only where a table is drawn with characters (reStructuredText), blanks beside a number give way
    to longer ones, and tabs to blanks; if there are too few the column is drawn wider.

    A new content is one line without blanks around it or a bare pipe (write it as ``\|``).

    Raises:
        DocumentError: A cell is not where it was, two edits overlap, or a new content is none of
            one cell.
    """
    ordered = sorted(edits.items(), key=_place_of)
    spans: list[_Edit] = []
    position = 0
    for cell, new in ordered:
        _check_cell(document, cell, position)
        _check_content(document, cell, new)
        position = cell.end
        if cell.markup == "verbatim":
            new = yaml_files.scalar(document.text, cell, new)
        spans.append((cell.start, cell.end, new))
    return _replaced(document.text, rst_fit.fitted(document.text, document.grids, spans))


def _place_of(edit: tuple[Cell, str]) -> tuple[int, int]:
    return edit[0].start, edit[0].end


def _replaced(text: str, spans: Sequence[_Edit]) -> str:
    pieces, position = [], 0
    for start, end, new in spans:
        pieces += [text[position:start], new]
        position = end
    return "".join((*pieces, text[position:]))


def _check_cell(document: Document, cell: Cell, position: int) -> None:
    present = document.text[cell.start : cell.end]
    if present != cell.text:
        msg = (
            f"{document.source(cell)}: expected the cell to hold {cell.text!r}, got"
            f" {present!r}; the document changed since it was read: read it again"
        )
        raise DocumentError(msg)
    if cell.start < position:
        msg = f"{document.source(cell)}: expected one edit per cell, got two"
        raise DocumentError(msg)


def _check_content(document: Document, cell: Cell, new: str) -> None:
    faults = {
        "has a line break": "\n" in new or "\r" in new,
        r"has a bare pipe (write it as \|)": _BARE_PIPE.search(new) is not None,
        "ends with a backslash": new.endswith("\\"),  # it would escape the pipe behind it
        "has blanks around it": new != new.strip(),
    }
    if named := [fault for fault, is_so in faults.items() if is_so]:
        msg = (
            f"{document.source(cell)}: expected content for one table cell, got"
            f" {new!r}, which {' and '.join(named)}"
        )
        raise DocumentError(msg)


def _check_result(document: Document, after: str, edits: Sequence[tuple[Cell, str]]) -> None:
    """Refuse an edit that moves cells: in a table without outer pipes an empty cell vanishes."""
    starts = [cell.start for cell, _ in edits]
    expected = [
        (grid.shapeless, [_edited(cell, edits, starts) for cell in grid.cells])
        for grid in document.grids
    ]
    try:
        grids = parse_document(after, document.path).grids
    except DocumentError:
        grids = ()
    if [(grid.shapeless, [cell.text for cell in grid.cells]) for grid in grids] != expected:
        places = ", ".join(str(document.source(cell)) for cell, _ in edits)
        news = ", ".join(repr(new) for _, new in edits)
        msg = (
            f"{places}: expected an edit that keeps the table as it is, got {news}; make it by hand"
        )
        raise DocumentError(msg)


def _edited(cell: Cell, edits: Sequence[tuple[Cell, str]], starts: Sequence[int]) -> str:
    """Return what `cell` should hold after those of `edits`, by their `starts`, within it."""
    text = cell.text
    within = slice(bisect_left(starts, cell.start), bisect_left(starts, cell.end + 1))
    for edit, new in reversed(edits[within]):  # so that the offsets of the others stay right
        if edit.end <= cell.end:
            text = text[: edit.start - cell.start] + new + text[edit.end - cell.start :]
    return text
