"""A table as a reader sees it, whatever it is written in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from sr_bench.document.cell import Cell
from sr_bench.document.spelling import has_number

Row = tuple[Cell, ...]
Dialect = Literal["markdown", "html", "rst", "yaml"]
MOST_CELLS: Final = 100_000
"""No table that people read has more; a few letters of some dialects may ask for a billion."""
_MOST_TEXT: Final = 2_000_000
"""Characters in all cells; likewise, as one long cell may span many rows."""
TOO_LARGE: Final = f"it has more than {MOST_CELLS} cells, or {_MOST_TEXT} characters in them"
LONG: Final = 120
"""Characters; what is longer would hide what a message says of it."""


@dataclass(frozen=True)
class Grid:
    """Rows and columns as a reader sees them.

    A cell that spans others stands in each of its places. Rows may be ragged, as GitHub allows.
    """

    headers: tuple[Row, ...]
    """The rows of headers, from above; none where the dialect marks none."""
    rows: tuple[Row, ...]
    line: int
    """1-based, where it begins."""
    last_line: int
    """1-based, where it ends."""
    row_lines: tuple[int, ...]
    """1-based line of each of `rows`."""
    heading: str = ""
    """The heading above, without markup."""
    sections: tuple[str, ...] = ()
    """The headings that this one stands below, the nearest first; not of HTML."""
    caption: str = ""
    """What names it: a caption, or the single line of text right above; without markup."""
    dialect: Dialect = "markdown"
    shapeless: str = ""
    """Why it is no table of its dialect; empty if it is one."""

    @property
    def cells(self) -> Row:
        """All cells, headers first, in reading order."""
        return tuple(cell for row in (*self.headers, *self.rows) for cell in row)

    @property
    def header(self) -> Row:
        """The row of headers right above the rows."""
        return self.headers[-1] if self.headers else ()

    @cached_property
    def title(self) -> str:
        """The header row without markup: ``Method | Set5 | Set14``; may be empty."""
        texts = [cell.plain for cell in self.header]
        return " | ".join(texts) if any(texts) else ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All that a card may call it, the best one for a message first."""
        names = filter(None, (self.title, self.heading, f"line {self.line}"))
        return tuple(sorted(names, key=lambda name: len(name) > LONG))


def is_too_large(rows: Iterable[Row]) -> bool:
    """Tell whether `rows` hold more than people read, counting a cell in each of its places."""
    lengths = [len(cell.whole or cell.text) for row in rows for cell in row]
    return len(lengths) > MOST_CELLS or sum(lengths) > _MOST_TEXT


def headed(rows: Sequence[Row], marked: int = 0) -> int:
    """Return how many of `rows` are of headers, if the dialect marks `marked` of them.

    Where it marks none, the first row is one if it prints no number and another row does.
    """
    prints = (any(has_number(cell.plain) for cell in row) for row in rows)
    return marked or int(next(prints, True) is False and any(prints))


class Outline:
    """Follows the headings of a document from above: ``x2`` below ``Benchmarks``."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    def begin(self, level: int, text: str) -> tuple[str, ...]:
        """Begin a section; return its heading and those that it stands below, the nearest first.

        Args:
            level: Of its heading; 1 is the outermost.
            text: Of its heading.
        """
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        self._open.append((level, text))
        return tuple(text for _, text in reversed(self._open))
