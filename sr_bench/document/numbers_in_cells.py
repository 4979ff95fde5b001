"""The numbers of one cell, each with the metric that it is a value of."""

from dataclasses import dataclass, replace
from typing import Final

from sr_bench.document.cell import Cell
from sr_bench.document.dimensions import Measure
from sr_bench.document.printed_numbers import Number, read_numbers
from sr_bench.document.units import with_printed_unit

NO_NUMBER: Final = (
    "expected a number such as 32.785, 37.8/0.96 or 1.37M, or '-' for none; remarks belong below"
    " the table"
)
_NO_METRIC: Final = "no header, row or caption names its metric"
_PAIR: Final = (Measure("psnr"), Measure("ssim"))


@dataclass(frozen=True)
class MeasuredNumber:
    """A number of a cell."""

    cell: Cell
    """The part of the cell that is the number."""
    measure: Measure
    """With the unit that its cell prints, or else its header."""


def numbers_in(cell: Cell, measures: tuple[Measure, ...]) -> tuple[MeasuredNumber, ...]:
    """Return the values that `cell` prints, one for each of `measures`.

    Raises:
        ValueError: It prints none, or others; the message says what was expected.
    """
    values = [number for number in read_numbers(cell) if number.kind == "value"]
    if not values:
        raise ValueError(NO_NUMBER)
    if len(values) == 2 and len(measures) < 2:
        measures = _measures_of_two(values, measures)
    if not measures:
        raise ValueError(_NO_METRIC)
    if len(values) != len(measures):
        names = "/".join(measure.metric for measure in measures)
        msg = f"expected {len(measures)} numbers, {names}, got {len(values)}"
        raise ValueError(msg if len(measures) > 1 else NO_NUMBER)
    return tuple(
        MeasuredNumber(value.cell, _in_unit(value, measure))
        for value, measure in zip(values, measures, strict=True)
    )


def has_pattern(cell: Cell) -> bool:
    """Tell whether `cell` prints a PSNR and an SSIM, as 37.89/0.9602 does."""
    values = [number for number in read_numbers(cell) if number.kind == "value"]
    return len(values) == 2 and _is_pair(values)


def _measures_of_two(values: list[Number], measures: tuple[Measure, ...]) -> tuple[Measure, ...]:
    if _is_pair(values) and measures in ((), _PAIR[:1]):
        return _PAIR
    if not measures or "/" in _between(values):
        return measures
    (one,) = measures
    return tuple(replace(one, metric=f"{one.metric}_{end}") for end in ("low", "high"))
