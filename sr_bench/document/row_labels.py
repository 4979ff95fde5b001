"""What the cells of a row say of its numbers: labels, columns that tell rows apart, rows above."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from sr_bench.core.precision import Precision
from sr_bench.document.cell import Cell
from sr_bench.document.columns import IDENTITIES
from sr_bench.document.dimensions import Dimensions
from sr_bench.document.findings import Line
from sr_bench.document.labels import Label, read_label
from sr_bench.document.layout import Layout
from sr_bench.document.phrases import column_role, fallback_measure, read_phrase
from sr_bench.document.spelling import has_number
from sr_bench.document.tables import Document
from sr_bench.document.told import meaning_of
from sr_bench.errors import DocumentError

_BLANK: Final = frozenset({"", "-", "–", "—", "--", "/"})  # noqa: RUF001 - dashes that people type for "nothing"
_FULL: Final = frozenset({"full", "single", "none", "no", "32", "original"})
_SCALE: Final = re.compile(r"[^\w.]*[x×]?\s*(\d{1,2})\s*[x×]?[^\w.]*", re.I)  # noqa: RUF001 - as typed


class RowReader:
    """Reads the rows of one document in order; a row may belong to one above."""

    def __init__(self, document: Document) -> None:
        self._document = document
        # The nearest model row above: of a label and source, of a label (source None), or of any
        # (None); by key, as a search of all rows for each of them would take long.
        self._owners: dict[tuple[str, str | None] | None, Line] = {}

    def begin(self, layout: Layout) -> None:
        """Start with the rows of a table."""
        self._layout = layout
        self._above: tuple[Cell, ...] = ()
        self._section, self._section_text = Dimensions(), ""
        self._model_rows = self._has_model_rows()

    def read(self, number: int, cells: tuple[Cell, ...]) -> Line | None:
        """Return what a row says; None for one that is about the rows below it.

        Raises:
            DocumentError: It can't be told what the row is.
        """
        if self._begins_section(cells):
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
        place = str(self._document.source(cell))
        named = layout.model_column is not None
        label = read_label(cell.markdown, where=place) if named else Label("")
        says = self._said(cells, label, place)
        line = Line(
            layout,
            number,
            cell,
            tuple(dict.fromkeys(filter(None, (cell.plain, label.model)))) or ("",),
            says,
            self._section,
            bool(label.backend) or not label.precision.is_full,
            (label.mark, *self._remarks(cells)),
        )
        return self._owned(line, label, place) if label.model else line

    def _begins_section(self, cells: Sequence[Cell]) -> bool:
        """Tell whether a row has but one text, and that no number; remember what it says."""
        texts = {cell.plain for cell in cells if cell.plain}
        filled = [cell for cell in dict.fromkeys(cells) if cell.plain]
        if len(texts) != 1 or (1 < len(filled) < len(cells)) or len(self._layout.columns) < 2:
            return False
        (text,) = texts
        says = read_phrase(text)
        known = says != Dimensions(rest=says.rest)
        if text in _BLANK or (has_number(text) and not (known and not says.rest)):
            return False
        if self._layout.model_column is None and not known:
            says = replace(says, model=text)
        self._section, self._section_text = replace(says, rest=""), text
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
            if names and not cell.text and (leading or not labelled):
                filled[index] = self._above[index]
        # All that tells rows apart may be blank in a row of no name: then remarks must do it.
        return tuple(filled)

    def _said(self, cells: Sequence[Cell], label: Label, place: str) -> Dimensions:
        named = {
            column.role: cell
            for column, cell in zip(self._layout.columns, cells, strict=True)
            if column.role in (*IDENTITIES, "metric")
        }
        texts = {role: _value(cell) for role, cell in named.items()}
        precision = self._precision(texts.get("precision", ""), label, place)
        scale = _SCALE.fullmatch(texts.get("scale", ""))
        says = Dimensions(
            model=label.model,
            row_source=texts.get("source", ""),
            precision=precision,
            backend=label.backend or texts.get("runtime", "").lower(),
            device=texts.get("device", ""),
            dataset=texts.get("dataset", ""),
            scale=int(scale[1]) if scale else 0,
            shape=named["shape"].plain if "shape" in named else "",
        )
        return self._labelled(says, cells, texts.get("metric", ""))

    def _labelled(self, says: Dimensions, cells: Sequence[Cell], metric: str) -> Dimensions:
        """Return `says` with what the row's first cell, or its column of metrics, names."""
        told = self._layout.told
        if told and (means := meaning_of(told.rows, cells[0].plain)):
            return means.says.over(says)
        if not metric:
            return says
        named = read_phrase(metric)
        if not named.measures and column_role(metric) == "unknown":
            named = replace(named, measures=(fallback_measure(metric),))
        return says.over(replace(named, rest=""))

    def _precision(self, text: str, label: Label, place: str) -> Precision | None:
        """Return the precision of a row; one that its column and its label name must be the same.

        Raises:
            DocumentError: They are not, or the column names none.
        """
        named = None if label.precision.is_full else label.precision
        if not text:
            return named
        in_column = Precision.FP32 if text.lower() in _FULL else read_phrase(text).precision
        if in_column is None:
            msg = f"{place}: expected a precision such as FP32 or w8a8 in its column, got {text!r}"
            raise DocumentError(msg)
        if (both := agreed(named, in_column)) is None:
            msg = f"{place}: the column of precisions says {text!r} and the label {named}"
            raise DocumentError(msg)
        return both

    def _remarks(self, cells: Sequence[Cell]) -> tuple[str, ...]:
        pairs = zip(self._layout.columns, cells, strict=True)
        remarks = (cell.plain for column, cell in pairs if column.role == "remark")
        return (*remarks, self._section_text)

    def _owned(self, line: Line, label: Label, place: str) -> Line:
        """Return a row of a precision with what it shares with its model's row above.

        Raises:
            DocumentError: There is no such row.
        """
        source = line.says.row_source
        if not line.qualified:
            keys = ((label.model, source), (label.model, None), None)
            self._owners |= dict.fromkeys(keys, line)
            return line
        # Two models may share a label and differ in Source; most precision rows leave that blank.
        owners = self._owners
        owner = owners.get((label.model, source)) or owners.get((label.model, None))
        if owner:
            shared = Dimensions(row_source=owner.says.row_source, dataset=owner.says.dataset)
            return replace(line, says=replace(line.says, row_source="").over(shared))
        if not self._model_rows:
            return line
        above = owners.get(None)
        nearest = f"{above.says.model!r} in line {above.number}" if above else "none"
        msg = (
            f"{place}: expected a row of the model {label.model!r} above its {label.precision} row;"
            f" the nearest model row above is {nearest}"
        )
        raise DocumentError(msg)

    def _has_model_rows(self) -> bool:
        """Tell whether a label of the table is a mere model's: then its precision rows need one."""
        column = self._layout.model_column
        if column is None:
            return False
        for cells in self._layout.body.rows:
            with suppress(DocumentError):
                if column < len(cells) and cells[column].text:
                    label = read_label(cells[column].markdown, where="")
                    if not label.backend and label.precision.is_full:
                        return True
        return False


def agreed(first: Precision | None, second: Precision | None) -> Precision | None:
    """Return the one precision that two names mean; None if there is none, or they contradict."""
    if not (first and second):
        return first or second
    exact = [one for one in (first, second) if one != one.dtype] or [first]
    return exact[0] if first.dtype == second.dtype and len(set(exact)) == 1 else None


def _value(cell: Cell) -> str:
    return "" if cell.plain in _BLANK else cell.plain
