"""What the tables of reStructuredText share: their rows, and cells of several lines."""

from collections.abc import Iterable, Sequence

from sr_bench.document.cell import Cell, Places
from sr_bench.document.grids import Grid, Row, headed
from sr_bench.document.spelling import has_number


def stacked(places: Places, spans: Iterable[tuple[int, int]]) -> Cell:
    """Return the cell that stands on the lines at `spans`, offsets from above.

    Its text is the line that prints its number, or else the first that is not blank.
    """
    lines = [places.cell(start, end, "rst") for start, end in spans]
    filled = [cell for cell in lines if cell.text]
    if len(filled) < 2:
        return filled[0] if filled else lines[0]
    numbers = [cell for cell in filled if has_number(cell.text)]
    best = numbers[0] if len(numbers) == 1 else filled[0]
    whole = " ".join(cell.text for cell in filled)
    return Cell(best.text, best.line, best.column, best.start, best.end, "rst", whole)


def grid_of(rows: Sequence[tuple[int, Row]], marked: int, *, line: int, last_line: int) -> Grid:
    """Return the table of `rows`, each with its 1-based line; `marked` of them are headers."""
    count = headed([row for _, row in rows], marked)
    return Grid(
        headers=tuple(row for _, row in rows[:count]),
        rows=tuple(row for _, row in rows[count:]),
        line=line,
        last_line=last_line,
        row_lines=tuple(number for number, _ in rows[count:]),
        dialect="rst",
    )
