"""Find the GitHub pipe tables of a Markdown text, with the exact place of every cell."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Literal, cast

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import table as table_rule
from markdown_it.token import Token

from sr_bench.core.claim import Source
from sr_bench.document.inline import plain
from sr_bench.errors import DocumentError
from sr_bench.files.toml import is_endless

_BOM = "\ufeff"
_NEWLINE = re.compile(r"\r\n?|\n")
_PIPE = re.compile(r"(?<!\\)\|")

# First and last offset of a line's content, without what a quote or list puts before it.
_Span = tuple[int, int]
_Lines = dict[int, list[_Span]]  # each table's lines by its 0-based first line


@dataclass(frozen=True)
class Cell:
    """The content of one cell, or a part of it, and where it stands."""

    text: str
    """The source without the blanks around it; escaped pipes are kept as ``\\|``."""
    line: int
    """1-based."""
    column: int
    """1-based, in characters; of an empty cell: where its content would go."""
    start: int
    """Offset of `text` in the document's text, in characters."""
    end: int

    @cached_property
    def plain(self) -> str:
        """The text as a reader sees it, without markup."""
        return plain(self.text)

    def part(self, start: int, end: int) -> "Cell":
        """Return the part of this cell from `start` to `end`, offsets in its text."""
        text, column = self.text[start:end], self.column + start
        return Cell(text, self.line, column, self.start + start, self.start + end)


@dataclass(frozen=True)
class PipeTable:
    """One pipe table; rows may be ragged, as GitHub allows."""

    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    line: int
    """1-based line of the header."""
    alignment_line: int
    """1-based line of the ``| :---: |`` row."""
    columns: int
    """Cells of the alignment row."""
    row_lines: tuple[int, ...] = ()
    """1-based line of each of `rows`."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, header first, in reading order."""
        return tuple(cell for row in (self.header, *self.rows) for cell in row)


@dataclass(frozen=True)
class Document:
    """A Markdown text exactly as it is on disk, and its tables."""

    path: str
    """As messages and `Source` name it."""
    text: str
    """Byte order mark and line ends included: ``text.encode()`` is the file."""
    tables: tuple[PipeTable, ...]

    def source(self, cell: Cell) -> Source:
        """Return the place of `cell` as claims name it."""
        return Source(self.path, cell.line, cell.column)


def read_document(path: Path) -> Document:
    """Read the Markdown file `path`, changing nothing about its bytes.

    Raises:
        DocumentError: The file can't be read, or is not UTF-8.
    """
    absolute, here = path.absolute(), Path.cwd()
    name = str(absolute.relative_to(here) if absolute.is_relative_to(here) else path)
    if is_endless(path):
        msg = f"{name}: expected a Markdown document, got a pipe or a device"
        raise DocumentError(msg)
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # the latter: a NUL in the path
        msg = f"{name}: expected a Markdown document: {getattr(error, 'strerror', error)}"
        raise DocumentError(msg) from error
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        msg = f"{name}:{line}: expected UTF-8, got byte 0x{data[error.start]:02x}; save it as UTF-8"
        raise DocumentError(msg) from error
    return parse_document(text, name)


def parse_document(text: str, path: str) -> Document:
    """Return the document that `text` is; `path` only names it in messages and sources."""
    # markdown-it ends lines at line feeds alone; cells keep their offsets in the text as it is.
    lines = _parse(_NEWLINE.sub("\n", text.removeprefix(_BOM)))
    starts = line_starts(text)
    tables = tuple(_table(text, starts, line, spans) for line, spans in lines.items())
    return Document(path, text, tables)


def line_starts(text: str) -> list[int]:
    """Return the offset in `text` at which each line begins, after a byte order mark."""
    return [int(text.startswith(_BOM)), *(match.end() for match in _NEWLINE.finditer(text))]


class _State(StateBlock):
    """A parser's state that keeps the lines of tables in place of their tokens.

    A table of 2 kB may have rows that lack 65536 cells, and each would have its tokens.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text, _parser(), {}, [])
        self.tables: _Lines = {}
        self._dropped = Token("", "", 0)

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        """Add a token, unless it is of a table."""
        return self._dropped if self.parentType == "table" else super().push(ttype, tag, nesting)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("table")
    # In the place of markdown-it's rule, and like it allowed to end a paragraph.
    parser.block.ruler.at("table", _recording_rule, {"alt": ["paragraph", "reference"]})
    return parser


def _parse(normalised: str) -> _Lines:
    """Return the lines of tables; each line of `normalised` ends in a line feed.

    Spans come as (column of the first character, column after the last), 0-based.
    """
    state = _State(normalised)
    # Blocks only: what cells hold is parsed when somebody asks, and seldom is.
    state.md.block.tokenize(state, 0, state.lineMax)
    starts = [0, *(match.end() for match in re.finditer("\n", normalised))]
    return _in_columns(state.tables, starts)


def _in_columns(lines: _Lines, starts: Sequence[int]) -> _Lines:
    return {
        line: [(a - starts[n], b - starts[n]) for n, (a, b) in enumerate(spans, line)]
        for line, spans in lines.items()
    }


def _recording_rule(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Run markdown-it's table rule and note the lines that it took.

    The tokens alone would not do: they say nothing of columns, and inside quotes and lists only
    the parser's state knows where a line's content begins.
    """
    is_table = table_rule(state, start_line, end_line, silent)
    if is_table and not silent:
        tables = cast(_State, state).tables
        tables[start_line] = [_span(state, n) for n in range(start_line, state.line)]
    return is_table


def _span(state: StateBlock, line: int) -> _Span:
    return state.bMarks[line] + state.tShift[line], state.eMarks[line]


def _table(text: str, starts: Sequence[int], line: int, spans: Sequence[_Span]) -> PipeTable:
    """Build the table whose lines, from the 0-based `line` on, hold content in columns `spans`."""
    rows = [split_row(text, starts[n], span, n + 1) for n, span in enumerate(spans, line)]
    return PipeTable(
        header=rows[0],
        rows=tuple(rows[2:]),
        line=line + 1,
        alignment_line=line + 2,
        columns=len(rows[1]),
        row_lines=tuple(range(line + 3, line + 1 + len(rows))),
    )


def split_row(text: str, line_start: int, span: tuple[int, int], line: int) -> tuple[Cell, ...]:
    """Return the cells of one line of `text`: what lies between its pipes in the columns `span`."""
    content = text[line_start + span[0] : line_start + span[1]]
    first = line_start + span[0] + len(content) - len(content.lstrip())
    last = line_start + span[0] + len(content.rstrip())
    pipes = [match.start() for match in _PIPE.finditer(text, first, last)]
    edges = [(a + 1, b) for a, b in pairwise((first - 1, *pipes, last))]
    # Only an empty piece at the very edge is outside the table: pipes there are optional.
    if edges and edges[0][0] == edges[0][1]:
        edges = edges[1:]
    if edges and edges[-1][0] == edges[-1][1]:
        edges = edges[:-1]
    return tuple(_cell(text, edge, line, line_start) for edge in edges)


def _cell(text: str, edge: tuple[int, int], line: int, line_start: int) -> Cell:
    raw = text[slice(*edge)]
    content = raw.strip()
    lead = len(raw) - len(raw.lstrip()) if content else min(1, len(raw))
    start = edge[0] + lead
    return Cell(content, line, start - line_start + 1, start, start + len(content))
