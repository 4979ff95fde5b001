"""What an update of documents did, or would do: edits, closed gaps, and what was left out."""

from collections.abc import Iterable
from dataclasses import dataclass

from sr_bench.core.card import KnownGap
from sr_bench.core.cell import CellKey
from sr_bench.core.claim import Source
from sr_bench.core.record import Record


@dataclass(frozen=True)
class Edit:
    """One cell with its new number."""

    key: CellKey
    place: Source
    """Of the cell before the update."""
    old: str
    new: str
    record: Record
    """Where the new number is from."""


@dataclass(frozen=True)
class GapRemoval:
    """A known gap that closed and leaves its card."""

    place: Source
    """Of the entry in the card before the update."""
    gap: KnownGap
    record: Record
    """One that showed it closed."""


@dataclass(frozen=True)
class LeftOut:
    """What was not updated, and why."""

    why: str
    what: tuple[str, ...]
    """The places, or the ids of what has no place in a document."""


@dataclass(frozen=True)
class Update:
    """The outcome for all documents of a run."""

    edits: tuple[Edit, ...]
    gaps: tuple[GapRemoval, ...]
    diff: str
    """Unified, of documents and cards, paths relative to the working directory; may be empty."""
    left_out: tuple[LeftOut, ...]
    refused: tuple[str, ...]
    """A message for each document that nothing was done in because something was wrong."""
    written: bool
    """Whether the edits are on disk; if not, they were only worked out."""


def group(pairs: Iterable[tuple[str, str]]) -> tuple[LeftOut, ...]:
    """Return what was left out, given as pairs of why and what, each reason once."""
    groups: dict[str, list[str]] = {}
    for why, what in pairs:
        groups.setdefault(why, []).append(what)
    return tuple(LeftOut(why, tuple(what)) for why, what in groups.items())
