"""Columns of changes that no word calls so, or calls so without saying of what."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from sr_bench.core.metric import metric_infos
from sr_bench.document.cell import Cell
from sr_bench.document.columns import Below, Column
from sr_bench.document.dimensions import CHANGES, Measure
from sr_bench.document.in_place import MINUSES
from sr_bench.document.spelling import has_digit

_SIGNED: Final = re.compile(rf"\W*?(?:(?P<plus>\+)|[{MINUSES}])\s?\.?[0-9]")
_FEW: Final = 2


def with_changes(columns: tuple[Column, ...], texts: Sequence[Below]) -> tuple[Column, ...]:
    """Return `columns` with those of signed numbers as changes, and each ``Δ`` as one of its left.

    No value is printed with a plus sign, nor a PSNR with a minus: ``+0.03`` below ``PSNR`` is a
    gain, and so are the signed numbers beside it. Of several columns ``Δ`` each is about the metric
    before it: ``PSNR | Δ | SSIM | Δ``.
    """
    signs = [_signs(column, below) for column, below in zip(columns, texts, strict=True)]
    if any(signs):
        columns = tuple(
            _gained(column) if signed is not None else column
            for column, signed in zip(columns, signs, strict=True)
        )
    bare = [column.says for column in columns if _is_bare(column)]
    return tuple(_of_left(columns)) if len(set(bare)) < len(bare) else columns


def _signs(column: Column, texts: Below) -> bool | None:
    """Tell whether signs show that numbers are changes; None where a number has no sign."""
    if column.role != "number" or not column.says.measures or column.told or _says_change(column):
        return None
    found = _all_signs(cell for cell in texts.cells if has_digit(cell.plain))
    return (_is_known(column) or "+" in found) if len(found) >= _FEW else None


def is_gain(columns: Sequence[Column], cells: Sequence[Cell]) -> bool:
    """Tell whether all numbers of a row have a sign: it is one of changes, as ``Δ to EDSR`` is."""
    if not any("+" in cell.text for cell in cells):  # most rows
        return False
    held = [
        (column, cell)
        for column, cell in zip(columns, cells, strict=False)
        if column.holds_numbers and has_digit(cell.plain)
    ]
    signs = _all_signs(cell for _, cell in held)
    if len(signs) < _FEW or "+" not in signs:
        return False
    return any(_is_known(column) and not _says_change(column) for column, _ in held)


def _all_signs(cells: Iterable[Cell]) -> str:
    """Return the sign of each number; none at all if one has none."""
    signs = ""
    for cell in cells:
        match = _SIGNED.match(cell.text)
        if not match:
            return ""
        signs += "+" if match["plus"] else "-"
    return signs


def gains(measures: Sequence[Measure]) -> tuple[Measure, ...]:
    """Return `measures` as what values are better by."""
    return tuple(
        one if one.is_change else replace(one, metric=f"{one.metric}_gain") for one in measures
    )


def _is_known(column: Column) -> bool:
    return any(measure.metric in metric_infos() for measure in column.says.measures)


def _gained(column: Column) -> Column:
    return replace(column, says=column.says._replace(measures=gains(column.says.measures)))


def _of_left(columns: Sequence[Column]) -> Iterator[Column]:
    left = ""
    for column in columns:
        if _is_bare(column) and left:
            measure = replace(
                column.says.measures[0], metric=f"{left}_{column.says.measures[0].metric}"
            )
            yield replace(column, says=column.says._replace(measures=(measure,)))
            continue
        if column.role == "number" and not _says_change(column):
            left = column.says.measures[0].metric if len(column.says.measures) == 1 else ""
        yield column


def _is_bare(column: Column) -> bool:
    """Tell whether a column is one of changes, and does not say of what."""
    measures = column.says.measures if column.role == "number" and not column.told else ()
    return len(measures) == 1 and measures[0].metric in CHANGES


def _says_change(column: Column) -> bool:
    return any(measure.is_change for measure in column.says.measures)
