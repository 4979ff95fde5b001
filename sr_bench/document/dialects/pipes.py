"""Find the GitHub pipe tables of a Markdown text, with the exact place of every cell."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final, cast

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

from sr_bench.document.cell import Places
from sr_bench.document.grids import Grid, Row

_PIPE: Final = re.compile(r"(?<!\\)\|")
_COLUMN: Final = r"[ \t]*:?-+:?[ \t]*"
# A dash alone, or with a blank behind it, begins a list.
_ALIGNMENT: Final = re.compile(rf"(?!-(?:[ \t]|$))\|?{_COLUMN}(?:\|{_COLUMN})*(?:\|[ \t]*)?")
_DASHES: Final = re.compile("-+")
_MOST_LACKING: Final = 0x10000
"""Cells that rows have less than their header; where more lack, markdown-it ends the table."""


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
    state = _State(places)
    # Blocks only: what cells hold is parsed when somebody asks, and seldom is.
    state.md.block.tokenize(state, 0, state.lineMax)
    return Blocks(tuple(state.tables), _lines_of("fence", state), _lines_of("code_block", state))


def _lines_of(kind: str, state: StateBlock) -> frozenset[int]:
    maps = (token.map for token in state.tokens if token.type == kind and token.map)
    return frozenset(number for first, end in maps for number in range(first + 1, end + 1))


class _State(StateBlock):
    """A parser's state that keeps the tables of a text, in place of their tokens."""

    def __init__(self, places: Places) -> None:
        # markdown-it ends lines at line feeds alone; cells keep their offsets in the text as it is.
        super().__init__("\n".join(places.lines), _parser(), {}, [])
        self.places = places
        self.tables: list[Grid] = []

    def content(self, line: int) -> str:
        """Return the 0-based line without what a quote or list puts before it."""
        return self.src[self.bMarks[line] + self.tShift[line] : self.eMarks[line]]

    def row(self, line: int) -> Row:
        """Return the cells of the 0-based line."""
        # A quote or list moves the parser's mark of a line, but not that of the line before's end.
        start = self.eMarks[line - 1] + 1 if line else 0
        return split_row(self.places, line + 1, self.bMarks[line] + self.tShift[line] - start)

    def is_apart(self, line: int) -> bool:
        """Tell whether the 0-based line is of another block than what comes before it."""
        return self.sCount[line] < self.blkIndent or self.is_code_block(line)

    def rows(self, first: int, end: int, width: int) -> Iterator[Row]:
        """Yield the cells of each 0-based line from `first` on that goes on with a table."""
        endings, lacking = self.md.block.ruler.getRules("blockquote"), 0
        for line in range(first, end):
            if self.is_apart(line) or not self.content(line).strip():
                return
            if any(ends(self, line, end, True) for ends in endings):
                return
            row = self.row(line)
            lacking += width - len(row)
            if lacking > _MOST_LACKING:
                return
            yield row


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("table")
    # In the place of markdown-it's rule, and like it allowed to end a paragraph.
    parser.block.ruler.at("table", _table_rule, {"alt": ["paragraph", "reference"]})
    return parser


def _table_rule(parser_state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """Take the lines that markdown-it's rule takes, without tokens for cells.

    The tokens would not do: they say nothing of columns, and inside quotes and lists only the
    parser's state knows where a line's content begins. They would be many, too, as a table of 2 kB
    may have rows that lack 65536 cells.
    """
    state = cast(_State, parser_state)
    if first + 2 > end or state.is_code_block(first) or state.is_apart(first + 1):
        return False
    alignment = _ALIGNMENT.fullmatch(state.content(first + 1))
    if not alignment or "|" not in state.content(first):
        return False
    header = state.row(first)
    if len(header) != len(_DASHES.findall(alignment[0])):
        return False
    if not silent:
        outside, state.parentType = state.parentType, "table"  # an empty item ends no paragraph
        rows = tuple(state.rows(first + 2, end, len(header)))
        state.parentType = outside
        state.line = first + 2 + len(rows)
        numbers = tuple(range(first + 3, state.line + 1))
        state.tables.append(Grid((header,), rows, first + 1, state.line, numbers))
    return True


def split_row(places: Places, line: int, column: int = 0) -> Row:
    """Return the cells of the 1-based `line`: what is between its pipes from `column`, 0-based."""
    text, line_start = places.text, places.starts[line - 1]
    content = places.lines[line - 1][column:]
    first = line_start + column + len(content) - len(content.lstrip())
    last = line_start + column + len(content.rstrip())
    pipes = [match.start() for match in _PIPE.finditer(text, first, last)]
    edges = [(a + 1, b) for a, b in pairwise((first - 1, *pipes, last))]
    # Only an empty piece at the very edge is outside the table: pipes there are optional.
    if edges and edges[0][0] == edges[0][1]:
        edges = edges[1:]
    if edges and edges[-1][0] == edges[-1][1]:
        edges = edges[:-1]
    return tuple(places.cell(*edge) for edge in edges)
