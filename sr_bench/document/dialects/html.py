"""Find the HTML tables of a text, spans of rows and columns too, with the place of every cell."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sr_bench.document.cell import Cell
from sr_bench.document.grids import MOST_CELLS, Grid, Row, headed
from sr_bench.document.inline import plain
from sr_bench.document.places import Places
from sr_bench.document.spelling import has_number

# Each piece ends at the next tag: the time to look is linear in the text, whatever is in it.
_TAG: Final = re.compile(
    r"<(?P<close>/?)(?P<name>table|thead|tbody|tfoot|tr|t[dh]|caption|h[1-6])(?=[\s/>])"
    r"(?P<attributes>(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+(?=>)|[^<>]*+)>",
    re.IGNORECASE,
)
_SPAN: Final = re.compile(r"\b(?P<name>col|row)span\s*=\s*[\"']?\s*(?P<number>\d{1,9})", re.I)
_WRAPPED: Final = re.compile(
    r"\s*<(?P<name>[a-z][a-z0-9]*)\b[^<>]*>(?P<inside>.*)</(?P=name)\s*>\s*", re.I | re.S
)
_TOO_MANY: Final = f"its rowspan and colspan make more than {MOST_CELLS} cells"


def grids(places: Places) -> tuple[Grid, ...]:
    """Return the tables of a page of HTML."""
    return html_tables(without_comments(places.text), places)


def without_comments(text: str) -> str:
    """Return `text` with blanks for what stands in HTML comments; places stay as they are."""
    parts, end = [], 0
    while (start := text.find("<!--", end)) >= 0 and (close := text.find("-->", start)) >= 0:
        parts += [text[end:start], re.sub(r"[^\r\n]", " ", text[start : close + 3])]
        end = close + 3
    return "".join([*parts, text[end:]])


def html_tables(text: str, places: Places) -> tuple[Grid, ...]:
    """Return the tables with a cell, by line.

    Args:
        text: The document's, with blanks for what is to be left out.
        places: Of the document's text.
    """
    reader = _Reader(text, places)
    for match in _TAG.finditer(text):
        reader.tag(match)
    found = reader.finished()
    return tuple(sorted(found, key=lambda grid: grid.line))


@dataclass(frozen=True)
class _Box:
    """A cell before it is known which places its spans take."""

    cell: Cell
    is_header: bool
    columns: int
    rows: int


@dataclass
class _Open:
    """A table that has not ended."""

    line: int
    heading: str
    rows: list[list[_Box]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    caption: str = ""
    in_head: bool = False
    headed: int = 0
    """Rows in a ``<thead>``."""
    cell: re.Match[str] | None = None
    """The tag of the cell, or the caption, that is open."""
    holds_table: bool = False


class _Reader:
    """Follows the tags of tables; end tags may be missing, as browsers allow."""

    def __init__(self, text: str, places: Places) -> None:
        self._text, self._places = text, places
        self._open: list[_Open] = []
        self._done: list[Grid] = []
        self._heading: tuple[int, str] = (0, "")

    def tag(self, match: re.Match[str]) -> None:
        """Take the next tag."""
        name, closes = match["name"].lower(), bool(match["close"])
        line = self._places.line(match.start())
        if name[0] == "h":
            self._head(match, closes)
        elif name == "table":
            self._table(match, closes, line)
        elif self._open:
            self._end_cell(match.start())
            self._part(match, name, closes, line)

    def finished(self) -> list[Grid]:
        """Return all tables, those without an end tag too."""
        while self._open:
            self._end_cell(len(self._text))
            self._end_table(self._places.line(len(self._text.rstrip())))
        return self._done

    def _head(self, match: re.Match[str], closes: bool) -> None:
        if not closes:
            self._heading = (match.end(), self._heading[1])
        elif self._heading[0]:
            self._heading = (0, plain(self._text[self._heading[0] : match.start()]))

    def _table(self, match: re.Match[str], closes: bool, line: int) -> None:
        if not closes:
            if self._open:
                self._open[-1].holds_table = True
            self._open.append(_Open(line, self._heading[1]))
        elif self._open:
            self._end_cell(match.start())
            self._end_table(line)

    def _part(self, match: re.Match[str], name: str, closes: bool, line: int) -> None:
        table = self._open[-1]
        if name in ("thead", "tbody", "tfoot"):
            table.in_head = name == "thead" and not closes
        elif closes:
            return
        elif name == "tr":
            table.rows.append([])
            table.lines.append(line)
            table.headed += table.in_head
        else:
            table.cell, table.holds_table = match, False

    def _end_cell(self, end: int) -> None:
        table = self._open[-1]
        if not (match := table.cell):
            return
        table.cell = None
        start = match.end()
        if table.holds_table:  # whose cells are read, and once is enough
            end = start
        cell = self._content(start, end)
        if match["name"].lower() == "caption":
            table.caption = cell.plain
            return
        if not table.rows:  # a cell before any <tr>
            table.rows.append([])
            table.lines.append(cell.line)
        spans = {m["name"].lower(): int(m["number"]) for m in _SPAN.finditer(match["attributes"])}
        is_header = match["name"].lower() == "th"
        box = _Box(cell, is_header, max(1, spans.get("col", 1)), max(1, spans.get("row", 1)))
        table.rows[-1].append(box)

    def _content(self, start: int, end: int) -> Cell:
        """Return the smallest stretch that holds all content: tags around it are left out."""
        text = self._text[start:end]
        while match := _WRAPPED.fullmatch(text):
            if f"<{match['name']}" in match["inside"] or f"</{match['name']}" in match["inside"]:
                break
            start, text = start + match.start("inside"), match["inside"]
        kept = text.rstrip()
        return (
            self._places.cell(start + len(kept) - len(kept.lstrip()), start + len(kept))
            if kept
            else self._places.cell(start, start + len(text))
        )

    def _end_table(self, last_line: int) -> None:
        table = self._open.pop()
        kept = [number for number, row in enumerate(table.rows) if row]
        if not kept:
            return
        boxes = [table.rows[number] for number in kept]
        lines = [table.lines[number] for number in kept]
        rows, shapeless = _placed(boxes)
        count = table.headed or _headed(boxes)
        self._done.append(
            Grid(
                headers=tuple(rows[:count]),
                rows=tuple(rows[count:]),
                line=table.line,
                last_line=last_line,
                row_lines=tuple(lines[count:]),
                heading=table.heading,
                caption=table.caption,
                dialect="html",
                shapeless=shapeless,
            )
        )


def _headed(boxes: Sequence[Sequence[_Box]]) -> int:
    """Return how many rows from the first on are of headers, in a table without a ``<thead>``."""
    count = 0
    while count < len(boxes) and all(box.is_header for box in boxes[count]):
        count += 1
    if not count:
        rows = [[box.cell for box in row] for row in boxes]
        count = headed(
            [tuple(row) for row in rows], int(any(box.is_header for box in boxes[0][1:]))
        )
    # A header that spans rows makes headers of them all.
    while 0 < count < len(boxes) - 1 and not _numbers(boxes[count]):
        if not any(box.rows + number > count for number in range(count) for box in boxes[number]):
            break
        count += 1
    return count


def _numbers(boxes: Sequence[_Box]) -> bool:
    return any(has_number(box.cell.plain) for box in boxes)


def _placed(boxes: Sequence[Sequence[_Box]]) -> tuple[list[Row], str]:
    """Return rows with each cell in all of its places, and why they could not be had."""
    if (
        sum(min(b.columns, MOST_CELLS) * min(b.rows, len(boxes)) for row in boxes for b in row)
        > MOST_CELLS
    ):
        return [tuple(box.cell for box in row) for row in boxes], _TOO_MANY
    rows: list[Row] = []
    below: dict[int, tuple[Cell, int]] = {}  # by column: a cell from above, and its rows to come
    for boxed in boxes:
        row: list[Cell] = []
        left = iter(boxed)
        box = next(left, None)
        above, below = below, {}
        while box or len(row) in above:
            column = len(row)
            if column in above:
                cell, more = above[column]
                row.append(cell)
                below |= {column: (cell, more - 1)} if more > 1 else {}
            elif box:
                for _ in range(box.columns):
                    if len(row) in above and len(row) > column:
                        break
                    below |= {len(row): (box.cell, box.rows - 1)} if box.rows > 1 else {}
                    row.append(box.cell)
                box = next(left, None)
        rows.append(tuple(row))
    return rows, ""
