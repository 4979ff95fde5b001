"""Find results in YAML files: a row for each mapping that holds some, with what leads to it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePath
from typing import Final

from sr_bench.document.cell import Cell, Places
from sr_bench.document.dialects.yaml_results import (
    has_metrics,
    has_value,
    is_result,
    is_zoo,
    mappings,
    may_print,
    names_models,
    parts_of,
    prints,
)
from sr_bench.document.dialects.yaml_tree import Items, Node, Pairs, read_tree
from sr_bench.document.dialects.yaml_words import LABELS, STRUCTURE, header, holds_settings, kind_of
from sr_bench.document.grids import Grid
from sr_bench.document.phrases import names_result
from sr_bench.document.spelling import compact

_BARE: Final = re.compile(r"[\w.+-]*[\w.][\w.+/ -]*")
_SIGN: Final = re.compile(r"[^\w.+/ -]")
# Files of these names are one of many: the folder tells which network's.
_GENERIC: Final = frozenset({"numerics", "perf", "info", "metafile", "model", "results", "config"})

_WHOLE: Final = frozenset({"max", "mean", "value"})
"""The parts of a result, such as ``{min: 0, max: 9}``, that are it."""
_KINDS: Final = frozenset({"arch", "architecture", "type"})
"""Keys of what a thing is, which is also its name where nothing else is."""

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


def grids(places: Places, below: str = "") -> tuple[Grid, ...]:
    """Return the results of a YAML text: rows that follow each other with equal columns make one.

    Args:
        places: Of the text.
        below: The one key of its mapping that is looked into; empty for all.

    Raises:
        DocumentError: It is not YAML, or nested deeper than 50 levels.
    """
    path = PurePath(places.path)
    name = path.parent.name if path.stem.lower() in _GENERIC and path.parent.name else path.stem
    roots = (
        Pairs(tuple(pair for pair in root.pairs if below in ("", pair[0].text)))
        if isinstance(root, Pairs)
        else root
        for root in read_tree(places).nodes
    )
    rows = (row for root in roots for row in _Walk(name).root(root))
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
                labels |= _labels(value, "Model", {})
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
            own = _said_beside(node) | _labels(node, meaning, above)
            labels = {**above, **own}
            # As in ``Metrics: {h-mean: 0.81}``, where no key is a setting.
            is_all_results = meaning == "Metric" and "Metric" not in own
            numbers = [pair for pair in _numbers(node, labels, is_all_results) if pair[1].text]
            if numbers:
                yield _Row(self._named(labels, numbers[0][1]), numbers)
            for key, value in node.pairs:
                is_read = isinstance(value, Cell) or parts_of(key, value)
                if not (is_read or holds_settings(key.text)):
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
        if not kind and names_result(key.text) and (title != key.text or has_value(value)):
            kind = "Metric"
        if not kind and compact(key.text) not in STRUCTURE:
            kind = "Part" if "Model" in labels else "Model"
        if (kind == "Part" and not has_metrics(value)) or (kind == "Model" and is_zoo(value)):
            kind = ""
        says = kind and (kind == "Metric" or title == key.text)
        own = {kind: (_said(key, kind), key)} if says else {}
        metric = kind == "Metric" or "Metric" in labels
        if metric and "Model" not in labels and names_models(value):
            yield from _rows_of_models(value, {**labels, **own})
        else:
            yield from self.rows(value, {**labels, **own}, "")

    def _named(self, labels: Mapping[str, _Labelled], first: Cell) -> Mapping[str, _Labelled]:
        if "Model" in labels:
            return labels
        return {"Model": (_said(first, "Model"), _said(first, self.name)), **labels}


def _rows_of_models(node: Node, labels: Mapping[str, _Labelled]) -> Iterator[_Row]:
    for key, value in node.pairs if isinstance(node, Pairs) else ():
        if isinstance(value, Cell):
            own = {"Model": (_said(key, "Model"), key)}
            yield _Row({**labels, **own}, [(key._replace(whole="Value"), value)])


def _said(cell: Cell, text: str) -> Cell:
    """Return a cell at the place of `cell` that shows `text`, which does not stand there."""
    return Cell("", cell.line, cell.column, cell.start, cell.start, "verbatim", text)


def _said_beside(node: Pairs) -> dict[str, _Labelled]:
    """Return the dataset and the runtime that mappings beside the numbers of `node` name."""
    found: dict[str, _Labelled] = {}
    for key, value in node.pairs:
        if header(key.text) == "Dataset" and isinstance(value, Pairs):
            named = _labels(value, "Dataset", {}).get("Dataset")
            found |= {"Dataset": named} if named and "Dataset" not in found else {}
        for one in mappings(value) if compact(key.text) == "launchers" else ():
            for part, name in one.pairs:
                if compact(part.text) == "framework" and isinstance(name, Cell):
                    found.setdefault("Runtime", (part._replace(whole="Runtime"), name))
    return found


def _labels(node: Pairs, meaning: str, above: Mapping[str, _Labelled]) -> dict[str, _Labelled]:
    """Return the scalars of a mapping that tell what its numbers are of, by their header.

    A name goes before what it is a name of: the architecture of a model, the type of a metric.
    """
    found: dict[str, _Labelled] = {}
    for key, value in node.pairs:
        if isinstance(value, Cell) and value.text:
            word = compact(key.text)
            title = meaning if word == "name" and meaning else header(key.text)
            if word == "type" and meaning != "Metric" and kind_of(value.text) != "Metric":
                continue
            if word in _KINDS and (title in found or (title == "Model" and title in above)):
                continue
            if title in LABELS and not (title == "Metric" and prints(value)):
                found[title] = (key._replace(whole=title), value)
    return found


def _numbers(
    node: Pairs, labels: Mapping[str, _Labelled], is_all_results: bool
) -> Iterator[_Labelled]:
    """Yield the results of a mapping, and those of a range or list that stands in it."""
    for key, value in node.pairs:
        title = header(key.text)
        for part, number in parts_of(key, value):
            yield part._replace(whole=_part_name(part.text, title, labels)), number
        title = "Value" if title == "Metric" else title
        for one in value.nodes if isinstance(value, Items) else (value,):
            if not isinstance(one, Cell):
                continue
            if is_result(key, one, labels) or (is_all_results and may_print(one)):
                yield key._replace(whole=title), one


def _part_name(part: str, title: str, labels: Mapping[str, _Labelled]) -> str:
    if part in _WHOLE:
        return title
    metric = labels["Metric"][1].text if title == "Value" and "Metric" in labels else title
    return f"{part} {metric}"


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
