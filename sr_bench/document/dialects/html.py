"""Find the HTML tables of a text, spans of rows and columns too, with the place of every cell."""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from sr_bench.document.cell import Cell, Places
from sr_bench.document.grids import MOST_CELLS, TOO_LARGE, Grid, Row, headed, is_too_large
from sr_bench.document.inline import plain
from sr_bench.document.spelling import has_number

# Each piece ends at the next tag: the time to look is linear in the text, whatever is in it.
_ATTRIBUTES: Final = r"(?:(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+(?=>)|[^<>]*+)"
_TAG: Final = re.compile(
    r"<(?P<close>/?)(?P<name>table|thead|tbody|tfoot|tr|t[dh]|caption|h[1-6])(?=[\s/>])"
    rf"(?P<attributes>{_ATTRIBUTES})>",
    re.IGNORECASE,
)
_LETTERS: Final = re.compile("[A-Z]+")  # str.lower makes some letters longer
_QUOTE: Final = re.compile(r" {0,3}>[> ]*")
_SPAN: Final = re.compile(r"\b(?P<name>col|row)span\s*=\s*[\"']?\s*(?P<number>\d{1,9})", re.I)
_WRAPPED: Final = re.compile(
    rf"\s*<(?P<name>[a-z][a-z0-9]*)\b{_ATTRIBUTES}>(?P<inside>.*)</(?P=name)\s*>\s*",
    re.IGNORECASE | re.DOTALL,
)
_MOST_TAGS: Final = 8
"""Around a content; who nests more gets them as part of it."""


def grids(places: Places) -> tuple[Grid, ...]:
    """Return the tables of a page of HTML."""
    text = without_comments(places.text)
    for tag in ("script", "style"):
        text = _without(text, f"<{tag}", f"</{tag}>")
    return html_tables(text, places)


def without_comments(text: str) -> str:
    """Return `text` with blanks for what stands in HTML comments; places stay as they are."""
    return _without(text, "<!--", "-->")


def _without(text: str, opening: str, closing: str) -> str:
    parts, end, lower = [], 0, _LETTERS.sub(lambda match: match[0].lower(), text)
    while (a := lower.find(opening, end)) >= 0 and (b := lower.find(closing, a)) >= 0:
        parts += [text[end:a], re.sub(r"[^\r\n]", " ", text[a : b + len(closing)])]
        end = b + len(closing)
    return "".join([*parts, text[end:]])


def blanked(text: str, places: Places, numbers: Set[int]) -> str:
    """Return `text` with blanks in the lines `numbers`, and for marks of quotes; places stay."""
    parts, end, is_quoted = [], 0, False
    for number, (start, line) in enumerate(zip(places.starts, places.lines, strict=True), 1):
        # A single line may begin with the end of a tag.
        quote, was_quoted = _QUOTE.match(line), is_quoted
        is_quoted = bool(quote)
        size = len(line) if number in numbers else quote.end() if quote and was_quoted else 0
        if size:
            parts += [text[end:start], " " * size]
            end = start + size
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
    return reader.finished()


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

    start: int
    """Offset of its tag."""
    heading: str
    rows: list[tuple[int, bool, list[_Box]]] = field(default_factory=list)
    """The line of each, whether it is in a ``<thead>``, and its cells."""
    caption: str = ""
    in_head: bool = False
    cell: re.Match[str] | None = None
    """The tag of the cell, or the caption, that is open."""
    holds_table: bool = False


