"""A line as a terminal shows it: wide letters take two columns, marks above letters take none."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Display:
    """One line, by columns of a terminal; tables that are drawn are aligned by these."""

    text: str
    """A character for each column; NUL for the second half of a wide one."""
    index: Sequence[int]
    """By column, and for the one after the last: the index of its character in the line."""

    @classmethod
    def of(cls, line: str) -> "Display":
        """Return how `line` is shown."""
        if line.isascii():
            return cls(line, range(len(line) + 1))
        text: list[str] = []
        index: list[int] = []
        for number, character in enumerate(line):
            if unicodedata.combining(character):
                continue
            wide = unicodedata.east_asian_width(character) in "WF"
            text += [character, "\0"] if wide else [character]
            index += [number, number] if wide else [number]
        return cls("".join(text), [*index, len(line)])

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the indices in the line of what stands from column `start` to column `end`."""
        last = len(self.index) - 1
        return self.index[min(start, last)], self.index[min(end, last)]
