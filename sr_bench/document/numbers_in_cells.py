"""The numbers of one cell, each with its metric; and rows whose cells stack several results."""

import re
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from sr_bench.document.cell import BREAK, Cell
from sr_bench.document.columns import Column
from sr_bench.document.dimensions import CHANGES, Dimensions, Measure
from sr_bench.document.inline import plain
from sr_bench.document.lexicon import NOTHING
from sr_bench.document.phrases import fallback_measure, read_phrase
from sr_bench.document.printed_numbers import Number, measured, read_numbers
from sr_bench.document.spelling import has_digit
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
_SIGN: Final = re.compile(
    rf"`?{BREAK}`?|\r?\n|[;；,，/|]"  # noqa: RUF001
    r"|(?<=[\d%])\s{1,9}(?=[\"']?[^\W\d]\w{0,30}[\"']?\s?[:：])",  # noqa: RUF001
    re.IGNORECASE,
)
_UNIT: Final = r"\s(?:[^\W\d_]{1,12}|%)"
_LABEL: Final = r"\s*(?P<label>\S(?:[^\n]{0,60}[^\s:：=])?)(?:\s?[:：=]\s*|\s+)"  # noqa: RUF001
_QUOTED: Final = re.compile(r"(?:[^\W\d]\w{0,30}\s{1,9})?(?:\"[^\"]+\"|'[^']+')")
_FORMS: Final = (
    re.compile(rf"{_LABEL}(?P<number>\S{{1,40}})\s*"),
    re.compile(rf"{_LABEL}(?P<number>\S{{1,40}}{_UNIT})\s*"),
    re.compile(
        rf"\s*(?P<number>[^\s(（]{{1,40}}(?:{_UNIT})?)\s?[(（](?P<label>[^()（）]{{1,60}})[)）]\s*"  # noqa: RUF001
    ),
)
_BREAK: Final = re.compile(rf"\s{{0,9}}{BREAK}\s{{0,9}}", re.IGNORECASE)
_SLASH: Final = re.compile(r"\s{0,9}/\s{0,9}(?!A\b)")  # but N/A
_STACKING_ROLES: Final = MappingProxyType(
    {
        _BREAK: ("model", "scale", "dataset", "precision", "shape", "device"),
        _SLASH: ("scale", "dataset", "precision", "remark"),
    }
)
"""Roles of columns whose lines are labels, by what parts them."""


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


def labelled_parts(cell: Cell) -> tuple[tuple[Dimensions, Cell], ...]:
    """Return each part of `cell` with what its label says; nothing if any part has no label."""
    parts = [_labelled(part) for part in cell.split(_SIGN)]
    return () if None in parts else tuple(filter(None, parts))


def _labelled(part: Cell) -> tuple[Dimensions, Cell] | None:
    for form in _FORMS:
        if match := form.fullmatch(part.text):
            says = _said(plain(match["label"]))
            number = part.part(*match.span("number"))
            if read_numbers(number) and says != Dimensions() and not says.rest:
                return says, number
    return None


def _said(label: str) -> Dimensions:
    """Return what a label says; one in quotation marks names a metric, whatever it is.

    A word before them is of its name: ``Pose "mAP"`` is ``pose_map``.
    """
    says = read_phrase(label)
    if _QUOTED.fullmatch(label) and says == Dimensions(says.measures, rest=says.rest) and says.rest:
        return Dimensions(measures=(fallback_measure(label),))
    return says


def unstacked(columns: Sequence[Column], cells: tuple[Cell, ...]) -> tuple[tuple[Cell, ...], ...]:
    """Return the rows that the row `cells` stacks, itself alone if it stacks none.

    It does where a label has as many lines as the numbers beside it; what has but one line holds
    for each of them, as a cell that spans rows does.
    """
    if len(cells) != len(columns) or not (mark := _mark(columns, cells)):
        return (cells,)
    stacks = [_lines(cell, mark) for cell in cells]
    pairs = list(zip(columns, stacks, strict=True))
    numbers = [lines for column, lines in pairs if column.holds_numbers and len(lines) > 1]
    labels = {len(lines) for column, lines in pairs if column.role in _STACKING_ROLES[mark]}
    heights = {len(lines) for lines in numbers}
    # A slash may be part of a label: INT8/ACT16.
    fit = heights <= labels if mark is _SLASH else heights == labels - {1}
    if len(heights) != 1 or not fit:
        return (cells,)
    if not all(map(_is_numbers, numbers)) or any(map(_tells_itself, columns, cells)):
        return (cells,)
    height = len(numbers[0])
    return tuple(
        tuple(
            lines[n] if len(lines) == height else cell
            for cell, lines in zip(cells, stacks, strict=True)
        )
        for n in range(height)
    )


def _mark(columns: Sequence[Column], cells: Sequence[Cell]) -> re.Pattern[str] | None:
    """Return what parts the lines of a row's cells; None if nothing does."""
    if any("<" in cell.text for cell in cells):
        return _BREAK
    slashed = [(a, cell) for a, cell in zip(columns, cells, strict=True) if "/" in cell.text]
    numbers = [(column, cell) for column, cell in slashed if column.holds_numbers]
    paired = any(len(a.says.measures) > 1 or prints_pair(cell) for a, cell in numbers)  # PSNR/SSIM
    labelled = any(column.role in _STACKING_ROLES[_SLASH] for column, _ in slashed)
    return _SLASH if numbers and labelled and not paired else None


def _lines(cell: Cell, mark: re.Pattern[str]) -> tuple[Cell, ...]:
    is_one = cell.whole or (mark is _SLASH and "](" in cell.text)
    return (cell,) if is_one else tuple(cell.split(mark))


def _is_numbers(lines: Sequence[Cell]) -> bool:
    return all(has_digit(one.text) or one.plain.lower() in NOTHING for one in lines)


def _tells_itself(column: Column, cell: Cell) -> bool:
    """Tell whether a cell says in itself what each of its numbers is about."""
    return column.holds_numbers and bool(labelled_parts(cell))
