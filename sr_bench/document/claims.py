"""Read a document's tables into rows, and their numbers into claims; and the cells of those."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from sr_bench.core.cell import CellKey
from sr_bench.core.claim import Blank, Claim, Source, dataset_key
from sr_bench.core.fields import narrowed
from sr_bench.core.precision import Precision
from sr_bench.document.around import MOST_WORDS
from sr_bench.document.cell import Cell
from sr_bench.document.dimensions import Dimensions
from sr_bench.document.draft import draft
from sr_bench.document.inline import plain
from sr_bench.document.layout import Layout, read_layout, without
from sr_bench.document.printed import Printed
from sr_bench.document.read_table import TableReader
from sr_bench.document.rows import Finding, Line, ModelInfoTable, ModelRow, Place
from sr_bench.document.spelling import folded, has_number
from sr_bench.document.tables import Document
from sr_bench.document.told import told_of
from sr_bench.system.garbage import seldom_searched

_TITLE: Final = re.compile(
    r"^(?:#[ \t]+(?P<hash>\S.*)|<h1\b[^>]*>(?P<html>.*)"
    r"|(?P<line>\S.*)\r?\n[=*#~-]{3,})\r?$",
    re.MULTILINE | re.IGNORECASE,
)
_SIGNS: Final = re.compile(r"[^\w.+]+")


@dataclass(frozen=True)
class Reading:
    """All that is read of a document, and every number that it prints."""

    document: Document
    tables: tuple[ModelInfoTable, ...]
    """Without the rows that can't be read or that the card ignores."""
    printed: tuple[Printed, ...]
    """In reading order."""
    layouts: tuple[Layout, ...]
    """Of every table, whatever it is about."""
    labels: frozenset[str]
    """What rows are called: by the model's name, the whole label, the line; ignored ones too."""

    @property
    def path(self) -> str:
        """Of the document, as the user would type it."""
        return self.document.path

    def unread_rows(self, label: str) -> tuple[str, ...]:
        """Return each row of this label that can't be read: its line, and why."""
        rows = (one for one in self.printed if one.scope == "row" and label in one.labels)
        return tuple(dict.fromkeys(f"{one.source.line}: {one.fault}" for one in rows))

    @property
    def unread_tables(self) -> tuple[str, ...]:
        """Each table of which no row is read: its line, its header, and why."""
        read = {table.table.line for table in self.tables if table.rows}
        unread = (layout for layout in self.layouts if layout.grid.line not in read)
        why = "none of its rows is read"
        return tuple(f"{a.grid.line}: table {a.grid.names[0]!r}: {a.fault or why}" for a in unread)

    @property
    def drafts(self) -> tuple[str, ...]:
        """A ``[[table]]`` for each table whose numbers are neither read nor named as unread."""
        named = {one.grid.line for one in self.printed}
        return tuple(
            draft(layout)
            for layout in self.layouts
            if not layout.grid.shapeless
            and layout.grid.line not in named
            and any(has_number(cell.plain) for row in layout.grid.rows for cell in row)
        )


@seldom_searched()
def read(document: Document) -> Reading:
    """Return what `document` claims, and what it prints beside that."""
    reader, title = TableReader(document), _title(document.text)
    layouts = [
        without(read_layout(grid, told_of(document.told, grid), title), document.ignored)
        for grid in document.grids
    ]
    for layout in layouts:
        if layout.is_read:
            reader.read(layout)
    models = frozenset(finding.says.model for finding in reader.findings)
    for layout in layouts:
        if not layout.is_read and layout.is_about(models):
            reader.name(layout)
    rows = _rows(reader)
    printed = sorted(reader.printed, key=lambda one: (one.source.line, one.source.column))
    tables = (
        ModelInfoTable(layout.grid, tuple(rows.get(layout, ())))
        for layout in layouts
        if layout.is_read
    )
    return Reading(
        document, tuple(tables), tuple(printed), tuple(layouts), frozenset(reader.labels)
    )


def _rows(reader: TableReader) -> Mapping[Layout, Sequence[ModelRow]]:
    """Return what is found in each table by row and model; note every number among it."""
    groups: dict[tuple[Line, Dimensions, str], list[Finding]] = {}
    for finding, variant, fault in tell_apart(reader.findings):
        if finding.text:
            reader.note(finding, fault)
        if not fault:
            groups.setdefault((finding.line, finding.says, variant), []).append(finding)
    rows: dict[Layout, list[ModelRow]] = defaultdict(list)
    for key, findings in groups.items():
        rows[key[0].layout].append(_row(*key, findings))
    for found in rows.values():  # they were told apart question by question
        found.sort(key=lambda row: (row.line, row.places[0].cell.start))
    return rows


def _row(line: Line, says: Dimensions, variant: str, findings: Sequence[Finding]) -> ModelRow:
    ordered = sorted(findings, key=lambda finding: finding.cell.start)
    precision = says.precision or Precision.FP32
    return ModelRow(
        says.model,
        says.row_source,
        precision,
        says.backend,
        says.dataset,
        says.scale,
        says.device,
        variant,
        says.shape,
        shape_column="shape" in line.layout.roles,
        qualified=line.qualified or precision != (line.says.precision or Precision.FP32),
        cell=line.cell,
        line=line.number,
        places=tuple([_place(finding, precision, variant) for finding in ordered]),
    )


