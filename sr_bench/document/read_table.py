"""Read tables row by row into numbers; what can't be read is noted, and nothing is dropped."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Final

from sr_bench.core.ignored import Ignored
from sr_bench.core.metric import metric_infos
from sr_bench.core.precision import Precision
from sr_bench.document.cell import Cell
from sr_bench.document.columns import Column
from sr_bench.document.dimensions import Dimensions
from sr_bench.document.findings import Finding, Line
from sr_bench.document.layout import Layout
from sr_bench.document.numbers_in_cells import numbers_in
from sr_bench.document.printed import Printed, Scope
from sr_bench.document.row_labels import RowReader, agreed
from sr_bench.document.spelling import has_digit, has_number
from sr_bench.document.tables import Document
from sr_bench.errors import DocumentError

_DECIMAL: Final = re.compile(r"\W*[0-9]+[.,][0-9]+\W*")
_DECIMALS: Final = re.compile("version|opset", re.I)
"""Headers of remarks that are decimals."""


class TableReader:
    """Reads the tables of one document in order; a row may belong to one of a table above."""

    def __init__(self, document: Document, ignored: Ignored) -> None:
        self.printed: list[Printed] = []
        self.findings: list[Finding] = []
        self.labels: set[str] = set()
        self._document = document
        self._place = re.compile(rf"^{re.escape(document.path)}:[0-9:]+ ")
        self._ignored = ignored
        self._rows = RowReader(document)

    def read(self, layout: Layout) -> None:
        """Find the numbers of a table that can be read, and note those of it that can't."""
        self._rows.begin(layout)
        for number, cells in zip(layout.body.row_lines, layout.body.rows, strict=True):
            self._row(layout, number, cells)

    def name(self, layout: Layout) -> None:
        """Note the numbers of a table of results none of which can be read."""
        for row in layout.grid.rows:
            label = row[0].plain if row else ""
            self.labels.add(label)
            for column, cell in zip_longest(layout.columns, row):
                apart = column is not None and column.role not in ("number", "unknown")
                if cell is not None and has_number(cell.plain) and not apart:
                    self._note(layout, column, cell, (label,), layout.fault, "table")

    def note(self, finding: Finding, fault: str) -> None:
        """Note a number, and why no claim holds it: no fault if one does, or a card ignores it."""
        line = finding.line
        labels = (*line.labels, finding.says.model)
        self._note(line.layout, finding.column, finding.cell, labels, fault, "row")

    def _row(self, layout: Layout, number: int, cells: tuple[Cell, ...]) -> None:
        try:
            line = self._rows.read(number, cells)
        except DocumentError as error:
            fault = re.sub(self._place, "", str(error))
            labels = (cells[min(layout.label_column, len(cells) - 1)].plain,) if cells else ("",)
            self.labels.update(labels)
            for cell in (cell for cell in cells if has_number(cell.plain)):
                self._note(layout, None, cell, labels, fault, "row")
            return
        if line:
            self.labels.update(line.labels)
            for column, cell in zip(layout.columns, cells, strict=True):
                self._cell(line, column, cell)

    def _cell(self, line: Line, column: Column, cell: Cell) -> None:
        layout = line.layout
        if not column.holds_numbers:
            if _prints_number(column, cell):
                why = column.fault or f"expected no result in the column {column.header!r}"
                self._note(layout, column, cell, line.labels, why, "column")
            return
        try:
            found = list(_findings(line, column, cell))
        except ValueError as fault:
            self._note(layout, column, cell, line.labels, str(fault), "column")
            return
        for finding in found:
            self.labels.add(finding.says.model)
            labels = (*line.labels, finding.says.model)
            if not (self._ignored.table(layout.grid.names) or self._ignored.row(labels)):
                self.findings.append(finding)
            elif finding.text:
                self.note(finding, "")

    def _note(
        self,
        layout: Layout,
        column: Column | None,
        cell: Cell,
        labels: Sequence[str],
        fault: str,
        scope: Scope,
    ) -> None:
        source = self._document.source(cell)
        header = column.header if column else ""
        text = cell.plain or cell.text
        one = Printed(source, text, layout, header, tuple(labels), scope, fault)
        self.printed.append(replace(one, ignored=one.ignored_by(self._ignored)))


def _findings(line: Line, column: Column, cell: Cell) -> Iterator[Finding]:
    """Yield the numbers of a cell, or the cell itself if it may hold one.

    Raises:
        ValueError: It prints what can't be read; the message says what was expected.
    """
    says = _says(line, column)
    measures = column.says.measures or line.says.measures
    if has_digit(cell.text):
        for number in numbers_in(cell, measures, line.layout.says.measures):
            yield Finding(line, column, says, number.measure, number.cell, number.text)
    elif len(measures) == 1 and measures[0].metric in metric_infos():
        yield Finding(line, column, says, measures[0], cell, "")


def _says(line: Line, column: Column) -> Dimensions:
    """Return all that the numbers of a cell are about; column and row come before all else.

    Raises:
        ValueError: Column and row name two precisions.
    """
    said = column.says, line.says
    precision = agreed(*(says.precision for says in said))
    if precision is None and all(says.precision for says in said):
        names = " and ".join(str(says.precision) for says in said)
        msg = f"expected one precision, got {names} from its column and its row"
        raise ValueError(msg)
    nearest = said[0].over(said[1])
    around = line.section.over(line.layout.says)
    if not line.layout.names_precisions:
        precision = precision or around.precision
    says = nearest.over(around)
    return replace(says, precision=precision or line.section.precision or Precision.FP32)


def _prints_number(column: Column, cell: Cell) -> bool:
    """Tell whether `cell`, of no column of numbers, prints one that says more than what a row is.

    Notes, names and shapes may have digits, but none is a decimal alone.
    """
    if column.role in ("unknown", "number") or column.fault:
        return has_digit(cell.text if "badge" in cell.text else cell.plain)
    if column.role == "scale" or _DECIMALS.search(column.header):
        return False
    return bool(_DECIMAL.fullmatch(cell.plain))
