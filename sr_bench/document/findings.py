"""What is found in the rows of a table, before equal questions are told apart."""

from dataclasses import dataclass
from typing import NamedTuple

from sr_bench.core.claim import Source
from sr_bench.document.cell import Cell
from sr_bench.document.columns import Column
from sr_bench.document.dimensions import Dimensions, Measure
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