def _place(finding: Finding, precision: Precision, variant: str) -> Place:
    says, measure = finding.says, finding.measure
    about = (says.dataset, finding.source, says.scale, says.device, variant)
    if not finding.text:
        blank = Blank(measure.metric, precision, says.backend, *about, measure.exponent, says.shape)
        return Place(blank, finding.cell)
    who = (says.model, says.row_source, precision, says.backend, says.shape)
    printed = (measure.unit, measure.exponent)
    return Place(Claim(measure.metric, finding.text, *who, *about, *printed), finding.cell)


def _title(text: str) -> str:
    match = _TITLE.search(text)
    return plain(match[match.lastgroup or 0].rstrip(" \t#\r")) if match else ""


def tell_apart(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str, str]]:
    """Yield each of `findings` with its variant, empty if it alone asks its question, and a fault.

    The fault is why one that says nothing else than one before it can't be read. A cell without a
    number is left out if another one answers its question.
    """
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault(_key(finding), []).append(finding)
    for group in groups.values():
        if len(group) == 1:
            yield group[0], "", ""
            continue
        told = [finding for finding in group if finding.text] or group[:1]
        variants = _variants(told)
        firsts: dict[str, Finding] = {}
        for finding, variant in zip(told, variants, strict=True):
            first = firsts.setdefault(variant, finding)
            yield finding, variant, "" if first is finding else _doubled(finding, first)


def _doubled(finding: Finding, first: Finding) -> str:
    says = finding.says
    who = (says.model, says.row_source, says.backend, says.precision, says.dataset)
    return (
        f"expected one row for {', '.join(filter(None, who))}, got a second one beside line"
        f" {first.line.number}; tell them apart by Source, Dataset, Shape or a remark"
    )


def _key(finding: Finding) -> tuple[object, ...]:
    """Return the question that a number answers: all that it is about, but for its shape."""
    says = finding.says  # its first six are metrics, model, source, precision, backend, device
    return finding.measure.metric, says[:6], dataset_key(says.dataset), says.scale


def _variants(group: Sequence[Finding]) -> list[str]:
    chosen: list[tuple[str, ...]] = [()] * len(group)
    for texts in zip_longest(*map(_apart, group), fillvalue=""):  # one way after the other
        finer = [(*before, text) for before, text in zip(chosen, texts, strict=True)]
        # What tells none apart is no part of the variant.
        if len(set(finer)) > len(set(chosen)):
            chosen = finer
        if len(set(chosen)) == len(group):
            break
    return ["-".join(filter(None, texts)) for texts in chosen]


def _apart(finding: Finding) -> tuple[str, ...]:
    """Return what may tell a number from others that say the same, the best first."""
    line, grid = finding.line, finding.line.layout.grid
    said = finding.column.says
    units = "/".join(measure.unit for measure in said.measures)
    named = (grid.caption, grid.heading)
    if len(grid.caption.split()) > MOST_WORDS:  # a sentence
        named = (grid.heading, grid.caption)
    texts = (finding.says.shape, *line.remarks, said.rest, units, *named, *grid.sections)
    return tuple(map(_spelled, texts))


def _spelled(text: str) -> str:
    return _SIGNS.sub("_", folded(text).replace("×", "x")).strip("_")  # noqa: RUF001


@dataclass(frozen=True)
class MetricCell:
    """A cell for a number."""

    key: CellKey
    source: Source
    cell: Cell
    """The number alone, or what stands in its place."""
    text: str
    """The number as its claim has it, or what stands in its place."""
    exponent: int
    """As of `Claim`."""
    is_number: bool
    table: int
    """Which of the document's tables with models it is in, from 0."""


def metric_cells(reading: Reading) -> tuple[MetricCell, ...]:
    """Return the metric cells of a document in reading order."""
    cells = [
        MetricCell(
            narrowed(CellKey, row, metric=place.asks.metric),
            place.asks.source,
            place.cell,
            place.asks.text if isinstance(place.asks, Claim) else place.cell.text,
            place.asks.exponent,
            isinstance(place.asks, Claim),
            index,
        )
        for index, table in enumerate(reading.tables)
        for row in table.rows
        for place in row.places
    ]
    return tuple(sorted(cells, key=lambda cell: cell.source))


def nearest_number(cells: Sequence[MetricCell], blank: MetricCell) -> MetricCell | None:
    """Return the number of the same metric that is nearest to `blank`: in its table, or in any.

    Of two that are as near the upper one counts; None if the document prints none.
    """
    same = [cell for cell in cells if cell.is_number and cell.key.metric == blank.key.metric]
    in_table = [cell for cell in same if cell.table == blank.table]
    line = blank.source.line
    # The first of equals, and cells come in reading order.
    return min(in_table or same, key=lambda cell: abs(cell.source.line - line), default=None)
