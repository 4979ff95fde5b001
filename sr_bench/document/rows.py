"""A row of a model-info table, with the claims that its cells are."""

from collections.abc import Mapping
from dataclasses import dataclass

from sr_bench.core.claim import Blank, Claim
from sr_bench.core.metric import metric_headers
from sr_bench.core.precision import Precision
from sr_bench.document.cell import Cell
from sr_bench.document.grids import Grid
from sr_bench.document.labels import Label


@dataclass(frozen=True)
class ModelRow:
    """One row of a model-info table."""

    label: Label
    row_source: str
    """Source of the model row that this row belongs to, without markup; empty if there is none."""
    shape: str
    """The Shape cell as a reader sees it; empty if the table has no such column."""
    dataset: str
    """The Dataset cell; a blank one of a precision row is that of its model row."""
    cells: Mapping[str, Cell]
    """By column name, in the table's order: ``model``, ``psnr`` ..., or the column's header."""
    numbers: Mapping[str, Cell]
    """The numbers, without the marks around them, by metric."""
    claims: tuple[Claim, ...]
    """One for each of `numbers`, in the table's order."""
    blanks: tuple[Blank, ...]
    """One for each metric cell that says that there is no number, in the table's order."""
    line: int
    """1-based."""

    @property
    def metric_cells(self) -> Mapping[str, Cell]:
        """The cells for numbers, by metric, in the table's order."""
        metrics = set(metric_headers().values())
        return {name: cell for name, cell in self.cells.items() if name in metrics}

    @property
    def row(self) -> str:
        """Label of the model row that this row belongs to, without markup."""
        return self.label.model

    @property
    def backend(self) -> str:
        """The backend word of the label; empty if there is none."""
        return self.label.backend

    @property
    def precision(self) -> Precision:
        """The precision of the label; fp32 if it names none."""
        return self.label.precision


@dataclass(frozen=True)
class ModelInfoTable:
    """One model-info table: a model column, metric columns, and a row per model x precision."""

    table: Grid
    columns: tuple[str, ...]
    """Column names in order, as `ModelRow.cells` has them."""
    rows: tuple[ModelRow, ...]
