"""The numbers of one cell, each with the metric that it is a value of."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sr_bench.document.cell import Cell
from sr_bench.document.dimensions import CHANGES, Measure
from sr_bench.document.printed_numbers import Number, measured, read_numbers
from sr_bench.text.printable import counted

_NOT_NUMBER: Final = (
    "expected a number such as 32.785, 37.8/0.96 or 1.37M, or '-' for none; remarks belong below"
    " the table"
)
_NO_METRIC: Final = "no header, row or caption names its metric"
_ENDS: Final = ("low", "high")
_LEAST_SSIM: Final = 0.1
"""What is below, as in 30.21 (0.02), is how far values lie apart."""
_PAIR: Final = (Measure("psnr"), Measure("ssim"))


def numbers_in(
    cell: Cell, measures: Sequence[Measure], around: Sequence[Measure]
) -> Sequence[tuple[Number, Measure]]:
    """Return what `cell` prints, one number for each of `measures`, with its unit or the header's.

    Args:
        cell: One with a digit.
        measures: What its column or its row names.
        around: What holds where neither names any, and the cell doesn't show it by itself.

    Raises:
        ValueError: It prints none, or others; the message says what was expected.
    """
    numbers = read_numbers(cell)
    values = [number for number in numbers if number.kind in ("value", "blank")]
    if not values:
        raise ValueError(_NOT_NUMBER)
    if len(measures) < len(values) == len(_PAIR) and _is_pair(values):
        if not measures or measures[0].metric == _PAIR[0].metric:
            measures = _PAIR
    measures = measures or around
    if len(values) == 1 == len(measures) and numbers[0].kind == "spread":  # 0 of 0 - 10
        values = [numbers[0], *values]
        measures = [replace(measures[0], metric=f"{measures[0].metric}_{e}") for e in _ENDS]
    if len(values) != len(measures):
        names = "/".join(measure.metric for measure in measures)
        msg = f"expected {counted(len(measures), 'number')}, {names}, got {len(values)}"
        raise ValueError(msg if measures else _NO_METRIC)
    return [(one, measured(measure, one)) for one, measure in zip(values, measures, strict=True)]


def changed(measures: tuple[Measure, ...], of_row: Sequence[Measure]) -> tuple[Measure, ...]:
    """Return `measures`; a mere change, as below ``Δ``, is one of what the row measures.

    A mere score is what the row measures.
    """
    if not of_row or len(measures) != 1 or tuple(of_row) == measures:
        return measures
    if (change := measures[0].metric) == "score":
        return tuple(of_row)
    if change not in CHANGES:
        return measures
    return tuple(replace(measures[0], metric=f"{one.metric}_{change}") for one in of_row)


def prints_pair(cell: Cell) -> bool:
    """Tell whether `cell` prints a PSNR and an SSIM, as 37.89/0.9602 does."""
    return _is_pair([number for number in read_numbers(cell) if number.kind == "value"])


def _is_pair(values: Sequence[Number]) -> bool:
    if len(values) != len(_PAIR) or not all(value.text for value in values):
        return False
    psnr, ssim = (float(value.text) for value in values)
    return 1 < psnr < 100 and _LEAST_SSIM <= ssim <= 1
