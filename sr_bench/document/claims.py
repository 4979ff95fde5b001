"""Read a document's model-info tables into rows, and their numbers into claims."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sr_bench.core.claim import Blank, Claim
from sr_bench.core.fields import narrowed
from sr_bench.core.metric import metric_headers
from sr_bench.core.precision import Precision
from sr_bench.document.columns import is_model_info, lost_its_shape, read_columns, read_number
from sr_bench.document.labels import Label, read_label
from sr_bench.document.tables import Cell, Document, PipeTable, check_columns
from sr_bench.errors import DocumentError

_BLANK = frozenset({"", "-", "–", "—"})  # noqa: RUF001 - dashes that people type for "nothing"


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
        return _metric_cells(self.cells)

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

    table: PipeTable
    columns: tuple[str, ...]
    """Column names in order, as `ModelRow.cells` has them."""
    rows: tuple[ModelRow, ...]


# The nearest model row above: of a label and source, of a label (source None), or of any (None);
# kept by key, as a search of all rows for each of them would take long in a document of many.
_Owners = dict[tuple[str, str | None] | None, ModelRow]


def read_model_tables(document: Document) -> tuple[ModelInfoTable, ...]:
    """Return the model-info tables of `document`; other tables are ignored.

    Raises:
        DocumentError: A table lost a column, a label or a number can't be read, a precision row
            has no model row, or two rows say the same.
    """
    for broken in document.broken:
        # To Markdown it is no table: its numbers would silently go untested.
        if lost_its_shape(broken):
            check_columns(document, broken)
    tables: list[ModelInfoTable] = []
    above: list[ModelRow] = []
    owners: _Owners = {}
    for table in filter(is_model_info, document.tables):
        check_columns(document, table)
        columns = read_columns(document, table)
        start = len(above)
        for cells in table.rows:
            row = _read_row(document, dict(zip(columns, cells, strict=True)), owners)
            above.append(row)
            if not row.label.qualified:
                owners |= dict.fromkeys(((row.row, row.row_source), (row.row, None), None), row)
        tables.append(ModelInfoTable(table, columns, tuple(above[start:])))
    _refuse_duplicates(document, above)
    return tuple(tables)


def read_claims(document: Document) -> tuple[Claim, ...]:
    """Return every number of the tables, in reading order; raises as `read_model_tables`."""
    tables = read_model_tables(document)
    return tuple(claim for table in tables for row in table.rows for claim in row.claims)


def _read_row(document: Document, cells: Mapping[str, Cell], owners: _Owners) -> ModelRow:
    place = str(document.source(cells["model"]))
    label = read_label(cells["model"].text, where=place)
    source, dataset = _value(cells, "source"), _value(cells, "dataset")
    # Two models may share a label and differ in Source; most precision rows leave that blank.
    owner = owners.get((label.model, source)) or owners.get((label.model, None))
    if label.qualified and owner:
        source, dataset = owner.row_source, dataset or owner.dataset
    elif label.qualified:
        above = owners.get(None)
        nearest = f"{above.row!r} in line {above.line}" if above else "none"
        msg = (
            f"{place}: expected a row of the model {label.model!r} above its {label.precision} row;"
            f" the nearest model row above is {nearest}"
        )
        raise DocumentError(msg)
    shape = cells["shape"].plain if "shape" in cells else ""
    read = {metric: read_number(document, cell) for metric, cell in _metric_cells(cells).items()}
    numbers = {metric: number for metric, number in read.items() if number is not None}
    row = ModelRow(label, source, shape, dataset, cells, numbers, (), (), cells["model"].line)
    claims = tuple(
        narrowed(Claim, row, metric=metric, text=cell.text, source=document.source(cell))
        for metric, cell in numbers.items()
    )
    blanks = tuple(
        narrowed(Blank, row, metric=metric, source=document.source(cell))
        for metric, cell in row.metric_cells.items()
        if metric not in numbers
    )
    return replace(row, claims=claims, blanks=blanks)


def _value(cells: Mapping[str, Cell], column: str) -> str:
    text = cells[column].plain if column in cells else ""
    return "" if text in _BLANK else text


def _metric_cells(cells: Mapping[str, Cell]) -> dict[str, Cell]:
    metrics = set(metric_headers().values())
    return {name: cell for name, cell in cells.items() if name in metrics}


def _refuse_duplicates(document: Document, rows: Sequence[ModelRow]) -> None:
    """Refuse two rows that answer the same question; cost and accuracy may be in two tables."""
    seen: dict[tuple[str, ...], ModelRow] = {}
    for row in rows:
        name = (row.row, row.row_source, row.backend, row.precision, row.dataset)
        for metric in row.metric_cells:
            first = seen.setdefault((*name, metric), row)
            if first is not row:
                words = ", ".join(filter(None, name))
                msg = (
                    f"{document.path}:{row.line}: expected one row for {words}, got a second one"
                    f" beside line {first.line}; tell them apart by Source or Dataset"
                )
                raise DocumentError(msg)
