"""Read tables row by row into numbers; what can't be read is noted, and nothing is dropped."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, zip_longest
from typing import Final

from sr_bench.core.metric import metric_infos
from sr_bench.core.precision import agreed
from sr_bench.document.cell import Cell
from sr_bench.document.changes import gains, is_gain
from sr_bench.document.columns import Column
from sr_bench.document.dimensions import Dimensions, Measure
from sr_bench.document.layout import Layout
from sr_bench.document.listed import listed_numbers
from sr_bench.document.numbers_in_cells import changed, labelled_parts, numbers_in, unstacked
from sr_bench.document.phrases import UNNAMED
from sr_bench.document.printed import Printed, Scope
from sr_bench.document.printed_numbers import Number, read_numbers
from sr_bench.document.row_labels import RowReader
from sr_bench.document.rows import Finding, Line
from sr_bench.document.spelling import has_digit, has_fraction, has_number
from sr_bench.document.tables import Document
from sr_bench.errors import DocumentError

_DECIMAL: Final = re.compile(r"\W*[0-9]+[.,][0-9]+ ?(?:[KMGBT]|[KMG]i?B)?\W*", re.I)
_NO_MODEL: Final = "no column, row or heading names the model that it is of"
_VERSIONS: Final = re.compile("version|opset", re.I)
"""Headers of remarks that are decimals."""


class TableReader:
    """Reads the tables of one document in order; a row may belong to one of a table above."""

    def __init__(self, document: Document) -> None:
        self.printed: list[Printed] = []
        self.findings: list[Finding] = []
        self.labels: set[str] = set()
        self._document = document
        self._place = re.compile(rf"^{re.escape(document.path)}:[0-9:]+ ")
        self._ignored = document.ignored
        self._rows = RowReader(document)

    def read(self, layout: Layout) -> None:
        """Find the numbers of a table that can be read, and note those of it that can't."""
        self._rows.begin(layout)
        for number, cells in zip(layout.body.row_lines, layout.body.rows, strict=True):
            for row in unstacked(layout.columns, cells):
                self._row(layout, number, row)

    def name(self, layout: Layout) -> None:
        """Note the numbers of a table of results none of which can be read."""
        for row in layout.grid.rows:
            label = row[0].plain if row else ""
            self.labels.add(label)
            for column, cell in zip_longest(layout.columns, row):
                apart = column and not column.ignored and column.role not in ("number", "unknown")
                if cell is not None and has_number(cell.plain) and not apart:
                    self._note(layout, column, cell, (label,), layout.fault, "table")

    def note(self, finding: Finding, fault: str, ignored: str = "") -> None:
        """Note a number, and why no claim holds it: its fault, or why the card ignores it."""
        place = (finding.source, finding.cell, finding.line.layout)
        names = (finding.column.header, finding.labels)
        self.printed.append(Printed(*place, *names, "row", fault, ignored))

    def _row(self, layout: Layout, number: int, cells: tuple[Cell, ...]) -> None:
        try:
            line = self._rows.read(number, cells)
        except DocumentError as error:
            fault = re.sub(self._place, "", str(error))
            first = cells[min(layout.model_column or 0, len(cells) - 1)].plain if cells else ""
            labels = (first, f"line {number}")
            self.labels.update(labels)
            for cell in (cell for cell in cells if has_number(cell.plain)):
                self._note(layout, None, cell, labels, fault, "row")
            return
        if line:
            self.labels.update(line.labels)
            if is_gain(layout.columns, cells):
                line = replace(line, is_gain=True)
            for column, cell in _of_each_cell(layout.columns, cells):
                self._cell(line, column, cell)

    def _cell(self, line: Line, column: Column, cell: Cell) -> None:
        layout = line.layout
        if not column.holds_numbers:
            if _prints_number(column, cell):
                why = column.fault or f"expected no result in the column {column.header!r}"
                self._note(layout, column, cell, line.labels, why, "column", line.ignored)
            return
        try:
            found = self._findings(line, column, cell)
        except ValueError as fault:
            self._note(layout, column, cell, line.labels, str(fault), "column", line.ignored)
            return
        for finding in found:
            self.labels.add(finding.says.model)
            if not (why := self._why_ignored(finding)):
                self.findings.append(finding)
            elif finding.text:
                self.note(finding, "", why)

    def _findings(self, line: Line, column: Column, cell: Cell) -> list[Finding]:
        """Return the numbers of a cell, or the cell itself if it may hold one.

        Raises:
            ValueError: It prints what can't be read; the message says what was expected.
        """
        measures = changed(column.says.measures, line.says.measures) or line.says.measures
        measures = gains(measures) if line.is_gain else measures
        source = self._document.source
        if not has_digit(cell.text):
            if len(measures) != 1 or measures[0].metric not in metric_infos():
                return []
            says = _about(line, column.about)
            return [Finding(line, column, says, measures[0], cell, source(cell), "")]
        found = []
        for nearer, numbers in _numbers(line, column, cell, measures):
            says = _about(line, nearer)
            if not says.model:
                raise ValueError(_NO_MODEL)
            for number, measure in numbers:
                if text := number.text:
                    part = number.cell
                    found.append(Finding(line, column, says, measure, part, source(part), text))
        return found

    def _why_ignored(self, finding: Finding) -> str:
        """Return why the card ignores a number; empty if it doesn't."""
        line, ignored = finding.line, self._ignored
        if line.ignored or not (ignored.tables or ignored.rows):
            return line.ignored
        return ignored.table(line.layout.grid.names) or ignored.row(finding.labels)

    def _note(
        self,
        layout: Layout,
        column: Column | None,
        cell: Cell,
        labels: tuple[str, ...],
        fault: str,
        scope: Scope,
        told: str = "",
    ) -> None:
        header, told = (column.header, told or column.ignored) if column else ("", told)
        source = self._document.source(cell)
        one = Printed(source, cell, layout, header, labels, scope, fault, told)
        self.printed.append(one._replace(ignored=told or one.ignored_by(self._ignored)))


