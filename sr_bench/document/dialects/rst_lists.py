"""Read the list tables and CSV tables of reStructuredText."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sr_bench.document.cell import Cell
from sr_bench.document.grids import Grid, Row, headed
from sr_bench.document.places import Places

_OPTION: Final = re.compile(r"[ \t]+:(?P<name>[a-z-]+):(?P<value>.*)")
_ROW: Final = re.compile(r"[ \t]*[*+-][ \t]+(?=[*+-](?:[ \t]|$))")
_QUOTED: Final = re.compile(r'"(?P<inside>(?:[^"]|"")*)')
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

    def grid(self, rows: list[tuple[int, Row]], marked: int) -> Grid:
        """Return the table that `rows` make, of which the first `marked` are said to be headers."""
        count = headed([row for _, row in rows], marked)
        return Grid(
            headers=tuple(row for _, row in rows[:count]),
            rows=tuple(row for _, row in rows[count:]),
            line=self.first,
            last_line=self.last,
            row_lines=tuple(line for line, _ in rows[count:]),
            dialect="rst",
        )

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
    return body.grid([(line, tuple(row)) for line, row in rows], body.marked)


def _items(body: Body) -> Iterator[tuple[int, bool, int, int]]:
    """Yield for each cell: its line, whether it begins a row, and its first and last offset."""
    row_column = cell_column = -1
    begun: tuple[int, bool, int] | None = None
    is_new = False  # a row whose marker stands alone above its first cell
    end = 0
    for number in body.content:
        line, offset = body.places.lines[number - 1], body.places.starts[number - 1]
        indent = len(line) - len(line.lstrip())
        if row_column in (-1, indent) and line.strip() in ("*", "-", "+"):
            row_column, is_new = indent, True
            continue
        row = _ROW.match(line) if row_column in (-1, indent) else None
        cell = _CELL.match(line, row.end() if row else 0)
        if row or (cell and (indent == cell_column or (is_new and indent > row_column))):
            if begun:
                yield (*begun, max(end, begun[2]))
            row_column, cell_column = (indent, row.end()) if row else (row_column, indent)
            start = offset + (cell.end() if cell else row.end() if row else 0)
            begun, is_new = (number, bool(row) or is_new, start), False
        end = offset + len(line.rstrip()) if line.strip() else end
    if begun:
        yield (*begun, max(end, begun[2]))


def csv_table(body: Body) -> Grid:
    """Return the table whose rows are lines of comma-separated values."""
    delimiter = body.options.get("delim", (0, ","))[1]
    delimiter = {"tab": "\t", "space": " "}.get(delimiter, delimiter[:1] or ",")
    rows = []
    if header := body.options.get("header"):
        line = body.places.lines[header[0] - 1]
        rows.append(
            (
                header[0],
                _fields(
                    body.places, header[0], line.index(":", line.index(":") + 1) + 1, delimiter
                ),
            )
        )
    for number in body.content:
        line = body.places.lines[number - 1]
        if line.strip():
            rows.append((number, _fields(body.places, number, 0, delimiter)))
    return body.grid(rows, body.marked + bool(header))


def _fields(places: Places, number: int, place: int, delimiter: str) -> Row:
    """Return the values of the 1-based line `number` from the index `place` on."""
    line, offset = places.lines[number - 1], places.starts[number - 1]
    cells = []
    while place <= len(line):
        first = place + len(line[place:]) - len(line[place:].lstrip(" \t"))
        if quoted := _QUOTED.match(line, first):
            start, end = quoted.span("inside")
            after = line.find(delimiter, end)
        else:
            after = line.find(delimiter, place)
            start, end = place, after if after >= 0 else len(line)
        cell = places.cell(offset + start, offset + end, "rst")
        cells.append(cell._replace(whole=cell.text.replace('""', '"')) if quoted else cell)
        place = after + 1 if after >= 0 else len(line) + 1
    return tuple(cells)
