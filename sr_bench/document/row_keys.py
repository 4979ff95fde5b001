"""What columns are where no header says so: labels of another kind, levels, PSNR on benchmarks."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Final

from sr_bench.core.metric import image_metrics, metric_infos
from sr_bench.document.cell import Cell
from sr_bench.document.columns import IDENTITIES, Below, Column
from sr_bench.document.dimensions import Measure
from sr_bench.document.lexicon import COLOURS, SR_DATASETS
from sr_bench.document.meanings import precision_label
from sr_bench.document.numbers_in_cells import prints_pair
from sr_bench.document.phrases import names_network, read_phrase
from sr_bench.document.printed_numbers import read_numbers
from sr_bench.document.spelling import compact, has_digit, has_fraction

_DECIMAL: Final = re.compile(r"\W*[0-9]*[.,][0-9]+\W*")
_KINDS: Final = ("scale", "precision", "dataset")
_FEW: Final = 2
_BOUND: Final = re.compile(r"(?:(?:[\u2265\u2264]|[<>]=?|&[lg][te];)\s?(?=\d))?")
_LEAST_DB, _MOST_DB = 15, 60
"""Of images."""


def labelled(columns: Sequence[Column], texts: Sequence[Iterable[str]]) -> Iterator[Column]:
    """Yield `columns`, those of labels that are all scales, precisions or datasets as such.

    Their header may call them models, or be the model of the columns behind it: ``EDSR | Set5``
    over ``x2``. Tables side by side have several of those.
    """
    model = ""
    for column, cells in zip(columns, texts, strict=True):
        named = column.role == "unknown" and names_network(column.header)
        role = _role(cells) if (named or column.role == "model") and not column.told else ""
        if role and (named or role != "dataset"):  # networks are called by datasets they are for
            model = column.header if named else model
            yield replace(column, role=role)
        elif model and column.role in ("number", "unknown") and not column.says.model:
            yield replace(column, says=column.says._replace(model=model))
        else:
            yield column


def _role(texts: Iterable[str]) -> str:
    """Return what each of `texts` names, and nothing else; empty if that is not one of `_KINDS`."""
    kind = next(map(_kind, texts), "")
    return kind if kind and all(_kind(text) == kind for text in texts) else ""


def _kind(text: str) -> str:
    if precision_label(text):
        return "precision"
    says = read_phrase(text)
    kinds = [kind for kind in _KINDS if getattr(says, kind)]
    if len(kinds) != 1 or says.measures or says.backend or says.rest:
        return ""
    return "" if kinds[0] == "precision" else kinds[0]  # A fp16


def with_gap(columns: tuple[Column, ...], texts: Sequence[Below]) -> tuple[Column, ...]:
    """Return `columns` with a fault for those of a second table, behind an empty column and names.

    Its rows may be about others than those of the first: both may be in the order of their numbers.
    """
    for n in range(1, len(columns) - 2):
        names = columns[n + 1]
        if columns[n].header or any(texts[n]) or names.role in IDENTITIES:
            continue
        if (found := list(texts[n + 1])) and all(map(_is_name, found)):
            fault = f"its rows are called by {names.header!r}; they need a table of their own"
            behind = [
                replace(column, fault=fault) if column.role == "number" else column
                for column in columns[n + 2 :]
            ]
            return (*columns[: n + 2], *behind)
    return columns


def _is_name(text: str) -> bool:
    return any(map(str.isalpha, text)) and not has_fraction(text)


def with_levels(
    columns: tuple[Column, ...], unknown: Sequence[int], full: Sequence[Sequence[Cell]]
) -> tuple[Column, ...]:
    """Return `columns` with those of levels as remarks: ``Noise | PSNR`` over ``15``, ``25``.

    Those are of no metric that anything knows, or print no number, stand before all that are and
    do, and rows that else say the same differ in them.

    Args:
        columns: All of a table.
        unknown: Which of them hold numbers below a header that nothing knows.
        full: The rows of the table that have a cell for each column.
    """
    held = [n for n, column in enumerate(columns) if column.holds_numbers]
    known = (n for n in held if n not in unknown and any(read_numbers(row[n]) for row in full))
    first = next(known, len(columns))
    if not (before := [n for n in held if n < first]):  # of most tables
        return columns
    keys = [
        n for n, column in enumerate(columns) if column.role in ("model", "metric", *IDENTITIES)
    ]
    said = list(zip(*(_filled(full, n) for n in keys), strict=True)) or [()] * len(full)
    levels: set[int] = set()
    for n in before:
        finer = [(*key, row[n].plain) for key, row in zip(said, full, strict=True)]
        decimal = any(_DECIMAL.fullmatch(row[n].plain) for row in full)
        if len(set(finer)) > len(set(said)) and not decimal:
            levels, said = {*levels, n}, finer
    return tuple(
        replace(column, role="remark") if n in levels else column
        for n, column in enumerate(columns)
    )


def _filled(rows: Iterable[Sequence[Cell]], index: int) -> Iterator[str]:
    """Return the texts of a column; a blank one continues the one above."""
    return accumulate((row[index].plain for row in rows), lambda above, text: text or above)


def of_benchmarks(columns: tuple[Column, ...], texts: Sequence[Below]) -> tuple[Column, ...]:
    """Return `columns` with those on benchmarks, of which nothing names the metric, as of PSNR.

    That is so where two benchmarks and more are across or down, and all their numbers can be
    decibels: no other metric of these data sets is near 30. Beside them, an unknown name with a
    scale is a data set too: ``Set5 x2 | Mine x2``.
    """
    numbers = [n for n, column in enumerate(columns) if column.role == "number"]
    unsaid = [n for n in numbers if not columns[n].says.measures]
    found = [n for n in unsaid if _is_benchmark(columns[n].says.dataset)]
    if not found and any(map(_are_benchmarks, columns, texts)):
        found = unsaid
    elif len(found) < _FEW:
        return columns
    if not all(are_decibels(texts[n].cells) for n in found):
        return columns
    others = [n for n in numbers if _is_other(columns[n]) and are_decibels(texts[n].cells)]
    psnr, of_psnr = (Measure("psnr"),), list(columns)
    for n in (*found, *others):
        says = columns[n].says
        dataset = says.dataset or (says.rest if n in others else "")
        of_psnr[n] = replace(columns[n], says=says._replace(measures=psnr, dataset=dataset))
    return tuple(of_psnr)


def beside_datasets(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Return `columns` with the unknown name of a header as its dataset, where others name one.

    ``Set5 PSNR | Street PSNR``: the second number is not of the data set that comes first.
    """
    named = {
        measure.metric
        for column in columns
        if column.says.dataset
        for measure in column.says.measures
    }.intersection(image_metrics())
    return tuple(
        replace(column, says=column.says._replace(dataset=column.says.rest))
        if _is_unplaced(column) and named.issuperset(one.metric for one in column.says.measures)
        else column
        for column in columns
    )


