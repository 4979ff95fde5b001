"""What the cells of a row say of its numbers: labels, columns that tell rows apart, rows above."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final

from sr_bench.core.precision import Precision
from sr_bench.document.cell import Cell
from sr_bench.document.columns import IDENTITIES
from sr_bench.document.dimensions import Dimensions, Measure
from sr_bench.document.findings import Line
from sr_bench.document.labels import Label, parted, precision_twins, read_label
from sr_bench.document.layout import Layout
from sr_bench.document.meanings import precision_word
from sr_bench.document.phrases import column_role, fallback_measure, read_phrase
from sr_bench.document.remarks import BLANK, remarks_of, value_of
from sr_bench.document.sizes import read_size
from sr_bench.document.spelling import has_digit, has_number
from sr_bench.document.tables import Document
from sr_bench.document.told import Meaning, meaning_of
from sr_bench.errors import DocumentError

_FULL: Final = frozenset({"full", "single", "none", "no", "32", "original"})
_SCALE: Final = re.compile(r"[^\w.]*[x×]?\s*(\d{1,2})\s*[x×]?[^\w.]*", re.I)  # noqa: RUF001 - as typed


class RowReader:
    """Reads the rows of one document in order; a row may belong to one above."""

    def __init__(self, document: Document) -> None:
        self._document = document
        # The nearest model row above: of a label and source, of a label (source None), or of any
        # (None); by key, as a search of all rows for each of them would take long.
        self._owners: dict[tuple[str, str | None] | None, _Row] = {}

    def begin(self, layout: Layout) -> None:
        """Start with the rows of a table."""
        self._layout = layout
        self._above: tuple[Cell, ...] = ()
        self._section, self._section_text = Dimensions(), ""
        self._section_measures: tuple[Measure, ...] = ()
        self._labels = dict(self._read_labels(layout))
        labels = [label for label in self._labels.values() if isinstance(label, Label)]
        self._model_rows = not all(map(_is_qualified, labels))
        # A table that names precisions has none from its heading.
        named = layout.names_precisions or any(not one.precision.is_full for one in labels)
        says = replace(layout.says, measures=(), rest="")
        self._table = replace(says, precision=None) if named else says

    def read(self, number: int, cells: tuple[Cell, ...]) -> Line | None:
        """Return what a row says; None for one that is about the rows below it.

        Raises:
            DocumentError: It can't be told what the row is.
        """
        if self._begins_section(cells) or self._is_remark(cells):
            return None
        layout = self._layout
        if len(cells) != (width := len(layout.columns)):
            fault = "lost a column" if len(cells) < width else "has a column too many"
            msg = (
                f"{self._document.path}:{number}: expected {width} cells as in the header, got"
                f" {len(cells)}: the row {fault} (a pipe inside a cell is written \\|)"
            )
            raise DocumentError(msg)
        cells = self._above = self._continued(cells)
        cell = cells[layout.label_column]
        place = f"{self._document.path}:{cell.line}:{cell.column}"
        label = self._labels.get(cell, Label(""))
        if isinstance(label, DocumentError):
            raise label
        texts = self._texts(cells)
        if said := _qualifier(texts.get("source", "")):
            texts["source"] = ""
            precision = said.precision or label.precision
            label = replace(label, backend=label.backend or said.backend, precision=precision)
        says = self._said(cells, texts, label, place)
        if not says.measures:
            says = replace(says, measures=self._section_measures)
        remarks, means = (
            (label.mark, *remarks_of(layout.columns, cells), self._section_text),
            self._told(cells),
        )
        if label.model:
            says, remarks = self._owned(_Row(says, remarks, number), label, place)
        names = tuple(dict.fromkeys(filter(None, (cell.plain, label.model)))) or ("",)
        about = (says, self._around(says), _is_qualified(label), remarks)
        return Line(layout, number, cell, names, *about, means.ignored if means else "")

    def _read_labels(self, layout: Layout) -> Iterator[tuple[Cell, Label | DocumentError]]:
        """Yield what each label says, or why it can't be read."""
        if (column := layout.model_column) is None:
            return
        cells = [row[column] for row in layout.body.rows if column < len(row)]
        names = frozenset(cell.plain for cell in cells)
        twins = precision_twins([cell.plain for cell in cells])
        for cell in cells:
            try:
                where = f"{self._document.path}:{cell.line}:{cell.column}"
                spelled = twins.get(cell.plain) or parted(cell.plain, names) or cell.markdown
                yield cell, read_label(spelled, where=where)
            except DocumentError as error:
                yield cell, error

    def _around(self, says: Dimensions) -> Dimensions:
        if says.measures or says.rest:  # of few rows
            says = replace(says, measures=(), rest="")
        says = says.over(self._section).over(self._table)
        return says if says.precision else replace(says, precision=Precision.FP32)

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
        if text in BLANK or (has_number(text) and not (known and not says.rest)):
            return False
        if self._layout.model_column is None and not known:
            says = replace(says, model=text)
        self._section, self._section_text = replace(says, measures=(), rest=""), text
        self._section_measures = says.measures
        return True

    def _continued(self, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Return a row with the blank cells that continue the row above filled from there."""
        if len(self._above) != len(cells):
            return cells
        filled, leading = list(cells), True
        labelled = self._layout.model_column is None or bool(cells[self._layout.model_column].text)
        for index, (column, cell) in enumerate(zip(self._layout.columns, cells, strict=True)):
            names = column.role == "model" or column.role in (*IDENTITIES, "metric")
            leading = leading and not cell.text and names
            if names and not cell.text and (leading or not labelled or column.role == "scale"):
                filled[index] = self._above[index]
        # All that tells rows apart may be blank in a row of no name: then remarks must do it.
        return tuple(filled)

    def _texts(self, cells: Sequence[Cell]) -> dict[str, str]:
        """Return what tells a row apart, by role; empty for a dash."""
        pairs = zip(self._layout.columns, cells, strict=True)
        return {a.role: value_of(cell) for a, cell in pairs if a.role in (*IDENTITIES, "metric")}

    def _said(
        self, cells: Sequence[Cell], texts: Mapping[str, str], label: Label, place: str
    ) -> Dimensions:
        pairs = zip(self._layout.columns, cells, strict=True)
        precision = self._precision(self._calibrated(cells, texts), label, place)
        scale = _SCALE.fullmatch(texts.get("scale", ""))
        says = Dimensions(
            model=label.model,
            row_source=texts.get("source", ""),
            precision=precision,
            backend=label.backend or texts.get("runtime", "").lower(),
            device=texts.get("device", ""),
            dataset=texts.get("dataset", ""),
            scale=int(scale[1]) if scale else 0,
            shape=_shape({a.role: c.plain for a, c in pairs}),
        )
        return self._labelled(says, cells, texts.get("metric", ""))

    def _labelled(self, says: Dimensions, cells: Sequence[Cell], metric: str) -> Dimensions:
        """Return `says` with what the row's first cell, or its column of metrics, names."""
        if means := self._told(cells):
            return means.says.over(says)
        if not metric:
            return says
        named = read_phrase(metric)
        if not named.measures and column_role(metric) == "unknown":
            named = replace(named, measures=(fallback_measure(metric),))
        return says.over(replace(named, rest=""))

    def _calibrated(self, cells: Sequence[Cell], texts: Mapping[str, str]) -> str:
        """Return the precision of a row with what a second column says of it: int8, then max."""
        text = texts.get("precision", "")
        for column, cell in zip(self._layout.columns, cells, strict=True) if text else ():
            if column.role == "remark" and column_role(column.header) == "precision":
                both = f"{text} {value_of(cell)}"
                text = both if read_phrase(both).precision else text
        return text

    def _told(self, cells: Sequence[Cell]) -> Meaning | None:
        """Return what the card says of a row."""
        told = self._layout.told
        return meaning_of(told.rows, cells[0].plain) if told else None

    def _is_remark(self, cells: Sequence[Cell]) -> bool:
        """Tell whether a row of a table of metrics names a size, a version or the like instead."""
        roles = [column.role for column in self._layout.columns]
        if "metric" not in roles or len(cells) != len(roles) or self._told(cells):
            return False
        metric = cells[roles.index("metric")]
        if column_role(metric.plain) not in ("number", "value", "metric", "precision", "unknown"):
            return True
        texts = [cell.plain for cell in cells if cell is not metric]
        return any(map(has_digit, texts)) and not any(map(has_number, texts))

    def _precision(self, text: str, label: Label, place: str) -> Precision | None:
        """Return the precision of a row; one that its column and its label name must be the same.

        Raises:
            DocumentError: They are not, or the column names none.
        """
        named = None if label.precision.is_full else label.precision
        if not text:
            return named
        in_column = precision_word(text) or read_phrase(text).precision
        in_column = Precision.FP32 if text.lower() in _FULL else in_column
        if in_column is None:
            msg = f"{place}: expected a precision such as FP32 or w8a8 in its column, got {text!r}"
            raise DocumentError(msg)
        if (both := agreed(named, in_column)) is None:
            msg = f"{place}: the column of precisions says {text!r} and the label {named}"
            raise DocumentError(msg)
        return both

    def _owned(self, row: "_Row", label: Label, place: str) -> tuple[Dimensions, tuple[str, ...]]:
        """Return what a row of a precision says, with what it shares with its model's row above.

        Raises:
            DocumentError: There is no such row.
        """
        says, owners = row.says, self._owners
        # Two models may share a label and differ in Source; most precision rows leave that blank.
        nearest_of_all = owners.get((label.model, None))
        owner = owners.get((label.model, says.row_source or None)) or nearest_of_all
        # A model that is named again in the next row, with no source, is the same one.
        again = owner is owners.get(None) and "source" in self._layout.roles and not says.row_source
        if owner and (_is_qualified(label) or again):
            dataset = says.dataset or owner.says.dataset
            says = replace(says, row_source=owner.says.row_source, dataset=dataset)
        if not _is_qualified(label):
            keys = ((label.model, says.row_source), (label.model, None), None)
            self._owners |= dict.fromkeys(keys, replace(row, says=says))
            return says, row.remarks
        if owner:
            pairs = zip_longest(row.remarks, owner.remarks, fillvalue="")
            return says, tuple(own or theirs for own, theirs in pairs)
        if not self._model_rows:
            return says, row.remarks
        above = owners.get(None)
        nearest = f"{above.says.model!r} in line {above.number}" if above else "none"
        msg = (
            f"{place}: expected a row of the model {label.model!r} above its {label.precision} row;"
            f" the nearest model row above is {nearest}"
        )
        raise DocumentError(msg)


@dataclass(frozen=True)
class _Row:
    """What a row says of itself, for those below that belong to it."""

    says: Dimensions
    remarks: tuple[str, ...]
    number: int


def _qualifier(text: str) -> Dimensions | None:
    """Return the precision that stands in the column of sources: ``vacc fp16``; None for one."""
    said = read_phrase(text)
    alone = said == Dimensions(precision=said.precision, backend=said.backend)
    return said if alone and said.precision else None


def _is_qualified(label: Label) -> bool:
    """Tell whether a label is of a model's precision, or of a backend: of no model row."""
    return bool(label.backend) or not label.precision.is_full


def agreed(first: Precision | None, second: Precision | None) -> Precision | None:
    """Return the one precision that two names mean; None if there is none, or they contradict."""
    if not (first and second):
        return first or second
    exact = [one for one in (first, second) if one != one.dtype] or [first]
    return exact[0] if first.dtype == second.dtype and len(set(exact)) == 1 else None


def _shape(texts: Mapping[str, str]) -> str:
    """Return the shape of a row, which may stand in the column Scale: ``736x1280``."""
    scale = texts.get("scale", "")
    return texts.get("shape") or (scale if len(scale) > 3 and read_size(scale) else "")
