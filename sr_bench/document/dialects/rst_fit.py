"""Keep the lines of drawn tables aligned when their numbers get longer or shorter."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sr_bench.document.cell import Places
from sr_bench.document.dialects import rst_grid, rst_simple
from sr_bench.document.dialects.display import Display
from sr_bench.document.grids import Grid

Edit = tuple[int, int, str]
"""First and last offset in a text, and what comes there."""
_GAP = re.compile(r"  |$")
_Place = tuple[int, int]  # a 1-based line, and the column of the display at which a cell ends


def fitted(text: str, grids: Iterable[Grid], edits: Sequence[Edit]) -> list[Edit]:
    """Return `edits`, in order, with what keeps the lines of drawn tables aligned.

    Blanks behind a content give way to a longer one and make up for a shorter one; where too few
    are there, every line of the table gets more.
    """
    places = Places(text)
    found = list(edits)
    for grid in grids:
        if drawing := _drawing(places, grid):
            first, last = places.starts[grid.line - 1], places.starts[grid.last_line - 1]
            end = last + len(places.lines[grid.last_line - 1])
            found += drawing.paddings([edit for edit in edits if first <= edit[0] <= end])
    return sorted(found, key=lambda edit: edit[:2])


def _drawing(places: Places, grid: Grid) -> "_Drawing | None":
    border = places.lines[grid.line - 1] if grid.dialect == "rst" and not grid.shapeless else ""
    if rst_grid.BORDER.fullmatch(border):
        return _Drawing(places, grid, has_bars=True)
    return _Drawing(places, grid, has_bars=False) if rst_simple.BORDER.fullmatch(border) else None


@dataclass(frozen=True)
class _Drawing:
    """A grid table, or a simple one."""

    places: Places
    grid: Grid
    has_bars: bool
    """Whether it is a grid table: its cells end at bars."""

    @cached_property
    def lines(self) -> Mapping[int, Display]:
        """Each line by its 1-based number."""
        numbers = range(self.grid.line, self.grid.last_line + 1)
        return {number: Display.of(self.places.lines[number - 1]) for number in numbers}

    @cached_property
    def ends(self) -> list[int]:
        """The columns of the display at which cells end; the last of a simple table has none."""
        lines = [line.text for line in self.lines.values()]
        if not self.has_bars:
            return [match.end() for match in rst_simple.RUN.finditer(lines[0])][:-1]
        return sorted({m.end() for text in lines for m in rst_grid.RULE.finditer(text)})

    def paddings(self, edits: Sequence[Edit]) -> Iterator[Edit]:
        """Yield what the lines need beside `edits`."""
        growth: dict[_Place, int] = defaultdict(int)
        ends: dict[_Place, int] = {}
        for start, end, new in edits:
            if place := self._end_of_cell(start, end):
                old = self.places.text[start:end]
                growth[place] += len(Display.of(new).text) - len(Display.of(old).text)
                ends[place] = end
        wider: dict[int, int] = {}
        for place, more in growth.items():
            wider[place[1]] = max(wider.get(place[1], 0), more - self._room(*place))
        for column, more in wider.items():
            for place in ((number, column) for number in self.lines):
                if place not in growth:
                    yield from self._widened(place, more)
                elif more or growth[place]:
                    yield from self._fitted(place, ends[place], more - growth[place])

    def _end_of_cell(self, start: int, end: int) -> _Place | None:
        number = self.places.line(start)
        line, offset = self.lines[number], self.places.starts[number - 1]
        column = len(Display.of(self.places.text[offset:end]).text)
        bars = (c for c in self.ends if c >= column and (not self.has_bars or line.text[c] == "|"))
        return next(((number, c) for c in bars), None)

    def _room(self, number: int, column: int) -> int:
        """Return how many blanks before the end of a cell a longer content may take."""
        before = self.lines[number].text[:column]
        # A bar keeps its distance; between columns of a simple table there is one anyway.
        return max(0, len(before) - len(before.rstrip(" ")) - self.has_bars)

    def _between(self, text: str, column: int) -> tuple[int, str]:
        """Return where a line whose number ends elsewhere gets longer, and with what.

        That is at `column`, unless a text that spans columns would be parted.
        """
        before, after = text[column - 1], text[column]
        if self.has_bars:
            if before in "-=" and after in "+-=":
                return column, before
            return next(c for c in self.ends if c >= column and text[c] in "|+"), " "
        if not text.strip("-= "):
            return column, before
        is_parted = " " not in (before, after)
        return (next(_GAP.finditer(text, column)).start() if is_parted else column), " "

    def _widened(self, place: _Place, more: int) -> Iterator[Edit]:
        """Yield what makes the part of a line that ends at `place` wider by `more`."""
        number, column = place
        line = self.lines[number]
        if column < len(line.text):
            column, fill = self._between(line.text, column)
            at = self.places.starts[number - 1] + line.index[column]
            yield at, at, fill * more

    def _fitted(self, place: _Place, end: int, more: int) -> Iterator[Edit]:
        """Yield what puts `more` blanks behind an edit that ends at `end`; fewer if negative."""
        number, column = place
        line, offset = self.lines[number], self.places.starts[number - 1]
        if column >= len(line.text):
            return
        stop = offset + line.index[column]
        behind = self.places.text[end:stop]
        if "\t" in behind and not behind.strip():  # its width would change with its place
            blanks = column - len(Display.of(self.places.text[offset:end]).text)
            yield end, stop, " " * (blanks + more)
        else:
            yield min(stop, stop + more), stop, " " * more
