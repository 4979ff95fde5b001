"""Find results in YAML files: a row for each mapping that holds some, with what leads to it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePath
from typing import Final

from sr_bench.document.cell import Cell, Places
from sr_bench.document.dialects.yaml_tree import Items, Node, Pairs, read_tree
from sr_bench.document.dialects.yaml_words import LABELS, STRUCTURE, header, is_setting, kind_of
from sr_bench.document.grids import Grid
from sr_bench.document.phrases import names_result
from sr_bench.document.spelling import compact, has_digit, has_number

_DECIMAL: Final = re.compile(r"[-+]?\d*\.\d+")
_BARE: Final = re.compile(r"[\w.+-]*[\w.][\w.+/ -]*")
_SIGN: Final = re.compile(r"[^\w.+/ -]")
# Files of these names are one of many: the folder tells which network's.
_GENERIC: Final = frozenset({"numerics", "perf", "info", "metafile", "model", "results", "config"})

_NUMBER: Final = re.compile(r"[-+~<>]?\s*\.?\d(?!\d{3}-\d\d)")
_WHOLE: Final = frozenset({"max", "mean", "value"})
"""The parts of a result, such as ``{min: 0, max: 9}``, that are it."""
_LONGEST: Final = 60
"""Characters of what is taken for a number, with its unit and spread."""

_Labelled = tuple[Cell, Cell]  # a header, and what stands below it


@dataclass(frozen=True)
class _Row:
    """The numbers of one mapping."""

    labels: Mapping[str, _Labelled]
    numbers: Sequence[_Labelled]

    @property
    def cells(self) -> tuple[_Labelled, ...]:
        return (*self.labels.values(), *self.numbers)

    @property
    def headers(self) -> tuple[str, ...]:
        return tuple(above.plain for above, _ in self.cells)


def grids(places: Places) -> tuple[Grid, ...]:
    """Return the results of a YAML text: rows that follow each other with equal columns make one.

    Raises:
        DocumentError: It is not YAML, or nested deeper than 50 levels.
    """
    path = PurePath(places.path)
    name = path.parent.name if path.stem.lower() in _GENERIC and path.parent.name else path.stem
    rows = (row for root in read_tree(places).nodes for row in _Walk(name).root(root))
    return tuple(_grid(tuple(group), name) for _, group in groupby(rows, lambda row: row.headers))


@dataclass(frozen=True)
class _Walk:
    """Goes through the nodes of a document."""

    name: str
    """What its file is called: its model, where nothing else names one."""

    def root(self, node: Node) -> Iterator[_Row]:
        """Yield the rows of a document; its network may be named beside its results."""
        labels: dict[str, _Labelled] = {}
        for key, value in node.pairs if isinstance(node, Pairs) else ():
            if isinstance(value, Pairs) and header(key.text) == "Model":
                labels |= _labels(value, "Model")
        yield from self.rows(node, labels, "")

    def rows(self, node: Node, above: Mapping[str, _Labelled], meaning: str) -> Iterator[_Row]:
        """Yield the rows of `node`.

        Args:
            node: A mapping, or a sequence of some.
            above: What is said of it so far, by the header for it.
            meaning: Which header its keys, or its name, stand below; empty if none is known.
        """
        if isinstance(node, Items):
            for item in node.nodes:
                yield from self.rows(item, above, meaning)
        elif isinstance(node, Pairs):
            own = _dataset_beside(node) | _labels(node, meaning)
            labels = {**above, **own}
            numbers = [pair for pair in _numbers(node, labels) if pair[1].text]
            if numbers:
                yield _Row(self._named(labels, numbers[0][1]), numbers)
            for key, value in node.pairs:
                if not isinstance(value, Cell):
                    # Of a mapping that is named itself, the keys are no names.
                    yield from self._below(key, value, labels, "" if meaning in own else meaning)

    def _below(
        self, key: Cell, value: Node, labels: Mapping[str, _Labelled], meaning: str
    ) -> Iterator[_Row]:
        """Yield the rows of what stands below `key`, which may be a label, or name a kind."""
        title = header(key.text)
        kind = kind_of(key.text) or ("" if compact(key.text) in STRUCTURE else meaning)
        if title in LABELS:
            yield from self.rows(value, labels, title)
            return
        if not kind and "Model" not in labels and compact(key.text) not in STRUCTURE:
            kind = "Model"
        own = {kind: (_said(key, kind), key)} if kind and title == key.text else {}
        yield from self.rows(value, {**labels, **own}, "")

    def _named(self, labels: Mapping[str, _Labelled], first: Cell) -> Mapping[str, _Labelled]:
        if "Model" in labels:
            return labels
        return {"Model": (_said(first, "Model"), _said(first, self.name)), **labels}


def _said(cell: Cell, text: str) -> Cell:
    """Return a cell at the place of `cell` that shows `text`, which does not stand there."""
    return Cell("", cell.line, cell.column, cell.start, cell.start, "verbatim", text)


def _dataset_beside(node: Pairs) -> dict[str, _Labelled]:
    """Return the name of the dataset that a mapping holds beside its numbers."""
    beside = (value for key, value in node.pairs if header(key.text) == "Dataset")
    found = (_labels(value, "Dataset") for value in beside if isinstance(value, Pairs))
    return next(({"Dataset": one["Dataset"]} for one in found if "Dataset" in one), {})


def _labels(node: Pairs, meaning: str) -> dict[str, _Labelled]:
    """Return the scalars of a mapping that tell what its numbers are of, by their header."""
    found = {}
    for key, value in node.pairs:
        if isinstance(value, Cell) and value.text:
            title = header(key.text)
            if compact(key.text) == "name" and meaning:
                title = meaning
            named = compact(key.text) != "type" or kind_of(value.text) == "Metric"
            if title in LABELS and named and not (title == "Metric" and _prints(value)):
                found[title] = (key._replace(whole=title), value)
    return found


def _numbers(node: Pairs, labels: Mapping[str, _Labelled]) -> Iterator[_Labelled]:
    """Yield the results of a mapping, and those of a range or list that stands in it."""
    for key, value in node.pairs:
        title = header(key.text)
        if isinstance(value, Pairs) and title != key.text and title not in LABELS:
            for part, number in value.pairs:
                if isinstance(number, Cell) and _prints(number):
                    name = title if part.text in _WHOLE else f"{part.text} {title}"
                    yield part._replace(whole=name), number
        title = "Value" if title == "Metric" else title
        for number in value.nodes if isinstance(value, Items) else (value,):
            if isinstance(number, Cell) and _is_result(key, number, labels):
                yield key._replace(whole=title), number


def _is_result(key: Cell, value: Cell, labels: Mapping[str, _Labelled]) -> bool:
    title, kind = header(key.text), kind_of(key.text)
    if kind == "Metric":  # of which a cell that is no number is named as unread
        return has_digit(value.text) and len(value.text) <= _LONGEST
    if not _prints(value) or (title in LABELS and title != "Metric"):
        return False
    if title != key.text or ("Metric" in labels and kind == "Dataset"):
        return True
    return not is_setting(key.text) and (
        names_result(key.text) or bool(_DECIMAL.fullmatch(value.text))
    )


def _prints(cell: Cell) -> bool:
    text = cell.text
    return len(text) <= _LONGEST and bool(_NUMBER.match(text)) and has_number(text)


def scalar(text: str, cell: Cell, new: str) -> str:
    """Return how `new` is written in the place of `cell`, or of its part: quoted if it must be."""
    is_quoted = text[cell.start - 1 : cell.start] in ("'", '"') and text[cell.end : cell.end + 1]
    # A sign that stands there without quotes, as in 1,592, needs none.
    same_signs = set(_SIGN.findall(new)) <= set(_SIGN.findall(cell.text))
    is_bare = same_signs and _BARE.fullmatch(_SIGN.sub("", new))
    return new if is_quoted or is_bare else f"'{new.replace(chr(39), chr(39) * 2)}'"


def _grid(rows: Sequence[_Row], name: str) -> Grid:
    lines = [cell.line for row in rows for _, cell in row.cells]
    return Grid(
        headers=(tuple(above for above, _ in rows[0].cells),),
        rows=tuple(tuple(cell for _, cell in row.cells) for row in rows),
        line=min(lines),
        last_line=max(lines),
        row_lines=tuple(row.numbers[0][1].line for row in rows),
        heading=name,
        dialect="yaml",
    )
