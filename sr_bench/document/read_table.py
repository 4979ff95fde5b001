"""Read tables row by row; what can't be read is noted with the reason, and nothing is dropped."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Final

from sr_bench.core.claim import Blank, Claim, dataset_key
from sr_bench.core.fields import narrowed
from sr_bench.core.ignored import Ignored
from sr_bench.core.precision import Precision
from sr_bench.document.cell import Cell
from sr_bench.document.columns import (
    Column,
    claim_fault,
    has_models,
    ignored_column,
    prints_number,
    read_number,
)
from sr_bench.document.grids import Grid
from sr_bench.document.labels import Label, read_label
from sr_bench.document.printed import Printed, Scope
from sr_bench.document.results import looks_like_results
from sr_bench.document.rows import ModelInfoTable, ModelRow
from sr_bench.document.spelling import has_number
from sr_bench.document.tables import Document
from sr_bench.errors import DocumentError

_BLANK: Final = frozenset({"", "-", "–", "—"})  # noqa: RUF001 - dashes that people type for "nothing"
_PRECISION_COLUMNS: Final = frozenset({"precision", "dtype", "datatype", "quant", "quantization"})
_FULL: Final = frozenset({"float", "float32", "full", "single", "none", "no", "32"})


class TableReader:
    """Reads the tables of one document in order; a row may belong to one of a table above."""

    def __init__(self, document: Document, ignored: Ignored) -> None:
        self.printed: list[Printed] = []
        self.labels: set[str] = set()
        self._document = document
        self._place = re.compile(rf"^{re.escape(document.path)}:[0-9:]+ ")
        self._ignored = ignored
        # The nearest model row above: of a label and source, of a label (source None), or of any
        # (None); by key, as a search of all rows for each of them would take long.
        self._owners: dict[tuple[str, str | None] | None, ModelRow] = {}
        self._answered: dict[tuple[str, ...], ModelRow] = {}

    def read(self, grid: Grid) -> ModelInfoTable:
        """Return the rows of `grid`, a model-info table, that can be read and are not ignored."""
        columns = tuple(
            ignored_column(column) if self._ignored.column(column.header) else column
            for column in grid.columns
        )
        rows = (
            self._row(grid, columns, *row) for row in zip(grid.row_lines, grid.rows, strict=True)
        )
        return ModelInfoTable(grid, tuple(c.name for c in columns), tuple(filter(None, rows)))

    def name(self, grid: Grid, models: Iterable[str]) -> None:
        """Note the numbers of a table that can't be read, if it has models or is one of results."""
        columns = grid.columns
        modelled = has_models(columns)
        if not modelled and not looks_like_results(grid, models):
            return
        fault = grid.fault
        for row in grid.rows:
            label = row[0].plain if row else ""
            self.labels.add(label)
            for column, cell in zip_longest(columns, row):
                apart = column is not None and column.kind in ("identity", "remark")
                if cell is not None and (
                    prints_number(column, cell)
                    if modelled
                    else has_number(cell.plain) and not apart
                ):
                    self._note(grid, column, cell, (label,), fault, "table")

    def _row(
        self, grid: Grid, columns: Sequence[Column], line: int, cells: tuple[Cell, ...]
    ) -> ModelRow | None:
        row, fault = None, ""
        try:
            row = self._read(columns, line, cells)
        except DocumentError as error:
            fault = re.sub(self._place, "", str(error))
        labels = (*_label_cell(columns, cells), *((row.row,) if row else ()))
        if len(cells) != len(columns):  # which cell is below which header is anyone's guess
            columns = ()
        self.labels.update(labels)
        ignored = self._ignored.table(grid.names) or self._ignored.row(labels)
        twins = self._twins(row) if row and not ignored else {}
        faulty = set(twins)
        for column, cell in zip_longest(columns, cells):
            if cell is not None and prints_number(column, cell):
                twin = twins.get(column.name, "") if column else ""
                why = fault or twin or claim_fault(column, cell)
                if column and column.kind == "metric" and why:
                    faulty.add(column.name)
                scope: Scope = "row" if fault else "table" if twin else "column"
                self._note(grid, column, cell, labels, why, scope)
        return None if ignored or not row else self._claimed(row, faulty)

    def _read(self, columns: Sequence[Column], line: int, cells: tuple[Cell, ...]) -> ModelRow:
        """Return the row without claims; raises DocumentError if it can't be told what it is."""
        if len(cells) != len(columns):
            fault = "lost a column" if len(cells) < len(columns) else "has a column too many"
            msg = (
                f"{self._document.path}:{line}: expected {len(columns)} cells as in the header, got"
                f" {len(cells)}: the row {fault} (a pipe inside a cell is written \\|)"
            )
            raise DocumentError(msg)
        named = {column.name: cell for column, cell in zip(columns, cells, strict=True)}
        place = str(self._document.source(named["model"]))
        label = read_label(named["model"].markdown, where=place)
        _check_precision(label, named, place)
        source, dataset = _value(named, "source"), _value(named, "dataset")
        # Two models may share a label and differ in Source; most precision rows leave that blank.
        owner = self._owners.get((label.model, source)) or self._owners.get((label.model, None))
        if label.qualified and owner:
            source, dataset = owner.row_source, dataset or owner.dataset
        elif label.qualified:
            raise DocumentError(self._ownerless(label, place))
        shape = named["shape"].plain if "shape" in named else ""
        row = ModelRow(label, source, shape, dataset, named, {}, (), (), line)
        if not label.qualified:
            self._owners |= dict.fromkeys(((row.row, source), (row.row, None), None), row)
        return row

    def _ownerless(self, label: Label, place: str) -> str:
        above = self._owners.get(None)
        nearest = f"{above.row!r} in line {above.line}" if above else "none"
        return (
            f"{place}: expected a row of the model {label.model!r} above its {label.precision} row;"
            f" the nearest model row above is {nearest}"
        )

    def _twins(self, row: ModelRow) -> dict[str, str]:
        """Return what is wrong with the metrics of `row` that a row above answers already."""
        name = (row.row, row.row_source, row.backend, row.precision, dataset_key(row.dataset))
        twins = {}
        # Cost and accuracy may be in two tables.
        for metric in row.metric_cells:
            first = self._answered.setdefault((*name, metric), row)
            if first is not row:
                words = ", ".join(filter(None, (*name[:-1], row.dataset)))
                twins[metric] = (
                    f"expected one row for {words}, got a second one beside line {first.line};"
                    " tell them apart by Source or Dataset"
                )
        return twins

    def _claimed(self, row: ModelRow, faulty: set[str]) -> ModelRow:
        """Return `row` with its claims and blanks, without cells whose number can't be read."""
        cells = {name: cell for name, cell in row.cells.items() if name not in faulty}
        row = replace(row, cells=cells)
        read = {metric: read_number(cell) for metric, cell in row.metric_cells.items()}
        numbers = {metric: number for metric, number in read.items() if number is not None}
        source = self._document.source
        claims = tuple(
            narrowed(Claim, row, metric=metric, text=cell.text, source=source(cell))
            for metric, cell in numbers.items()
        )
        blanks = tuple(
            narrowed(Blank, row, metric=metric, source=source(cell))
            for metric, cell in row.metric_cells.items()
            if metric not in numbers
        )
        return replace(row, numbers=numbers, claims=claims, blanks=blanks)

    def _note(
        self,
        grid: Grid,
        column: Column | None,
        cell: Cell,
        labels: Sequence[str],
        fault: str,
        scope: Scope,
    ) -> None:
        source = self._document.source(cell)
        header = column.header if column else ""
        one = Printed(source, cell.plain or cell.text, grid, header, tuple(labels), scope, fault)
        self.printed.append(replace(one, ignored=one.ignored_by(self._ignored)))


def _label_cell(columns: Sequence[Column], cells: Sequence[Cell]) -> tuple[str]:
    place = next(index for index, column in enumerate(columns) if column.name == "model")
    return (cells[place].plain if place < len(cells) else "",)


def _check_precision(label: Label, cells: Mapping[str, Cell], place: str) -> None:
    """Refuse a row whose column Precision says something else than its label."""
    for name in (name for name in cells if name.lower() in _PRECISION_COLUMNS):
        text = cells[name].plain
        if _contradicts(text.lower(), label.precision):
            msg = (
                f"{place}: the column {name!r} says {text!r} and the label {label.precision}; the"
                " precision is read from the label, as in 'RCAN **int8 max**'"
            )
            raise DocumentError(msg)


def _contradicts(text: str, precision: Precision) -> bool:
    """Tell whether a Precision cell, in lower case, names another than `precision`, or none."""
    if text in (*_BLANK, precision.dtype):
        return False
    if text in _FULL:
        return not precision.is_full
    try:
        return Precision.parse(text) != precision
    except ValueError:
        return True


def _value(cells: Mapping[str, Cell], column: str) -> str:
    text = cells[column].plain if column in cells else ""
    return "" if text in _BLANK else text