def _of_each_cell(
    columns: Sequence[Column], cells: Sequence[Cell]
) -> Iterator[tuple[Column, Cell]]:
    """Yield the column of each cell; of a number that spans several metrics, one of them all."""
    pairs = zip(columns, cells, strict=True)
    if len(set(map(id, cells))) == len(cells):  # none spans others
        yield from pairs
        return
    for _, group in groupby(pairs, key=lambda pair: id(pair[1])):
        spanned = list(group)
        column, cell = spanned[0]
        if len(spanned) > 1 and has_digit(cell.text) and all(c.holds_numbers for c, _ in spanned):
            measures = tuple(dict.fromkeys(m for c, _ in spanned for m in c.says.measures))
            if len(measures) > len(column.says.measures):
                yield replace(column, says=column.says._replace(measures=measures)), cell
                continue
        yield from spanned


def _numbers(
    line: Line, column: Column, cell: Cell, measures: Sequence[Measure]
) -> list[tuple[Dimensions, Sequence[tuple[Number, Measure]]]]:
    """Return the numbers of a cell, together with what is said of them nearer than in their row."""
    around = line.layout.says.measures
    named = measures if measures and measures[0].metric != UNNAMED else around
    if "/" in column.header and (listed := listed_numbers(column.header, cell, named)):
        return [(own.over(column.about), numbers) for own, numbers in listed]
    try:
        return [(column.about, numbers_in(cell, measures, around))]
    except ValueError:
        if not (parts := labelled_parts(cell)):
            raise
    return [
        (
            own._replace(measures=()).over(column.about),
            numbers_in(part, own.measures or measures, around),
        )
        for own, part in parts
    ]


def _about(line: Line, nearer: Dimensions) -> Dimensions:
    """Return all that numbers are about; what is `nearer` than their row comes before that.

    Raises:
        ValueError: The two name other precisions.
    """
    says = nearer.over(line.around)
    if not (nearer.precision and line.says.precision):
        return says
    precision = agreed(nearer.precision, line.says.precision)
    if precision is None:
        names = f"{nearer.precision} from its column and {line.says.precision} from its row"
        msg = f"expected one precision, got {names}"
        raise ValueError(msg)
    return says._replace(precision=precision)


def _prints_number(column: Column, cell: Cell) -> bool:
    """Tell whether `cell`, of no column of numbers, prints one that says more than what a row is.

    Notes, names and shapes may have digits, but none is a decimal alone, or a few.
    """
    if column.role in ("unknown", "number") or column.fault or column.ignored:
        return has_digit(cell.text if "badge" in cell.text else cell.plain)
    if not has_fraction(cell.text) or column.role == "scale" or _VERSIONS.search(column.header):
        return False
    return bool(_DECIMAL.fullmatch(cell.plain)) or any("." in n.text for n in read_numbers(cell))
