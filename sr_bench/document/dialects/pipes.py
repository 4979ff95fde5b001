"""Find the GitHub pipe tables of a Markdown text, with the exact place of every cell."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final, Literal, cast

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import table as table_rule
from markdown_it.token import Token

from sr_bench.document.cell import Cell
from sr_bench.document.grids import Grid
from sr_bench.document.places import Places

_PIPE: Final = re.compile(r"(?<!\\)\|")

# First and last column of a line's content, without what a quote or list puts before it.
_Span = tuple[int, int]
_Lines = dict[int, list[_Span]]  # each table's lines by its 0-based first line


@dataclass(frozen=True)
class Blocks:
    """What Markdown makes of a text's lines."""

    tables: tuple[Grid, ...]
    fenced: frozenset[int]
    """1-based lines of fenced code."""
    indented: frozenset[int]
    """1-based lines of indented code."""


def blocks(places: Places) -> Blocks:
    """Return the pipe tables and the code that GitHub shows of the text."""
    # markdown-it ends lines at line feeds alone; cells keep their offsets in the text as it is.
    state = _parsed("\n".join(places.lines))
    tables = tuple(_table(places, line, spans) for line, spans in state.tables.items())
    return Blocks(tables, _lines_of("fence", state), _lines_of("code_block", state))


def _lines_of(kind: str, state: StateBlock) -> frozenset[int]:
    maps = (token.map for token in state.tokens if token.type == kind and token.map)
    return frozenset(number for first, end in maps for number in range(first + 1, end + 1))


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


def _parsed(normalised: str) -> _State:
    """Return what the parser knows of a text each of whose lines ends in a line feed."""
    state = _State(normalised)
    # Blocks only: what cells hold is parsed when somebody asks, and seldom is.
    state.md.block.tokenize(state, 0, state.lineMax)
    return state


def _recording_rule(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Run markdown-it's table rule and note the lines that it took.

    The tokens alone would not do: they say nothing of columns, and inside quotes and lists only
    the parser's state knows where a line's content begins.
    """
    is_table = table_rule(state, start_line, end_line, silent)
    if is_table and not silent:
        spans = [_span(state, n, start) for n, start in _starts(state, start_line)]
        cast(_State, state).tables[start_line] = spans
    return is_table


def _starts(state: StateBlock, first: int) -> Iterator[tuple[int, int]]:
    """Yield each line from `first` to the parser's, with the offset at which it begins."""
    for line in range(first, state.line):
        # A quote or list moves the parser's mark of a line, but not that of the line before's end.
        yield line, state.eMarks[line - 1] + 1 if line else 0


def _span(state: StateBlock, line: int, start: int) -> _Span:
    """Return the columns of the first character of a line's content and after its last."""
    return state.bMarks[line] + state.tShift[line] - start, state.eMarks[line] - start


def _table(places: Places, line: int, spans: Sequence[_Span]) -> Grid:
    """Build the table whose lines, from the 0-based `line` on, hold content in columns `spans`."""
    rows = [split_row(places, n + 1, span) for n, span in enumerate(spans, line)]
    return Grid(
        headers=(rows[0],),
        rows=tuple(rows[2:]),
        line=line + 1,
        last_line=line + len(rows),
        row_lines=tuple(range(line + 3, line + 1 + len(rows))),
    )


def split_row(places: Places, line: int, span: _Span) -> tuple[Cell, ...]:
    """Return the cells of the 1-based `line`: what lies between its pipes in the columns `span`."""
    text, line_start = places.text, places.starts[line - 1]
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
    return tuple(places.cell(*edge) for edge in edges)
