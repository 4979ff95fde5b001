"""Take a known gap out of the text of a card.toml, leaving every other byte alone."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sr_bench.errors import CardError

_HEADER = re.compile(r"[ \t]*\[")
_ENTRY = re.compile(r"[ \t]*\[\[")
_IDLE = re.compile(r"[ \t]*(#.*)?\r?\n?")
"""A line that is blank or only a comment."""

Tables = list[dict[str, object]]


@dataclass(frozen=True)
class Removal:
    """A card's text without one of its known gaps."""

    text: str
    line: int
    """Where the entry began, 1-based."""


def remove_gap(text: str, model: int, entry: int, *, path: Path) -> Removal:
    """Return `text` without a ``[[model.known_gap]]`` and the blank line that parted it.

    Comments between the entry's header and its last key go with it; those before and after stay.

    Args:
        text: Of the card, as it is on disk.
        model: Position of the model in the card, from 0.
        entry: Position among the model's known gaps, from 0.
        path: Of the card, for messages.

    Raises:
        CardError: The entry is not written as a ``[[...]]`` table of its own.
    """
    wanted = _without(_parsed(text), model, entry)
    lines = re.split(r"(?<=\n)", text)
    for first, last in _blocks(lines):
        rest = "".join(_cut(lines, first, last))
        # The parser is asked, so that brackets within strings and the like can't mislead.
        if _parses_as(rest, wanted):
            return Removal(rest, first + 1)
    gap = "".join(f"\n    {key} = {value!r}" for key, value in _entry(text, model, entry).items())
    msg = (
        f"{path}: expected a known gap that closed as a [[model.known_gap]] table of its own;"
        f" remove it by hand:{gap}"
    )
    raise CardError(msg)


def _parsed(text: str) -> dict[str, object]:
    return tomllib.loads(text.removeprefix("\ufeff"))


def _parses_as(text: str, wanted: dict[str, object]) -> bool:
    try:
        return _parsed(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _without(card: dict[str, object], model: int, entry: int) -> dict[str, object]:
    table = cast(Tables, card["model"])[model]
    gaps = cast(Tables, table["known_gap"])
    del gaps[entry]
    if not gaps:
        del table["known_gap"]
    return card


def _entry(text: str, model: int, entry: int) -> dict[str, object]:
    table = cast(Tables, _parsed(text)["model"])[model]
    return cast(Tables, table["known_gap"])[entry]


def _blocks(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the first line of each ``[[...]]`` table, and the line after its last key."""
    headers = [n for n, line in enumerate(lines) if _HEADER.match(line)]
    for first in headers:
        if _ENTRY.match(lines[first]):
            last = next((n for n in headers if n > first), len(lines))
            while _IDLE.fullmatch(lines[last - 1]):
                last -= 1
            yield first, last


def _cut(lines: list[str], first: int, last: int) -> list[str]:
    """Return `lines` without those from `first` to `last`, nor the blank ones that parted them."""
    end, start = last, first
    if first == 0 or not lines[first - 1].strip():
        while end < len(lines) and not lines[end].strip():
            end += 1
    if end == len(lines):
        while start and not lines[start - 1].strip():
            start -= 1
    return lines[:start] + lines[end:]