def _is_unplaced(column: Column) -> bool:
    """Tell whether the header names a metric and what nothing knows, which is no colour."""
    says = column.says
    is_open = column.holds_numbers and not (column.told or says.dataset or says.model)
    return is_open and bool(says.measures and says.rest) and compact(says.rest) not in COLOURS


def are_decibels(cells: Iterable[Cell]) -> bool:
    """Tell whether all of `cells` with a digit print decibels of images, and one has decimals."""
    numbers = [_psnr(cell) for cell in cells if has_digit(cell.plain)]
    return all(numbers) and any("." in text for text in numbers)


def _psnr(cell: Cell) -> str:
    """Return what can be a PSNR in `cell`, alone or beside an SSIM; empty if nothing can."""
    bound = _BOUND.match(cell.text)
    cell = cell.part(bound.end() if bound else 0, len(cell.text))
    values = [number for number in read_numbers(cell) if number.kind == "value"]
    if not (len(values) == 1 or prints_pair(cell)) or compact(values[0].unit) not in ("", "db"):
        return ""
    return values[0].text if _LEAST_DB <= float(values[0].text) < _MOST_DB else ""


def _is_other(column: Column) -> bool:
    """Tell whether a column is of a scale, and of a metric that nothing knows."""
    says = column.says
    unknown = all(measure.metric not in metric_infos() for measure in says.measures)
    return column.holds_numbers and bool(says.scale and says.rest and says.measures) and unknown


def _is_benchmark(dataset: str) -> bool:
    return compact(dataset).startswith(SR_DATASETS)


def _are_benchmarks(column: Column, texts: Iterable[str]) -> bool:
    """Tell whether the rows of a column are called by two benchmarks and more, and nothing else."""
    names = list(texts) if column.role == "dataset" else []
    return len(set(names)) >= _FEW and all(map(_is_benchmark, names))
