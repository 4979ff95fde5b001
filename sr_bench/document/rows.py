"""What is found in the rows of tables, and what they print of one model once that is told apart."""

from dataclasses import dataclass
from typing import NamedTuple

from sr_bench.core.claim import Blank, Claim, Source
from sr_bench.core.precision import Precision
from sr_bench.document.cell import Cell
from sr_bench.document.columns import Column
from sr_bench.document.dimensions import Dimensions, Measure
from sr_bench.document.grids import Grid
from sr_bench.document.layout import Layout


@dataclass(frozen=True, eq=False)
class Line:
    """One row of a table, with what its own cells say of the numbers in it."""

    layout: Layout
    number: int
    """1-based."""
    cell: Cell
    """The one that it is called by."""
    labels: tuple[str, ...]
    """What it is called: the whole label, the model's name, and ``line 12``."""
    says: Dimensions
    """What its own cells say."""
    around: Dimensions
    """All that its numbers are about but for their column: the row, the one that heads it, and the
    table; without metrics."""
    qualified: bool
    """Whether its label names a precision or a backend."""
    remarks: tuple[str, ...]
    """What it says beside, such as notes and the section it stands in; it may tell rows apart."""
    ignored: str = ""
    """Why the card leaves its numbers out."""
    is_gain: bool = False
    """Whether its numbers are changes, as their signs show."""


class Finding(NamedTuple):
    """A number, or a cell for one, and all that it is about."""

    line: Line
    column: Column
    says: Dimensions
    """Without metrics."""
    measure: Measure
    cell: Cell
    source: Source
    """Of the cell."""
    text: str
    """The number as Python reads it; empty where a cell holds none."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What its row is called, and the model that it is of."""
        labels, model = self.line.labels, self.says.model
        return labels if model in labels else (*labels, model)


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
