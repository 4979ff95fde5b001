"""What the cells of a row say of its numbers: labels, columns that tell rows apart, rows above."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sr_bench.core.precision import Precision, agreed
from sr_bench.document.cell import Cell
from sr_bench.document.columns import IDENTITIES, Column
from sr_bench.document.dimensions import Dimensions
from sr_bench.document.labels import Label, parted, precision_twins, read_label
from sr_bench.document.layout import Layout
from sr_bench.document.lexicon import NOTHING
from sr_bench.document.meanings import precision_label, precision_word
from sr_bench.document.owners import LabelledRow, Owners
from sr_bench.document.phrases import column_role, fallback_measure, is_remark, read_phrase
from sr_bench.document.rows import Line
from sr_bench.document.sizes import read_size
from sr_bench.document.spelling import has_digit, has_number
from sr_bench.document.tables import Document
from sr_bench.document.told import ToldMeaning, meaning_of
from sr_bench.errors import DocumentError

_TELLING: Final = frozenset({*IDENTITIES, "metric"})
"""Roles of columns whose cells say what the numbers of a row are about."""
_FULL: Final = frozenset({"full", "single", "no", "32", "original"})
_SCALE: Final = re.compile(
    r"(?:\W*scale(?=\W))?[^\w.]*(?:[x×]|\\times)?\s*(\d{1,2})\s*[x×]?[^\w.]*",  # noqa: RUF001 - as typed
    re.IGNORECASE,
)
_MARKS: Final = frozenset("√✓✔☑✅●")
_SHAPE: Final = "\ufe0f"  # of the sign before it


class RowReader:
    """Reads the rows of one document in order; a row may belong to one above."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._owners = Owners()

    def begin(self, layout: Layout) -> None:
        """Start with the rows of a table."""
        self._layout = layout
        self._above: tuple[Cell, ...] = ()
        self._section, self._section_text = Dimensions(), ""
        self._labels = dict(self._read_labels(layout))
        labels = [label for label in self._labels.values() if isinstance(label, Label)]
        self._model_rows = not all(label.is_qualified for label in labels)
        # A table that names precisions has none from its heading.
        named = layout.names_precisions or any(not one.precision.is_full for one in labels)
        precision = (None if named else layout.says.precision) or Precision.FP32
        self._table = layout.says._replace(measures=(), rest="", precision=precision)
        self._int8: Precision | None = None

    def read(self, number: int, cells: tuple[Cell, ...]) -> Line | None:
        """Return what a row says; None for one that is about the rows below it.

        Raises:
            DocumentError: It can't be told what the row is.
        """
        if self._begins_section(cells) or self._is_remark(cells):
            return None
        self._check_width(number, cells)
        cells = self._above = self._continued(cells)
        cell = cells[self._layout.model_column or 0]
        place = str(self._document.source(cell))
        label = self._labels.get(cell, Label(""))
        if isinstance(label, DocumentError):
            raise label
        texts = {
            column.role: value_of(cell)
            for column, cell in self._pairs(cells)
            if column.role in _TELLING
        }
        if said := _qualifier(texts.get("source", "")):
            texts["source"] = ""
            backend, precision = label.backend or said.backend, said.precision or label.precision
            label = label._replace(backend=backend, precision=precision)
        says, means = self._said(cells, texts, label, place), self._told(cells)
        if means:
            says = means.says.over(says)
        elif metric := texts.get("metric"):
            says = says.over(self._measured(metric))
        if self._section.measures and not says.measures:
            says = says._replace(measures=self._section.measures)
        remarks = (label.mark, *remarks_of(self._layout.columns, cells), self._section_text)
        if label.model:
            row = LabelledRow(label, says, remarks, number)
            by_source = "source" in self._layout.roles
            row = self._owners.owned(row, place, by_source=by_source, needed=self._model_rows)
            says, remarks = row.says, row.remarks
        names = tuple(dict.fromkeys(filter(None, (cell.plain, label.model, f"line {number}"))))
        around = says.over(self._section).over(self._table)
        if around.measures or around.rest:
            around = around._replace(measures=(), rest="")
        about = (says, around, label.is_qualified, remarks)
        return Line(self._layout, number, cell, names, *about, means.ignored if means else "")

    def _check_width(self, number: int, cells: Sequence[Cell]) -> None:
        width = len(self._layout.columns)
        if len(cells) != width:
            fault = "lost a column" if len(cells) < width else "has a column too many"
            if self._layout.grid.dialect == "markdown":
                fault += r" (a pipe inside a cell is written \|)"
            msg = (
                f"{self._document.path}:{number}: expected {width} cells as in the header, got"
                f" {len(cells)}: the row {fault}"
            )
            raise DocumentError(msg)

    def _read_labels(self, layout: Layout) -> Iterator[tuple[Cell, Label | DocumentError]]:
        """Yield what each label says, or why it can't be read."""
        if (column := layout.model_column) is None:
            return
        labels = [(row[column], row[column].plain) for row in layout.body.rows if column < len(row)]
        names = frozenset(label for _, label in labels)
        twins = precision_twins(label for _, label in labels)
        for cell, text in labels:
            try:
                split = twins.get(text) or parted(text, names)
                where = str(self._document.source(cell))
                label = read_label(split or cell.markdown, where=where)
                yield cell, label._replace(alone=bool(split) and label.model not in names)
            except DocumentError as error:
                yield cell, error

    def _begins_section(self, cells: Sequence[Cell]) -> bool:
        """Tell whether a row has but one text, and that no number; remember what it says."""
        if len({cell.text for cell in cells if cell.text}) > 1:  # most rows, so it comes first
            return False
        texts = {cell.plain for cell in cells if cell.plain}
        filled = [cell for cell in dict.fromkeys(cells) if cell.plain]
        if len(texts) != 1 or (1 < len(filled) < len(cells)) or len(self._layout.columns) < 2:
            return False
        (text,) = texts
        says = read_phrase(text)
        known = says != Dimensions(rest=says.rest)
        if text.lower() in NOTHING or (has_number(text) and not (known and not says.rest)):
            return False
        if self._layout.model_column is None and not known:
            says = says._replace(model=text)
        self._section, self._section_text = says, text
        return True

    def _continued(self, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Return a row with the blank cells that continue the row above filled from there."""
        if len(self._above) != len(cells):
            return cells
        filled, leading = list(cells), True
        labelled = self._layout.model_column is None or bool(cells[self._layout.model_column].text)
        for index, (column, cell) in enumerate(self._pairs(cells)):
            names = column.role in ("model", *_TELLING)
            leading = leading and not cell.text and names
            if names and not cell.text and (leading or not labelled or column.role == "scale"):
                filled[index] = self._above[index]
        # All that tells rows apart may be blank in a row of no name: then remarks must do it.
        return tuple(filled)

    def _pairs(self, cells: Sequence[Cell]) -> Iterator[tuple[Column, Cell]]:
        return zip(self._layout.columns, cells, strict=True)

    def _said(
        self, cells: Sequence[Cell], texts: Mapping[str, str], label: Label, place: str
    ) -> Dimensions:
        precision = self._precision(self._calibrated(cells, texts), label, place)
        scale = _SCALE.fullmatch(texts.get("scale", ""))
        return Dimensions(
            model=label.model,
            row_source=texts.get("source", ""),
            precision=precision,
            backend=label.backend or texts.get("runtime", "").lower(),
            device=texts.get("device", ""),
            dataset=texts.get("dataset", ""),
            scale=int(scale[1]) if scale else 0,
            shape=_shape(texts),
        )

    def _measured(self, metric: str) -> Dimensions:
        """Return what a cell in the column of metrics names."""
        named = read_phrase(metric)
        if named.precision and named.precision.is_bare_int8:
            named = named._replace(precision=self._int8 or named.precision)
        if not named.measures and column_role(metric) == "unknown":
            named = named._replace(measures=(fallback_measure(metric),))
        return named._replace(rest="")

    def _calibrated(self, cells: Sequence[Cell], texts: Mapping[str, str]) -> str:
        """Return the precision of a row with what a second column says of it: int8, then max."""
        text = texts.get("precision", "")
        for column, cell in self._pairs(cells) if text else ():
            if column.role == "remark" and column_role(column.header) == "precision":
                both = f"{text} {value_of(cell)}"
                text = both if read_phrase(both).precision else text
        return text

    def _told(self, cells: Sequence[Cell]) -> ToldMeaning | None:
        """Return what the card says of a row."""
        told = self._layout.told
        return meaning_of(told.rows, cells[0].plain) if told else None

    def _is_remark(self, cells: Sequence[Cell]) -> bool:
        """Tell whether a row of a table of metrics names a size, a version or the like instead.

        What it says of the rows below is remembered.
        """
        roles = [column.role for column in self._layout.columns]
        if "metric" not in roles or len(cells) != len(roles) or self._told(cells):
            return False
        metric = cells[roles.index("metric")]
        texts = [cell.plain for cell in cells if cell is not metric]
        if len(set(texts)) == 1:
            self._keep(metric.plain, texts[0])
        prints = any(map(has_number, texts))
        if is_remark(metric.plain):  # a loss may be how a model was trained, or a value
            return not (prints and read_phrase(metric.plain).measures)
        return any(map(has_digit, texts)) and not prints

    def _keep(self, label: str, text: str) -> None:
        """Remember what a row says of the rows below: their input's shape, or how int8 is made."""
        if column_role(label) == "shape" and read_size(text):
            self._table = self._table._replace(shape=text)
        says = read_phrase(label).precision
        if says and says.is_bare_int8:
            self._int8 = precision_word(f"int8 {text}") or self._int8

    def _precision(self, text: str, label: Label, place: str) -> Precision | None:
        """Return the precision of a row; one that its column and its label name must be the same.

        Raises:
            DocumentError: They are not, or the column names none.
        """
        named = None if label.precision.is_full else label.precision
        if not text:
            return named
        in_column = precision_word(text) or read_phrase(text).precision or precision_label(text)
        in_column = Precision.FP32 if text.lower() in _FULL else in_column
        if in_column is None:
            msg = f"{place}: expected a precision such as FP32 or w8a8 in its column, got {text!r}"
            raise DocumentError(msg)
        if (both := agreed(named, in_column)) is None:
            msg = f"{place}: the column of precisions says {text!r} and the label {named}"
            raise DocumentError(msg)
        return both


def _qualifier(text: str) -> Dimensions | None:
    """Return the precision that stands in the column of sources: ``vacc fp16``; None for one."""
    said = read_phrase(text)
    if not said.precision:
        return None
    return said if said == Dimensions(precision=said.precision, backend=said.backend) else None


def _shape(texts: Mapping[str, str]) -> str:
    """Return the shape of a row, which may stand in the column Scale: ``736x1280``."""
    scale = texts.get("scale", "")
    return texts.get("shape") or (scale if len(scale) > 3 and read_size(scale) else "")


def value_of(cell: Cell) -> str:
    """Return the text of a cell; empty for a dash."""
    text = cell.plain
    return "" if text.lower() in NOTHING else text


def remarks_of(columns: Sequence[Column], cells: Sequence[Cell]) -> Iterator[str]:
    """Yield what is in columns of remarks, and what a row's metric is called beside its name.

    A check mark says that the row has what its column is of.
    """
    for column, cell in zip(columns, cells, strict=True):
        if column.role in ("remark", "unknown") and not column.fault:
            text = value_of(cell)
            yield column.header if text.removesuffix(_SHAPE) in _MARKS else text
        elif column.role == "precision":
            yield "" if precision_word(cell.plain) else value_of(cell)
        elif column.role == "metric" and (said := read_phrase(cell.plain)).measures:
            yield said.rest
