"""Read a simple table of reStructuredText, spans of columns too."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from sr_bench.document.cell import Places
from sr_bench.document.dialects.display import Display
from sr_bench.document.dialects.rst_cells import grid_of, stacked
from sr_bench.document.grids import MOST_CELLS, TOO_LARGE, Grid, Row, is_too_large

BORDER: Final = re.compile(r"[ \t]*=+(?:[ \t]+=+)+[ \t]*")
_SPANS: Final = re.compile(r"[ \t]*-+(?:[ \t]+-+)*[ \t]*")
_INNER: Final = re.compile(r"[ \t]*=+[ \t=]*")
RUN: Final = re.compile(r"[=-]+")
_NO_END: Final = 10**9
_OPEN: Final = "no line of equals signs ends it"
_CROSSED: Final = "a text stands between two of its columns, as the lines of equals signs part them"

_Line = tuple[int, Display]  # 1-based
_Columns = tuple[tuple[int, int], ...]


def simple_table(places: Places, first: int) -> Grid:
    """Return the table whose upper border is the 1-based line `first`."""
    borders, last = _borders(places, first)
    table = _Simple(places, _columns(Display.of(places.lines[first - 1]).text))
    # Of one that is too large, its first rows show what it is of.
    most = first + MOST_CELLS // len(table.columns)
    below = borders[1] if len(borders) > 2 else first
    head = table.rows(first + 1, min(below, most))
    body = table.rows(below + 1, min(borders[-1] if len(borders) > 1 else last + 1, most))
    rows = [*head, *body]
    why = _OPEN if len(borders) < 2 else "" if all(fits for _, _, fits in rows) else _CROSSED
    if last > most or is_too_large(row for _, row, _ in rows):
        why = TOO_LARGE
        rows = [(line, tuple(dict.fromkeys(row)), fits) for line, row, fits in rows]
    grid = grid_of([(line, row) for line, row, _ in rows], len(head), line=first, last_line=last)
    return replace(grid, shapeless=why)


def _borders(places: Places, first: int) -> tuple[list[int], int]:
    """Return the 1-based lines of all borders, and the last line of the table."""
    borders, lines = [first], places.lines
    for number in range(first + 1, len(lines) + 1):
        if _INNER.fullmatch(lines[number - 1]):
            borders.append(number)
            if len(borders) == 3 or number == len(lines) or not lines[number].strip():
                return borders, number
    # None ends it: what goes on to the first blank line is all that may be of it.
    blanks = (n for n in range(first + 1, len(lines) + 1) if not lines[n - 1].strip())
    return [first], next(blanks, len(lines) + 1) - 1


def _columns(rule: str) -> _Columns:
    """Return where each run of `rule` begins and ends; the last one has no end."""
    runs = [match.span() for match in RUN.finditer(rule)]
    return (*runs[:-1], (runs[-1][0], _NO_END))


@dataclass(frozen=True)
class _Simple:
    """The columns of a table."""

    places: Places
    columns: _Columns

    def rows(self, first: int, end: int) -> list[tuple[int, Row, bool]]:
        """Return the rows from line `first` to before `end`: line, cells, whether they fit."""
        found: list[tuple[int, Row, bool]] = []
        lines: list[_Line] = []
        for number in range(first, end):
            line = Display.of(self.places.lines[number - 1])
            if _SPANS.fullmatch(line.text):
                found += self._row(lines, _columns(line.text))
                lines = []
            elif line.text[slice(*self.columns[0])].strip():
                found += self._row(lines, self.columns)
                lines = [(number, line)]
            elif line.text.strip():  # goes on with the row above, or is all of one with a span
                lines.append((number, line))
        return found + self._row(lines, self.columns)

    def _row(self, lines: Sequence[_Line], spans: _Columns) -> list[tuple[int, Row, bool]]:
        if not lines:
            return []
        cells = {
            start: stacked(self.places, self._spans(lines, start, end)) for start, end in spans
        }
        starts = list(cells)
        row = tuple(cells[starts[max(0, bisect_right(starts, a) - 1)]] for a, _ in self.columns)
        margins = [slice(a, b) for (_, a), (b, _) in pairwise(spans)]
        fits = not any(line.text[margin].strip() for _, line in lines for margin in margins)
        return [(lines[0][0], row, fits)]

    def _spans(self, lines: Sequence[_Line], start: int, end: int) -> Iterator[tuple[int, int]]:
        for number, line in lines:
            offset = self.places.starts[number - 1]
            a, b = line.span(start, end)
            yield offset + a, offset + b
