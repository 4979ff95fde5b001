"""Lines and columns of a document's text, and the cells that stand at offsets of it."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from sr_bench.document.cell import NEWLINE, Cell, Markup

BOM: Final = "\ufeff"


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
