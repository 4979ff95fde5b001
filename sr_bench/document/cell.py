"""The places of a document: its lines, and the cells that stand at offsets of its text."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, NamedTuple

from sr_bench.document.inline import LONGEST, escaped, from_rst, plain

BOM: Final = "\ufeff"
NEWLINE: Final = re.compile(r"\r\n?|\n")
BREAK: Final = r"<\s?/?\s?br\s?/?>"
"""Of a line, as people type it."""
_BARE: Final = re.compile("[A-Za-z0-9./%-]*")
"""Texts, as most cells are, that are plain however they are read."""
Markup = Literal["markdown", "rst", "verbatim"]


class Cell(NamedTuple):  # made in a fourth of a dataclass's time: a document may have 100,000
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
    markup: Markup = "markdown"
    """How marks in `text` are to be read; Markdown may hold HTML, and HTML is read as it."""
    whole: str = ""
    """All lines of a cell of which `text` is but one; empty where `text` is all."""

    @property
    def markdown(self) -> str:
        """The content as one line of Markdown, whatever the document is written in."""
        source = " ".join((self.whole or self.text).split())
        if self.markup == "rst":
            return from_rst(source)
        return escaped(source) if self.markup == "verbatim" else source

    @property
    def plain(self) -> str:
        """The text as a reader sees it, without markup."""
        bare = not self.whole and _BARE.fullmatch(self.text)
        return self.text if bare else plain(self.markdown)

    def part(self, start: int, end: int) -> "Cell":
        """Return the part of this cell from `start` to `end`, offsets in its text."""
        if (start, end) == (0, len(self.text)) and not self.whole:
            return self
        line, column, text = self.line, self.column + start, self.text[start:end]
        if not self.text.isprintable():  # cells of HTML may have several lines
            above = NEWLINE.split(self.text[:start])
            line += len(above) - 1
            column = len(above[-1]) + (1 if line > self.line else self.column)
        return Cell(text, line, column, self.start + start, self.start + end, self.markup)

    def split(self, sign: re.Pattern[str]) -> Iterator["Cell"]:
        """Yield the parts between what `sign` finds; a very long cell stays whole."""
        start = 0
        for match in sign.finditer(self.text) if len(self.text) <= LONGEST else ():
            yield self.part(start, match.start())
            start = match.end()
        yield self.part(start, len(self.text))


@dataclass(frozen=True)
class Places:
    """A text exactly as it is on disk, and where its lines begin."""

    text: str
    path: str = ""
    """Of the document, as messages name it."""

    @cached_property
    def starts(self) -> list[int]:
        """The offset at which each line begins, after a byte order mark."""
        first = int(self.text.startswith(BOM))
        return [first, *(match.end() for match in NEWLINE.finditer(self.text))]

    @cached_property
    def lines(self) -> list[str]:
        """Each line without its end and without a byte order mark."""
        return NEWLINE.split(self.text.removeprefix(BOM))

    def line(self, offset: int) -> int:
        """Return the 1-based line in which the character at `offset` stands."""
        return bisect_right(self.starts, offset) or 1

    def cell(self, start: int, end: int, markup: Markup = "markdown") -> Cell:
        """Return what stands from `start` to `end`, without the blanks around it.

        Of nothing but blanks: an empty cell where its content would go, one blank behind `start`.
        """
        raw = self.text[start:end]
        content = raw.strip()
        first = start + (len(raw) - len(raw.lstrip()) if content else min(1, len(raw)))
        line = self.line(first)
        column = first - self.starts[line - 1] + 1
        return Cell(content, line, column, first, first + len(content), markup)
