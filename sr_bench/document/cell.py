"""The content of one cell of a table, and the exact place where it stands."""

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from sr_bench.document.inline import LONGEST, escaped, from_rst, plain

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
        above = NEWLINE.split(self.text[:start])  # HTML cells may have several lines
        line = self.line + len(above) - 1
        column = len(above[-1]) + (1 if line > self.line else self.column)
        text = self.text[start:end]
        return Cell(text, line, column, self.start + start, self.start + end, self.markup)

    def split(self, sign: re.Pattern[str]) -> Iterator["Cell"]:
        """Yield the parts between what `sign` finds; a very long cell stays whole."""
        start = 0
        for match in sign.finditer(self.text) if len(self.text) <= LONGEST else ():
            yield self.part(start, match.start())
            start = match.end()
        yield self.part(start, len(self.text))
