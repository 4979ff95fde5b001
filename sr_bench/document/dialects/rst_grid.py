"""Read a grid table of reStructuredText, spans of rows and columns too."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
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

    @cached_property
    def _borders(self) -> list[int]:
        """Which lines hold a border, of all cells or of some."""
        return [n for n, line in enumerate(self.lines) if RULE.search(line.text)]

    @cached_property
    def _corners(self) -> list[int]:
        """The columns in which borders of cells stand."""
        rules = (RULE.finditer(self.lines[number].text) for number in self._borders)
        return sorted({end for found in rules for rule in found for end in rule.span()})

    @property
    def marked(self) -> int:
        """How many rows stand above the border of equals signs."""
        for count, number in enumerate(self._borders):
            if "=" in self.lines[number].text and BORDER.fullmatch(self.lines[number].text):
                return count
        return 0

    def rows(self) -> list[tuple[int, Row]] | None:
        """Return each row with its 1-based line; None if cells are no rectangles."""
        boxes: dict[tuple[int, int], Cell] = {}
        tall, wide = len(self._borders) - 1, len(self._corners) - 1
        for row, column in product(range(tall), range(wide)):
            if (row, column) not in boxes:
                right = self._right(row, column)
                below = self._below(row, column, right)
                places = list(product(range(row, below), range(column, right)))
                if not boxes.keys().isdisjoint(places):
                    return None
                boxes |= dict.fromkeys(places, self._cell(row, below, column, right))
        return [
            (self.first + border + 1, tuple(boxes[row, column] for column in range(wide)))
            for row, border in enumerate(self._borders[:-1])
        ]

    def _right(self, row: int, column: int) -> int:
        """Return the index of the corner at which the cell that begins here ends."""
        lines = self.lines[self._borders[row] + 1 : self._borders[row + 1]]
        for right in range(column + 1, len(self._corners) - 1):
            if all(line.text[self._corners[right]] in "|+" for line in lines):
                return right
        return len(self._corners) - 1

    def _below(self, row: int, column: int, right: int) -> int:
        """Return the index of the border at which that cell ends."""
        inside = slice(self._corners[column] + 1, self._corners[right])
        for below in range(row + 1, len(self._borders) - 1):
            rule = self.lines[self._borders[below]].text[inside]
            if rule and not rule.strip("-=+"):
                return below
        return len(self._borders) - 1

    def _cell(self, row: int, below: int, column: int, right: int) -> Cell:
        top, bottom = self._borders[row] + 1, self._borders[below]
        spans = []
        for number in range(top, max(bottom, top + 1)):
            start = self.places.starts[self.first - 1 + number]
            a, b = self.lines[number].span(self._corners[column] + 1, self._corners[right])
            spans.append((start + a, start + (b if top < bottom else a)))
        return stacked(self.places, spans)


def _broken(places: Places, first: int, last: int, why: str) -> Grid:
    """Return what lies between the bars of each line."""
    numbers = [n for n in range(first, last + 1) if "|" in places.lines[n - 1]]
    rows = tuple(split_row(places, n) for n in numbers)
    where = first, last, tuple(numbers[1:])
    return Grid(rows[:1], rows[1:], *where, dialect="rst", shapeless=why)
