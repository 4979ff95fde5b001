"""Columns of PSNR that no word calls so: on benchmarks, as papers print it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from sr_bench.core.metric import metric_infos
from sr_bench.document.cell import Cell
from sr_bench.document.columns import Below, Column
from sr_bench.document.dimensions import Measure
from sr_bench.document.lexicon import SR_DATASETS
from sr_bench.document.numbers_in_cells import prints_pair
from sr_bench.document.printed_numbers import read_numbers
from sr_bench.document.spelling import compact, has_digit

_FEW: Final = 2
_BOUND: Final = re.compile(r"(?:(?:[\u2265\u2264]|[<>]=?|&[lg][te];)\s?(?=\d))?")
_LEAST, _MOST = 15, 60
"""Decibels of images."""


def of_benchmarks(columns: tuple[Column, ...], texts: Sequence[Below]) -> tuple[Column, ...]:
    """Return `columns` with those on benchmarks, of which nothing names the metric, as of PSNR.

    That is so where two benchmarks and more are across or down, and all their numbers can be
    decibels: no other metric of these data sets is near 30. Beside them, an unknown name with a
    scale is a data set too: ``Set5 x2 | Mine x2``.
    """
    unsaid = [
        n
        for n, column in enumerate(columns)
        if column.role == "number" and not column.says.measures
    ]
    found = [n for n in unsaid if _is_benchmark(columns[n].says.dataset)]
    if not found and any(map(_are_benchmarks, columns, texts)):
        found = unsaid
    elif len(found) < _FEW:
        return columns
    if not all(are_decibels(texts[n].cells) for n in found):
        return columns
    psnr = (Measure("psnr"),)
    return tuple(
        replace(column, says=column.says._replace(measures=psnr, dataset=_data_set(column)))
        if n in found or (_is_other(column) and are_decibels(below.cells))
        else column
        for n, (column, below) in enumerate(zip(columns, texts, strict=True))
    )


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
    return values[0].text if _LEAST <= float(values[0].text) < _MOST else ""


def _data_set(column: Column) -> str:
    return column.says.dataset or (column.says.rest if _is_other(column) else "")


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
