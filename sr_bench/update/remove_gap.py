"""Take a known gap out of the text of a card.toml, leaving every other byte alone."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import cast

from sr_bench.errors import CardError
from sr_bench.text.toml import parsed

_HEADER = re.compile(r"[ \t]*\[")
_ENTRY = re.compile(r"""\s*\[\[\s*["']?model["']?\s*\.\s*["']?known_gap["']?\s*\]\]""")
_IDLE = re.compile(r"[ \t]*(#.*)?\r?\n?")  # a line that is blank or only a comment
_TRIED = 10  # entries that are tried; the time for all is the square of their number


@dataclass(frozen=True)
class Removal:
    """A card's text without one of its known gaps."""

    text: str
    line: int
    """Where the entry began, 1-based."""


def remove_gap(text: str, model: int, entry: int, *, path: Path) -> Removal:
    """Return `text` without a ``[[model.known_gap]]`` and the blank line that parted it.

    That is number `entry` of model number `model`, both from 0. Comments between its header and
    its last key go with it; those before and after stay.

    Raises:
        CardError: The entry is not written as a ``[[model.known_gap]]`` table, or is not among the
            `_TRIED` such tables that are nearest to its position.
    """
    card = parsed(text)
    models = cast(list[dict[str, list[object]]], card["model"])
    place = sum(len(table.get("known_gap", [])) for table in models[:model]) + entry
    gap = cast(dict[str, object], models[model]["known_gap"].pop(entry))
    if not models[model]["known_gap"]:
        del models[model]["known_gap"]
    # Not splitlines, which also parts at characters that may stand in a string.
    lines = re.split(r"(?<=\n)", text)
    # Those that are written in line, or that only stand in a string, put the others out of place.
    nearest = sorted(enumerate(_blocks(lines)), key=lambda block: abs(block[0] - place))
    for _, (first, last) in nearest[:_TRIED]:
        rest = "".join(_cut(lines, first, last))
        # The parser is asked, so that brackets within strings and the like can't mislead.
        if _parses_as(rest, card):
            return Removal(rest, first + 1)
    facts = "".join(f"\n    {key} = {value!r}" for key, value in gap.items())
    msg = (
        f"{path}: expected a known gap that closed as a [[model.known_gap]] table of its own;"
        f" remove it by hand:{facts}"
    )
    raise CardError(msg)


def _parses_as(text: str, card: Mapping[str, object]) -> bool:
    try:
        return parsed(text) == card
    except tomllib.TOMLDecodeError:
        return False


def _blocks(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the first line of each known gap, and the line after its last key."""
    headers = [n for n, line in enumerate(lines) if _HEADER.match(line)]
    for first, last in pairwise([*headers, len(lines)]):
        if _ENTRY.match(lines[first]):
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
