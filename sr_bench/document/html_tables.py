"""Find the HTML tables of a Markdown text, as far as to name what stands in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

from sr_bench.document.tables import Cell, line_starts


@dataclass(frozen=True)
class HtmlTable:
    """The rows of one ``<table>``, without those of tables inside it."""

    rows: tuple[tuple[Cell, ...], ...]
    """At least one."""
    headed: bool
    """Whether its first row is one of headers."""
    line: int
    """1-based line of the opening tag."""


def html_tables(text: str, lines: Sequence[str]) -> tuple[HtmlTable, ...]:
    """Return the tables with a cell, in the order in which they end.

    Args:
        text: The document's, for offsets.
        lines: The lines of `text`, those to leave out emptied.
    """
    if not any("<table" in line.casefold() for line in lines):
        return ()
    reader = _Reader(line_starts(text))
    reader.feed("\n".join(lines))
    reader.close()
    return reader.finished()


@dataclass
class _Open:
    """A table that has not ended."""

    line: int
    rows: list[list[Cell]] = field(default_factory=list)
    headed: bool = False
    text: list[str] | None = None
    """Of the cell that is open."""
    place: tuple[int, int] = (1, 0)
    """Line, 1-based, and column, 0-based, of that cell's tag."""


class _Reader(HTMLParser):
    """Follows the tags of tables; end tags may be missing, as browsers allow."""

    def __init__(self, starts: Sequence[int]) -> None:
        super().__init__()
        self._starts = starts
        self._open: list[_Open] = []
        self._done: list[HtmlTable] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row or a cell; an image is its alternative text."""
        if tag == "table":
            self._open.append(_Open(self.getpos()[0]))
        elif self._open and tag == "tr":
            self._end_cell()
            self._open[-1].rows.append([])
        elif self._open and tag in ("td", "th"):
            self._end_cell()
            table = self._open[-1]
            table.text, table.place = [], self.getpos()
            table.headed |= tag == "th" and len(table.rows) <= 1
        elif tag in ("img", "br"):
            self.handle_data(f" {dict(attrs).get('alt') or ''} ")

    def handle_data(self, data: str) -> None:
        """Add to the cell that is open."""
        if self._open and self._open[-1].text is not None:
            self._open[-1].text.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Close a cell or a table."""
        if tag in ("td", "th", "tr", "table"):
            self._end_cell()
        if tag == "table" and self._open:
            self._end_table()

    def finished(self) -> tuple[HtmlTable, ...]:
        """Return all tables, those without an end tag too."""
        while self._open:
            self._end_cell()
            self._end_table()
        return tuple(self._done)

    def _end_cell(self) -> None:
        if not self._open or self._open[-1].text is None:
            return
        table = self._open[-1]
        line, column = table.place
        start = self._starts[line - 1] + column
        text = " ".join("".join(table.text or ()).split())
        if not table.rows:  # a cell before any <tr>
            table.rows.append([])
        table.rows[-1].append(Cell(text, line, column + 1, start, start))
        table.text = None

    def _end_table(self) -> None:
        table = self._open.pop()
        if rows := tuple(tuple(row) for row in table.rows if row):
            self._done.append(HtmlTable(rows, table.headed, table.line))
