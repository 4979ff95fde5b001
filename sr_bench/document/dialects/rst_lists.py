"""Read the list tables and CSV tables of reStructuredText."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sr_bench.document.cell import Cell, Places
from sr_bench.document.dialects.display import Display, indent
from sr_bench.document.dialects.rst_cells import grid_of
from sr_bench.document.grids import Grid, Row

_OPTION: Final = re.compile(r"[ \t]+:(?P<name>[a-z-]+):(?P<value>.*)")
_ROW: Final = re.compile(r"[ \t]*[*+-][ \t]+(?=[*+-](?:[ \t]|$))")
_QUOTED: Final = re.compile(r'"(?P<inside>(?:[^"]|"")*)')
_INDENT: Final = re.compile(r"[ \t]*")
_CELL: Final = re.compile(r"[ \t]*[*+-](?:[ \t]+|$)")


@dataclass(frozen=True)
class Body:
    """The lines of a directive, without the first."""

    places: Places
    first: int
    """1-based line of the directive."""
    last: int

    @property
    def options(self) -> Mapping[str, tuple[int, str]]:
        """The 1-based line and the value of each option."""
        found = {}
        for number in range(self.first + 1, self.last + 1):
            if not (match := _OPTION.fullmatch(self.places.lines[number - 1])):
                break
            found[match["name"]] = (number, match["value"].strip())
        return found

    @property
    def content(self) -> range:
        """The 1-based lines below the options."""
        return range(self.first + 1 + len(self.options), self.last + 1)

    @property
    def marked(self) -> int:
        """The number of rows of headers that the options name."""
        value = self.options.get("header-rows", (0, ""))[1]
        return int(value) if re.fullmatch("[0-9]{1,4}", value) else 0


def list_table(body: Body) -> Grid:
    """Return the table whose rows are items of a list, and whose cells are items in those."""
    rows: list[tuple[int, list[Cell]]] = []
    for line, is_row, start, end in _items(body):
        if is_row:
            rows.append((line, []))
        if rows:
            rows[-1][1].append(body.places.cell(start, end, "rst"))
    made = [(line, tuple(row)) for line, row in rows]
    return grid_of(made, body.marked, line=body.first, last_line=body.last)


def _items(body: Body) -> Iterator[tuple[int, bool, int, int]]:
    """Yield for each cell: its line, whether it begins a row, and its first and last offset."""
    row_column = cell_column = -1
    begun: tuple[int, bool, int] | None = None
    is_new = False  # a row whose marker stands alone above its first cell
    end = 0
    for number in body.content:
        line, offset = body.places.lines[number - 1], body.places.starts[number - 1]
        column = indent(line)
        if row_column in (-1, column) and line.strip() in ("*", "-", "+"):
            row_column, is_new = column, True
            continue
        row = _ROW.match(line) if row_column in (-1, column) else None
        cell = _CELL.match(line, row.end() if row else 0)
        if row or (cell and (column == cell_column or (is_new and column > row_column))):
            if begun:
                yield (*begun, max(end, begun[2]))
            row_column, cell_column = (
                (column, len(Display.of(line[: row.end()]).text)) if row else (row_column, column)
            )
            start = offset + (cell.end() if cell else row.end() if row else 0)
            begun, is_new = (number, bool(row) or is_new, start), False
        end = offset + len(line.rstrip()) if line.strip() else end
    if begun:
        yield (*begun, max(end, begun[2]))


def csv_table(body: Body) -> Grid:
    """Return the table whose rows are comma-separated values; in quotes one may have lines."""
    delimiter = body.options.get("delim", (0, ","))[1]
    delimiter = {"tab": "\t", "space": " "}.get(delimiter, delimiter[:1] or ",")
    lines, starts = body.places.lines, body.places.starts
    spans = []
    if header := body.options.get("header"):
        line, start = lines[header[0] - 1], starts[header[0] - 1]
        spans.append((start + line.index(":", line.index(":") + 1) + 1, start + len(line)))
    if content := body.content:
        spans.append((starts[content[0] - 1], starts[body.last - 1] + len(lines[body.last - 1])))
    rows = [row for span in spans for row in _rows(body.places, *span, delimiter)]
    marked = body.marked + bool(header)
    return grid_of(rows, marked, line=body.first, last_line=body.last)


def _rows(places: Places, start: int, end: int, delimiter: str) -> Iterator[tuple[int, Row]]:
    """Yield the rows between two offsets, each with its 1-based line."""
    stop = re.compile(rf"[\r\n]|{re.escape(delimiter)}")
    cells: list[Cell] = []
    line = 0
    while start <= end:
        if not cells or delimiter.strip():
            start = _INDENT.match(places.text, start, end).end()  # type: ignore[union-attr]
        line = line if cells else places.line(start)
        cell, start = _field(places, start, end, stop)
        cells.append(cell)
        if start == end or places.text[start] != delimiter:
            if len(cells) > 1 or cell.text:
                yield line, tuple(cells)
            cells = []
        start += 1


def _field(places: Places, start: int, end: int, stop: re.Pattern[str]) -> tuple[Cell, int]:
    """Return the value that begins at an offset, and where it ends: at what `stop` finds."""
    quoted = _QUOTED.match(places.text, start, end)
    behind = stop.search(places.text, quoted.end() if quoted else start, end)
    last = behind.start() if behind else end
    cell = places.cell(*(quoted.span("inside") if quoted else (start, last)), "rst")
    doubled = quoted and '""' in cell.text
    return (cell._replace(whole=cell.text.replace('""', '"')) if doubled else cell), last
