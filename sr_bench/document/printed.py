"""Every printed number of a document: read as a claim, ignored by the card, or named."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sr_bench.core.claim import Source
from sr_bench.core.ignored import Ignored
from sr_bench.document.cell import Cell
from sr_bench.document.draft import draft
from sr_bench.document.grids import LONG, Grid
from sr_bench.document.layout import Layout
from sr_bench.text import toml
from sr_bench.text.printable import counted

Scope = Literal["column", "row", "table"]


class Printed(NamedTuple):
    """A cell with a digit that says more than what its row is about."""

    source: Source
    cell: Cell
    layout: Layout
    """The table that it is in, as it is read."""
    header: str
    """Of its column; empty if it has none."""
    labels: tuple[str, ...]
    """Of its row: the whole, then the model's name."""
    scope: Scope
    """What the fault is one of, and what to ignore."""
    fault: str
    """Why no claim holds it; empty if one does."""
    ignored: str = ""
    """Why the card ignores it; empty if it does not."""

    @property
    def text(self) -> str:
        """What a reader sees of the cell; its source, where that is nothing."""
        return self.cell.plain or self.cell.text

    @property
    def grid(self) -> Grid:
        """The table that it is in."""
        return self.layout.grid

    @property
    def unread(self) -> bool:
        """Whether nobody reads it, and nobody says why."""
        return bool(self.fault and not self.ignored)

    def ignored_by(self, ignored: Ignored) -> str:
        """Return why `ignored` leaves it out; empty if it does not."""
        table = ignored.table(self.grid.names)
        return table or ignored.column(self.header) or ignored.row(self.labels)


@dataclass(frozen=True)
class NumberCounts:
    """What became of the numbers of documents."""

    read: int = 0
    unread: int = 0
    ignored: int = 0

    def __str__(self) -> str:
        every = counted(self.read + self.unread + self.ignored, "number")
        return f"{every}: {self.read} read, {self.unread} unread, {self.ignored} ignored"


@dataclass(frozen=True)
class UnreadNumbers:
    """Numbers of one table that are not read for one reason."""

    source: Source
    """Of the first."""
    message: str
    """What they are, why nothing reads them, and how to have them read or ignored."""


def unread_numbers(printed: Iterable[Printed]) -> tuple[UnreadNumbers, ...]:
    """Return what is neither read nor ignored, by table, column or row, and reason."""
    groups: dict[tuple[object, ...], list[Printed]] = {}
    for one in (one for one in printed if one.unread):
        part = {"column": one.header, "row": one.labels[0], "table": ""}[one.scope]
        groups.setdefault((one.grid.line, one.scope, part, one.fault), []).append(one)
    drafted: set[int] = set()
    return tuple(UnreadNumbers(a[0].source, _message(a, drafted)) for a in groups.values())


def number_counts(printed: Iterable[Printed]) -> NumberCounts:
    """Return how many of `printed` are read, unread and ignored."""
    every = tuple(printed)
    ignored = sum(bool(one.ignored) for one in every)
    unread = sum(one.unread for one in every)
    return NumberCounts(len(every) - ignored - unread, unread, ignored)


def _message(group: Sequence[Printed], drafted: set[int]) -> str:
    first = group[0]
    table = first.grid.names[0]
    names = {"column": first.header, "row": first.labels[0], "table": table}
    scope = first.scope if 0 < len(names[first.scope]) <= LONG else "table"
    where = f"table {table!r}" + (f", {scope} {names[scope]!r}" if scope != "table" else "")
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    key, told = toml.value(names[scope]), ""
    # A row, or what is no table, is mended where it stands; a table is told once for all columns.
    if first.scope != "row" and not first.grid.shapeless and first.grid.line not in drafted:
        drafted.add(first.grid.line)
        text = draft(first.layout)
        told = f"; or say what it is:\n{text}" if "?" in text else ""  # else it is the cell's fault
    return (
        f"{where}: nothing reads {first.text!r:.{LONG}}{more}: {first.fault};"
        f' or ignore it in card.toml: ignore_{scope}s = {{ {key} = "why" }}{told}'
    )
