"""What the columns of a table are: by their headers, in one row or several."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, zip_longest
from typing import Final

from sr_bench.document.cell import Cell
from sr_bench.document.dimensions import Dimensions
from sr_bench.document.grids import Grid
from sr_bench.document.phrases import column_role, read_phrase
from sr_bench.document.printed_numbers import read_numbers
from sr_bench.document.spelling import has_number

IDENTITIES: Final = ("source", "dataset", "scale", "shape", "precision", "device", "runtime")
"""Roles of columns that tell rows apart."""


@dataclass(frozen=True)
class Column:
    """What one column of a table holds."""

    header: str
    """As a reader sees it, rows of headers from above in one line."""
    role: str
    """``model``, one of `IDENTITIES`, ``metric`` (its cells name one), ``number``, ``remark``; or
    ``unknown``."""
    says: Dimensions = field(default_factory=Dimensions)
    """What the header says of the numbers below."""
    fault: str = ""
    """Why no number of the column can be claimed."""
    ignored: str = ""
    """Why the card leaves its numbers out."""
    told: bool = False
    """Whether the card says what it is."""

    @cached_property
    def about(self) -> Dimensions:
        """What the header says beside the metrics."""
        return self.says._replace(measures=(), rest="")

    @property
    def holds_numbers(self) -> bool:
        """Whether a number below it is a result."""
        return self.role == "number" and not (self.fault or self.ignored)


@dataclass(frozen=True)
class Below:
    """The texts of one column that are not blank; read as far as they are asked for."""

    cells: Sequence[Cell]
    """Blanks too."""

    def __iter__(self) -> Iterator[str]:
        return filter(None, (cell.plain for cell in self.cells))


def body_of(grid: Grid) -> Grid:
    """Return `grid` with a first row of mere headers among the headers.

    Of tables side by side, whose headers are the same, the rows come one table after the other.
    """
    if len(grid.headers) <= 1 and grid.rows and grid.rows[0] and _is_header(grid):
        headers = (*grid.headers, grid.rows[0])
        grid = replace(grid, headers=headers, rows=grid.rows[1:], row_lines=grid.row_lines[1:])
    width = len(grid.header)
    if not width or any(len(row) != width for row in (*grid.headers, *grid.rows)):
        return grid
    stacks = [[cell.plain for cell in one] for one in zip(*grid.headers, strict=True)]
    one = width // stacks.count(stacks[0]) if any(stacks[0]) else width
    if one in (1, width) or stacks != stacks[:one] * (width // one):
        return grid
    lined = list(zip(grid.row_lines, grid.rows, strict=True))
    pairs = [(n, row[cut : cut + one]) for cut in range(0, width, one) for n, row in lined]
    filled = [(n, row) for n, row in pairs if any(cell.text for cell in row)]
    return replace(
        grid,
        headers=tuple(row[:one] for row in grid.headers),
        rows=tuple(row for _, row in filled),
        row_lines=tuple(n for n, _ in filled),
    )


def _is_header(grid: Grid) -> bool:
    """Tell whether the first row names metrics, precisions and the like, and prints no number."""
    above = grid.header
    if not above and _is_unlike(grid.rows[0], grid.rows[1:]):
        return True
    first, *others = grid.rows[0]
    texts = [cell.plain for cell in others if cell.plain]
    if not texts or (above and len(grid.rows[0]) != len(above)):
        return False
    # The label of a row is neither blank, nor the header above once more.
    if above and first.plain and first.plain != above[0].plain:
        sheet = len(above) == 2  # of labels and values: "Source | code" is no header
        measures = len(texts) > 1 and all(read_phrase(text).measures for text in texts)
        if sheet or (column_role(first.plain) == "unknown" and not measures):
            return False
    said = [_says_something(text) for text in texts]
    return 2 * sum(said) >= len(texts) and not any(
        has_number(text) for text, says in zip(texts, said, strict=True) if not says
    )


def _is_unlike(first: Sequence[Cell], others: Sequence[Sequence[Cell]]) -> bool:
    """Tell whether a row without a label prints no number where each other one does: ``n=10``."""
    labels, *columns = zip(first, *others, strict=False)
    if first[0].plain or not others or any(len(row) != len(first) for row in others):
        return False
    prints = [[bool(read_numbers(cell)) for cell in cells] for cells in columns]
    return not any(map(read_numbers, labels)) and all(
        cells[0].plain and not top and all(below)
        for cells, (top, *below) in zip(columns, prints, strict=True)
    )


def _says_something(text: str) -> bool:
    if has_number(text) and not read_phrase(text).scale:
        return False
    return column_role(text) != "unknown"


def read_columns(headers: Sequence[Sequence[Cell]]) -> tuple[Column, ...]:
    """Return the columns below `headers`, of which there may be several rows, or none."""
    if not headers:
        return ()
    above = [_continued(row) for row in headers[:-1] if not _is_caption(row)]
    stacks = zip_longest(*above, headers[-1])
    return tuple(_column(tuple(cell for cell in stack if cell)) for stack in stacks)


def _is_caption(row: Sequence[Cell]) -> bool:
    """Tell whether a row of one text across all columns says nothing of them."""
    if len(row) == 1 or len({cell.plain for cell in row}) > 1:
        return False
    says = read_phrase(row[0].plain)
    return says == Dimensions(rest=says.rest)


def _continued(row: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return an upper row of headers with each blank one filled by the header before it."""
    return tuple(accumulate(row, lambda before, cell: cell if cell.plain else before))


def _column(stack: Sequence[Cell]) -> Column:
    texts = list(dict.fromkeys(cell.plain for cell in dict.fromkeys(stack) if cell.plain))
    if not texts:
        return Column("", "unknown")
    says = Dimensions()
    for text in reversed(texts):  # what stands nearer to the numbers counts
        upper = read_phrase(text)
        says = says.over(upper)._replace(rest=" ".join(filter(None, (upper.rest, says.rest))))
    roles = {column_role(text) for text in texts} - {"unknown"}
    identity = roles.intersection({"model", "metric", "remark", *IDENTITIES})
    # Precision beside Recall is a metric, as is what a header of two rows measures.
    if says.measures and (len(texts) > 1 or not identity):
        return Column(" ".join(texts), "number", says)
    role = next(iter(sorted(identity)), "number" if roles else "unknown")
    return Column(" ".join(texts), role, says)
