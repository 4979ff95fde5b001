"""Read a grid table of reStructuredText, spans of rows and columns too."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sr_bench.document.cell import Cell, Places
from sr_bench.document.dialects.display import Display
from sr_bench.document.dialects.pipes import split_row
from sr_bench.document.dialects.rst_cells import grid_of, stacked
from sr_bench.document.grids import TOO_LARGE, Grid, Row, is_too_large

BORDER: Final = re.compile(r"[ \t]*\+(?:[-=]+\+)+[ \t]*")
_DRAWN: Final = re.compile(r"[ \t]*[|+]")
RULE: Final = re.compile(r"\+[-=]+(?=\+)")
_BROKEN: Final = (
    "its lines do not meet at corners: each line of a grid table is as wide as the first, and cells"
    " are rectangles"
)


def grid_table(places: Places, first: int) -> Grid:
    """Return the table whose upper border is the 1-based line `first`."""
    last = first
    while last < len(places.lines) and _DRAWN.match(places.lines[last]):
        last += 1
    drawing = _Drawing(places, first, [Display.of(line) for line in places.lines[first - 1 : last]])
    rows = drawing.rows() if drawing.is_rectangle else None
    if rows is None or is_too_large(row for _, row in rows):
        return _broken(places, first, last, _BROKEN if rows is None else TOO_LARGE)
    return grid_of(rows, drawing.marked, line=first, last_line=last)


@dataclass(frozen=True)
class _Drawing:
    """The characters of a table."""

    places: Places
    first: int
    """1-based line of the upper border."""
    lines: Sequence[Display]

    @property
    def is_rectangle(self) -> bool:
        """Whether it has a lower border and lines of one width."""
        edges = {
            (len(line.text) - len(line.text.lstrip()), len(line.text.rstrip()))
            for line in self.lines
        }
        closed = len(self.lines) > 2 and bool(BORDER.fullmatch(self.lines[-1].text))
        return closed and len(edges) == 1

    @property
    def _borders(self) -> list[int]:
        """Which lines hold a border, of all cells or of some."""
        return [n for n, line in enumerate(self.lines) if RULE.search(line.text)]

    @property
    def _corners(self) -> list[int]:
        """The columns in which borders of cells stand."""
        found = {
            place
            for number in self._borders
            for match in RULE.finditer(self.lines[number].text)
            for place in (match.start(), match.end())
        }
        return sorted(found)

    @property
    def marked(self) -> int:
        """How many rows stand above the border of equals signs."""
        for count, number in enumerate(self._borders):
            if "=" in self.lines[number].text and BORDER.fullmatch(self.lines[number].text):
                return count
        return 0

    def rows(self) -> list[tuple[int, Row]] | None:
        """Return each row with its 1-based line; None if cells are no rectangles."""
        borders, corners = self._borders, self._corners
        boxes: dict[tuple[int, int], Cell] = {}
        tall, wide = len(borders) - 1, len(corners) - 1
        for row in range(tall):
            for column in range(wide):
                if (row, column) in boxes:
                    continue
                right = self._right(borders, corners, row, column)
                below = self._below(borders, corners, row, column, right)
                places = [(r, c) for r in range(row, below) for c in range(column, right)]
                if any(place in boxes for place in places):
                    return None
                cell = self._cell(borders[row] + 1, borders[below], corners[column], corners[right])
                boxes |= dict.fromkeys(places, cell)
        return [
            (self.first + borders[row] + 1, tuple(boxes[row, column] for column in range(wide)))
            for row in range(tall)
        ]

    def _right(self, borders: list[int], corners: list[int], row: int, column: int) -> int:
        """Return the index of the corner at which the cell that begins here ends."""
        lines = self.lines[borders[row] + 1 : borders[row + 1]]
        for right in range(column + 1, len(corners) - 1):
            if all(line.text[corners[right]] in "|+" for line in lines):
                return right
        return len(corners) - 1

    def _below(
        self, borders: list[int], corners: list[int], row: int, column: int, right: int
    ) -> int:
        for below in range(row + 1, len(borders) - 1):
            rule = self.lines[borders[below]].text[corners[column] + 1 : corners[right]]
            if rule and not rule.strip("-=+"):
                return below
        return len(borders) - 1

    def _cell(self, top: int, bottom: int, left: int, right: int) -> Cell:
        return stacked(self.places, self._spans(top, bottom, left, right))

    def _spans(self, top: int, bottom: int, left: int, right: int) -> Iterator[tuple[int, int]]:
        for number in range(top, max(bottom, top + 1)):
            start = self.places.starts[self.first - 1 + number]
            a, b = self.lines[number].span(left + 1, right)
            yield start + a, start + (b if top < bottom else a)


def _broken(places: Places, first: int, last: int, why: str) -> Grid:
    """Return what lies between the bars of each line."""
    numbers = [n for n in range(first, last + 1) if "|" in places.lines[n - 1]]
    rows = [split_row(places, n) for n in numbers]
    head = tuple(rows[:1])
    return Grid(
        head, tuple(rows[1:]), first, last, tuple(numbers[1:]), dialect="rst", shapeless=why
    )
