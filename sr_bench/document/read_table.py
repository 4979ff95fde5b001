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
from sr_bench.document.labelled_parts import labelled_parts
from sr_bench.document.layout import Layout
from sr_bench.document.numbers_in_cells import changed, numbers_in
from sr_bench.document.printed import Printed, Scope
from sr_bench.document.printed_numbers import read_numbers
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
                apart = column and not column.fault and column.role not in ("number", "unknown")
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
    if has_digit(cell.text):
        parts = () if read_numbers(cell) else labelled_parts(cell)
        for own, part in parts or ((Dimensions(), cell),):
            says = _says(line, own, column.says)
            for number in numbers_in(part, says.measures, line.layout.says.measures):
                if number.text:
                    yield Finding(line, column, says, number.measure, number.cell, number.text)
        return
    says = _says(line, column.says)
    if len(says.measures) == 1 and says.measures[0].metric in metric_infos():
        yield Finding(line, column, says, says.measures[0], cell, "")


def _says(line: Line, *nearer: Dimensions) -> Dimensions:
    """Return all that the numbers of a cell are about; cell, column and row come before all else.

    The measures are those of cell, column and row alone.

    Raises:
        ValueError: They name two precisions.
    """
    says, precision = Dimensions(), None
    for said in (*nearer, line.says):
        both = agreed(precision, said.precision)
        if both is None and precision:
            msg = f"expected one precision, got {precision} and {said.precision} from its headers"
            raise ValueError(msg)
        says, precision = says.over(said), both
    around = line.section.over(line.layout.says)
    if not line.layout.names_precisions:
        precision = precision or around.precision
    precision = precision or line.section.precision or Precision.FP32
    measures = changed(says.measures, line.says.measures)
    return replace(says.over(around), precision=precision, measures=measures)


def _prints_number(column: Column, cell: Cell) -> bool:
    """Tell whether `cell`, of no column of numbers, prints one that says more than what a row is.

    Notes, names and shapes may have digits, but none is a decimal alone.
    """
    if column.role in ("unknown", "number") or column.fault:
        return has_digit(cell.text if "badge" in cell.text else cell.plain)
    if column.role == "scale" or _DECIMALS.search(column.header):
        return False
    return bool(_DECIMAL.fullmatch(cell.plain))
