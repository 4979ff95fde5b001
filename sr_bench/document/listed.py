"""Headers that list precisions, one for each number of a cell: ``PSNR (FP32 / INT8 / diff)``."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from sr_bench.core.precision import Precision
from sr_bench.document.cell import Cell
from sr_bench.document.dimensions import CHANGES, Dimensions, Measure
from sr_bench.document.meanings import precision_label
from sr_bench.document.phrases import read_phrase
from sr_bench.document.printed_numbers import Number, measured, read_numbers
from sr_bench.document.spelling import compact, words

_BRACKETS: Final = re.compile(r"[(（]([^()（）]{3,80})[)）]\s{0,9}$")  # noqa: RUF001
_UNIT: Final = re.compile(r"\s{0,9}[(（\[][^()（）\[\]/]{1,20}[)）\]]\s{0,9}$")  # noqa: RUF001
_FULL: Final = words("original float baseline 原始 原模型")
_FEW, _MOST = 2, 8


def listed_numbers(
    header: str, cell: Cell, measures: Sequence[Measure]
) -> list[tuple[Dimensions, Sequence[tuple[Number, Measure]]]]:
    """Return the numbers of `cell`, each with its precision; none where `header` lists none.

    Args:
        header: Of its column, as a reader sees it.
        cell: One with a digit.
        measures: What the column, its row or the table measures; one, and changes of that.
    """
    parts = _parts(header) if header.count("/") < _MOST else ()
    if not parts or not measures:  # of most headers
        return []
    values = [one for one in read_numbers(cell) if one.kind in ("value", "blank")]
    base, *others = measures
    others_change = all(one.is_change for one in others)
    if len(parts) != len(values) or not others_change:
        return []
    return [
        (Dimensions(precision=precision), [(one, measured(_changed(base, change), one))])
        for one, (precision, change) in zip(values, parts, strict=True)
    ]


def _changed(measure: Measure, change: str) -> Measure:
    return replace(measure, metric=f"{measure.metric}_{change}") if change else measure


@lru_cache(maxsize=1000)  # a column's header is asked for in each of its rows
def _parts(header: str) -> tuple[tuple[Precision | None, str], ...]:
    """Return precision and change of each part of a list; none if one is anything else."""
    text = _UNIT.sub("", header)
    inside = _BRACKETS.search(text)
    first, *others = (inside[1] if inside else text).split("/")
    first = first if inside else "".join(first.split()[-1:])
    parts = tuple(_read((first, *others)))
    named = [precision for precision, change in parts if not change]
    distinct = len(named) >= _FEW and len(set(named)) == len(named) and all(named)
    return parts if distinct else ()


def _read(texts: Sequence[str]) -> Iterator[tuple[Precision | None, str]]:
    for text in map(str.strip, texts):
        full = Precision.FP32 if compact(text) in _FULL else None
        says = [one.metric for one in read_phrase(text).measures]
        change = says[0] if says and says[0] in CHANGES else ""
        yield Precision.FP32 if change else full or precision_label(text), change
