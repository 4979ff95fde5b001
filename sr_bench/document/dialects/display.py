"""A line as a terminal shows it: wide letters take two columns, marks above letters none."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_TAB: Final = 8


def indent(line: str) -> int:
    """Return the column of the first character that is no blank."""
    return len(line[: len(line) - len(line.lstrip())].expandtabs(_TAB))


@dataclass(frozen=True)
class Display:
    """One line, by columns of a terminal; tables that are drawn are aligned by these."""

    text: str
    """A character for each column: blanks for a tab, NUL for the second half of a wide one."""
    index: Sequence[int]
    """By column, and for the one after the last: the index of its character in the line."""

    @classmethod
    def of(cls, line: str) -> "Display":
        """Return how `line` is shown."""
        if line.isascii() and "\t" not in line:
            return cls(line, range(len(line) + 1))
        text: list[str] = []
        index: list[int] = []
        place = 0  # of a tab, which takes wide letters and marks for one column each
        for number, character in enumerate(line):
            shown = _shown(character, place)
            text += shown
            index += [number] * len(shown)
            place += len(shown) if character == "\t" else 1
        return cls("".join(text), [*index, len(line)])

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the indices in the line of what stands from column `start` to column `end`."""
        last = len(self.index) - 1
        return self.index[min(start, last)], self.index[min(end, last)]


def _shown(character: str, place: int) -> str:
    """Return what takes the columns of a character, which follows `place` others."""
    if character == "\t":
        return " " * (_TAB - place % _TAB)
    if unicodedata.combining(character):
        return ""
    return f"{character}\0" if unicodedata.east_asian_width(character) in "WF" else character
