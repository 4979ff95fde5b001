"""Columns of PSNR that no word calls so: on benchmarks, as papers print it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from sr_bench.core.metric import metric_infos
from sr_bench.document.columns import Column
from sr_bench.document.dimensions import Measure
from sr_bench.document.lexicon import SR_DATASETS
from sr_bench.document.spelling import compact, has_digit

_FEW: Final = 2
_MARKS: Final = "*~ \u2265\u2264<>"
_DECIBELS: Final = re.compile(r"(?:1[5-9]|[2-5][0-9])(?:\.[0-9]{1,6})?(?:\s?/\s?0?\.[0-9]{1,6})?")
"""Alone, or beside an SSIM."""


def of_benchmarks(
    columns: tuple[Column, ...], texts: Sequence[Iterable[str]]
) -> tuple[Column, ...]:
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
    if not all(are_decibels(texts[n]) for n in found):
        return columns
    psnr = (Measure("psnr"),)
    return tuple(
        replace(column, says=replace(column.says, measures=psnr, dataset=_data_set(column)))
        if n in found or (_is_other(column) and are_decibels(cells))
        else column
        for n, (column, cells) in enumerate(zip(columns, texts, strict=True))
    )


def are_decibels(texts: Iterable[str]) -> bool:
    """Tell whether all of `texts` with a digit can be decibels of images, and one has decimals."""
    numbers = [text.strip(_MARKS) for text in texts if has_digit(text)]
    return any("." in text for text in numbers) and all(map(_DECIBELS.fullmatch, numbers))


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
