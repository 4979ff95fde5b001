"""What one line of a table prints of one model, in one precision, on one dataset."""

from dataclasses import dataclass
from typing import NamedTuple

from sr_bench.core.claim import Blank, Claim
from sr_bench.core.precision import Precision
from sr_bench.document.cell import Cell
from sr_bench.document.grids import Grid


class Place(NamedTuple):
    """A cell, or a part of one, that answers a question."""

    asks: Claim | Blank
    cell: Cell
    """The number alone, without the marks around it, or what stands in its place."""


class ModelRow(NamedTuple):
    """What a row of a table prints of one model; a row may print several models and datasets.

    The fields that it shares with `Claim` are those of all of its claims.
    """

    row: str
    row_source: str
    precision: Precision
    backend: str
    dataset: str
    scale: int
    device: str
    variant: str
    shape: str
    shape_column: bool
    """Whether the table has a Shape column."""
    qualified: bool
    """Whether it is of a model in another precision, on another backend than its model row."""
    cell: Cell
    """The cell that names the model; where none does, the first of the row."""
    line: int
    """1-based."""
    places: tuple[Place, ...]
    """In the table's order."""

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Its numbers."""
        return tuple(one.asks for one in self.places if isinstance(one.asks, Claim))

    @property
    def blanks(self) -> tuple[Blank, ...]:
        """One for each cell that says that there is no number."""
        return tuple(one.asks for one in self.places if isinstance(one.asks, Blank))


@dataclass(frozen=True)
class ModelInfoTable:
    """One table with numbers of models."""

    table: Grid
    rows: tuple[ModelRow, ...]
