"""Take a known gap out of the text of a card.toml, leaving every other byte alone."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import cast

from sr_bench.errors import CardError

_HEADER = re.compile(r"[ \t]*\[")
_ENTRY = re.compile(r"[ \t]*\[\[")
_IDLE = re.compile(r"[ \t]*(#.*)?\r?\n?")
"""A line that is blank or only a comment."""

_TRIED = 10
"""Tables of the same content that are tried; the time for all is the square of their number."""

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
        CardError: The entry is not written as a ``[[...]]`` table of its own, or is among more
            than `_TRIED` of the same content, some of them written in line.
    """
    gaps = _gaps(_parsed(text), model, entry)
    wanted = _without(_parsed(text), model, entry)
    lines = re.split(r"(?<=\n)", text)
    for first, last in _alike(lines, gaps):
        rest = "".join(_cut(lines, first, last))
        # The parser is asked, so that brackets within strings and the like can't mislead.
        if _parses_as(rest, wanted):
            return Removal(rest, first + 1)
    told = "".join(f"\n    {key} = {value!r}" for key, value in gaps[-1].items())
    msg = (
        f"{path}: expected a known gap that closed as a [[model.known_gap]] table of its own;"
        f" remove it by hand:{told}"
    )
    raise CardError(msg)


def _parsed(text: str) -> dict[str, object]:
    return tomllib.loads(text.removeprefix("\ufeff"))


def _parses_as(text: str, wanted: Mapping[str, object]) -> bool:
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


def _gaps(card: dict[str, object], model: int, entry: int) -> Tables:
    """Return the known gaps of `card` up to the one at `entry` of `model`."""
    *earlier, own = cast(Tables, card["model"])[: model + 1]
    found = [gap for table in earlier for gap in cast(Tables, table.get("known_gap", []))]
    return found + cast(Tables, own["known_gap"])[: entry + 1]


def _alike(lines: list[str], gaps: Tables) -> list[tuple[int, int]]:
    """Return the blocks that say what the last of `gaps` does, the likeliest first.

    As each is tried on the whole card, there are no more than `_TRIED`.
    """
    wanted = {"model": {"known_gap": [gaps[-1]]}}
    found = [block for block in _blocks(lines) if _parses_as("".join(lines[slice(*block)]), wanted)]
    # It is as far behind its likes as in the card, unless some are written in line.
    place = gaps[:-1].count(gaps[-1])
    order = sorted(range(len(found)), key=lambda index: abs(index - place))
    return [found[index] for index in order[:_TRIED]]


def _blocks(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the first line of each ``[[...]]`` table, and the line after its last key."""
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
