"""Find the tables of a reStructuredText: drawn ones, lists, CSV and HTML."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from sr_bench.document.cell import Places
from sr_bench.document.dialects import rst_grid, rst_simple
from sr_bench.document.dialects.display import Display, indent
from sr_bench.document.dialects.html import blanked, html_tables
from sr_bench.document.dialects.rst_lists import Body, csv_table, list_table
from sr_bench.document.grids import Grid, Outline
from sr_bench.document.inline import from_rst, plain

_DIRECTIVE: Final = re.compile(
    r"[ \t]*\.\.[ \t]+(?:\|[^|]*\|[ \t]+)?(?P<name>[\w:+.-]{1,60}?)::(?:[ \t]+(?P<title>.*))?"
)
_COMMENT: Final = re.compile(r"[ \t]*\.\.(?:[ \t]+(?![_\[|])|$)")
_UNDERLINE: Final = re.compile(r"([!-/:-@\[-`{-~])\1+[ \t]*")
_CODE: Final = frozenset({"code", "code-block", "sourcecode", "parsed-literal", "math", "raw"})
_LISTS: Final = MappingProxyType[str, Callable[[Body], Grid]](
    {"list-table": list_table, "flat-table": list_table, "csv-table": csv_table}
)
_LONGEST_CAPTION: Final = 200


def grids(places: Places) -> tuple[Grid, ...]:
    """Return what a reader takes for tables, by line; literal blocks and comments hold none."""
    return tuple(sorted(_Walk(places).grids(), key=lambda grid: grid.line))


class _Walk:
    """Goes through the lines of a text from above."""

    def __init__(self, places: Places) -> None:
        self._places, self._lines = places, places.lines
        self._headings: tuple[str, ...] = ("",)
        self._outline, self._levels = Outline(), ""
        self._title = ""
        self._html: list[tuple[int, str]] = []

    def grids(self) -> Iterator[Grid]:
        """Yield each table."""
        number = 1
        while number <= len(self._lines):
            grid, next_line = self._at(number)
            if grid:
                title = grid.caption or self._title or self._caption(grid.line)
                heading, *sections = self._headings
                yield replace(grid, heading=heading, sections=tuple(sections), caption=title)
                self._title = ""
            number = next_line
        yield from self._in_html()

    def _at(self, number: int) -> tuple[Grid | None, int]:
        """Return the table that begins in the 1-based line, if any, and where to go on."""
        line = self._lines[number - 1]
        if match := _DIRECTIVE.fullmatch(line):
            return self._directive(number, match["name"].lower(), _shown(match["title"] or ""))
        if _COMMENT.match(line):
            return None, self._end_of_block(number) + 1
        if rst_grid.BORDER.fullmatch(line):
            grid = rst_grid.grid_table(self._places, number)
            return grid, grid.last_line + 1
        if rst_simple.BORDER.fullmatch(line):
            grid = rst_simple.simple_table(self._places, number)
            return grid, grid.last_line + 1
        if self._is_title(number):
            mark = self._lines[number][0]
            self._levels += mark if mark not in self._levels else ""  # in the order of their use
            level = self._levels.index(mark) + 1
            self._headings, self._title = self._outline.begin(level, _shown(line)), ""
            return None, number + 2
        if line.rstrip().endswith("::"):
            return None, self._end_of_block(number) + 1
        return None, number + 1

    def _directive(self, number: int, name: str, title: str) -> tuple[Grid | None, int]:
        last = self._end_of_block(number)
        if name in _LISTS:
            self._title = title
            grid = _LISTS[name](Body(self._places, number, last))
            return (grid if grid.cells else None), last + 1
        if name == "raw" and title.lower() == "html":
            self._html += [(n, self._headings[0]) for n in range(number + 1, last + 1)]
        if name == "table":
            self._title = title
        return None, (last if name in _CODE else number) + 1

    def _end_of_block(self, number: int) -> int:
        """Return the last line that stands further in than the 1-based line `number`."""
        outer, last = indent(self._lines[number - 1]), number
        for n in range(number + 1, len(self._lines) + 1):
            line = self._lines[n - 1]
            if line.strip():
                if indent(line) <= outer:
                    break
                last = n
        return last

    def _is_title(self, number: int) -> bool:
        title = self._lines[number - 1].rstrip()
        if number == len(self._lines) or not title or _UNDERLINE.fullmatch(title):
            return False
        below = self._lines[number].rstrip()
        return bool(_UNDERLINE.fullmatch(below)) and (
            len(below) > 3 or len(below) >= len(Display.of(title).text)
        )

    def _caption(self, line: int) -> str:
        """Return the single line of text above a table; a section's title is none."""
        number = line - 1
        while number > 0 and not self._lines[number - 1].strip():
            number -= 1
        if number < line - 2 or number < 1:
            return ""
        text = self._lines[number - 1]
        above = self._lines[number - 2] if number > 1 else ""
        drawn = rst_grid.BORDER.match(text) or rst_simple.BORDER.match(text)
        marked = text.lstrip().startswith((":", "..", "|")) or _UNDERLINE.fullmatch(text)
        alone = (not above.strip() or _UNDERLINE.fullmatch(above)) and len(text) <= _LONGEST_CAPTION
        return _shown(text) if alone and not drawn and not marked else ""

    def _in_html(self) -> Iterator[Grid]:
        """Yield the tables of raw HTML."""
        if not self._html:
            return
        headings = dict(self._html)
        others = set(range(1, len(self._lines) + 1)) - headings.keys()
        text = blanked(self._places.text, self._places, others)
        for grid in html_tables(text, self._places):
            yield replace(grid, heading=grid.heading or headings[grid.line])


def _shown(source: str) -> str:
    return plain(from_rst(source))