class _Reader:
    """Follows the tags of tables; end tags may be missing, as browsers allow."""

    def __init__(self, text: str, places: Places) -> None:
        self._text, self._places = text, places
        self._open: list[_Open] = []
        self._done: dict[int, Grid] = {}  # by their first offset
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

    def finished(self) -> tuple[Grid, ...]:
        """Return all tables in order, those without an end tag too."""
        while self._open:
            self._end_cell(len(self._text))
            self._end_table(self._places.line(len(self._text.rstrip())))
        return tuple(grid for _, grid in sorted(self._done.items(), key=itemgetter(0)))

    def _head(self, match: re.Match[str], closes: bool) -> None:
        if not closes:
            self._heading = (match.end(), self._heading[1])
        elif self._heading[0]:
            self._heading = (0, plain(self._text[self._heading[0] : match.start()]))

    def _table(self, match: re.Match[str], closes: bool, line: int) -> None:
        if not closes:
            if self._open:
                self._open[-1].holds_table = True
            self._open.append(_Open(match.start(), self._heading[1]))
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
            table.rows.append((line, table.in_head, []))
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
            table.rows.append((cell.line, False, []))
        spans = {m["name"].lower(): int(m["number"]) for m in _SPAN.finditer(match["attributes"])}
        is_header = match["name"].lower() == "th"
        rows = spans.get("row", 1) or MOST_CELLS  # 0: down to the last
        table.rows[-1][-1].append(_Box(cell, is_header, max(1, spans.get("col", 1)), rows))

    def _content(self, start: int, end: int) -> Cell:
        """Return the smallest stretch that holds all content: tags around it are left out."""
        text = self._text[start:end]
        for _ in range(_MOST_TAGS):
            match = _WRAPPED.fullmatch(text)
            if not match or re.search(rf"</?{match['name']}\b", match["inside"], re.IGNORECASE):
                break
            start, text = start + match.start("inside"), match["inside"]
        # Of what is left, comments are blank.
        kept = text.strip()
        start += text.index(kept)
        return self._places.cell(start, start + len(kept))

    def _end_table(self, last_line: int) -> None:
        table = self._open.pop()
        kept = [row for row in table.rows if row[-1]]
        if not kept:
            return
        boxes = [row for _, _, row in kept]
        rows, shapeless = _placed(boxes)
        count = _headed(boxes, sum(in_head for _, in_head, _ in kept))
        self._done[table.start] = Grid(
            headers=tuple(rows[:count]),
            rows=tuple(rows[count:]),
            line=self._places.line(table.start),
            last_line=last_line,
            row_lines=tuple(line for line, _, _ in kept[count:]),
            heading=table.heading,
            caption=table.caption,
            dialect="html",
            shapeless=shapeless,
        )


def _headed(boxes: Sequence[Sequence[_Box]], marked: int) -> int:
    """Return how many rows from the first on are of headers, if `marked` are in a ``<thead>``."""
    count = marked
    while not marked and count < len(boxes) and all(box.is_header for box in boxes[count]):
        count += 1
    if count in (0, len(boxes)):  # no tags of headers, or tags that only make all of it bold
        rows = [tuple(box.cell for box in row) for row in boxes]
        count = headed(rows, int(not count and any(box.is_header for box in boxes[0][1:])))
    # A header that spans rows makes headers of them all, and one over several columns has theirs.
    reach = max((number + box.rows for number in range(count) for box in boxes[number]), default=0)
    while 0 < count < len(boxes) - 1 and len(boxes[count]) > 1:
        is_group = any(box.columns > 1 for box in boxes[count - 1])
        has_numbers = any(has_number(box.cell.plain) for box in boxes[count])
        if has_numbers or (count >= reach and not is_group):
            break
        reach = max(reach, *(count + box.rows for box in boxes[count]))
        count += 1
    return count


def _placed(boxes: Sequence[Sequence[_Box]]) -> tuple[list[Row], str]:
    """Return rows with each cell in all of its places, and why they could not be had."""
    single = [tuple(box.cell for box in row) for row in boxes]
    areas = (box.columns * min(box.rows, len(boxes)) for row in boxes for box in row)
    if sum(areas) > MOST_CELLS:
        return single, TOO_LARGE
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
    return (single, TOO_LARGE) if is_too_large(rows) else (rows, "")
