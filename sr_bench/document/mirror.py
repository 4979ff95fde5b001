"""Put other numbers into a document's tables, leaving every other byte alone."""

import math
import re
from collections.abc import Mapping
from decimal import ROUND_DOWN, Context, Decimal
from typing import Final, Literal

from sr_bench.core.claim import Source
from sr_bench.document.cell import Cell, Places
from sr_bench.document.claims import Reading, metric_cells
from sr_bench.document.printed_numbers import read_numbers
from sr_bench.document.splice import splice_cells, spliced
from sr_bench.errors import DocumentError

_MARK: Final = re.compile(r"(?<=\d)(?:&#?\w{2,8};|\D{1,3})(?=\d)")
_MINUS: Final = re.compile("[−–—]|&(?:minus|[nm]dash|#\\d{2,5});")  # noqa: RUF001 - typed for a minus
_WIDE: Final = str.maketrans("0123456789", "０１２３４５６７８９")  # noqa: RUF001


def respelled(printed: str, old: str, new: str) -> str:
    """Return the number `new` as its cell prints numbers, if that is read as `new` again.

    With the marks of ``0,864`` 1.125 would be read as a thousand: then it gets none.

    Args:
        printed: The cell's number as it stands there, or what stands in its place.
        old: That number as Python reads it.
        new: Another number as Python reads it.

    >>> respelled("1,592", "1592", "1601"), respelled("30,21", "30.21", "30.25")
    ('1,601', '30,25')
    """
    if printed == old or not re.search(r"\d", printed):
        return new
    minus = _MINUS.match(printed)
    marks = _MARK.findall(printed, minus.end() if minus else 0)
    point = marks.pop() if "." in old and marks else "."
    sign, digits = ("-", new[1:]) if new.startswith("-") else ("", new)
    whole, dot, rest = digits.partition(".")
    if marks:
        whole = re.sub(r"(?<=\d)(?=(\d{3})+$)", marks[0].replace("\\", r"\\"), whole)
    sign = minus[0] if sign and minus else sign
    plus = "+" if printed.startswith("+") and not sign else ""
    text = f"{plus}{sign}{whole}{dot and point}{rest}"
    text = text.translate(_WIDE) if re.search("[０-９]", printed) else text  # noqa: RUF001
    read = read_numbers(Cell(text, 1, 1, 0, len(text)))
    return text if [number.text for number in read] == [new] else new


def replace_numbers(reading: Reading, values: Mapping[Source, str]) -> str:
    """Return the text of a document with the numbers at `values` replaced, and nothing else.

    `values` has new texts, as Python reads numbers, by the place of a claim, or of a metric cell
    without a number; they get the marks of what they take the place of, as in ``1,592``.

    Raises:
        DocumentError: There is no metric cell at a place, or a text can't stand in a cell.
    """
    return splice_cells(reading.document, _edits(reading, values))


def mirror(reading: Reading, values: Mapping[Source, str]) -> str:
    """Return the model-info tables of a document with the numbers at `values` replaced.

    With the document's own numbers the result is byte for byte what the document prints, line
    ends included; tables are parted by an empty line, the last line has no line end. What stands
    for a number may be any text of one cell. Raises as `replace_numbers`.
    """
    # A replaced number adds no line, so the tables are still where they were.
    new = Places(spliced(reading.document, _edits(reading, values)))
    spans: list[tuple[int, int]] = []
    for grid in sorted((table.table for table in reading.tables), key=lambda grid: grid.line):
        # Several tables of HTML or YAML may share lines.
        if spans and grid.line <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], grid.last_line))
        else:
            spans.append((grid.line, grid.last_line))
    ends = [start + len(line) for start, line in zip(new.starts, new.lines, strict=True)]
    return "\n\n".join(new.text[new.starts[a - 1] : ends[b - 1]] for a, b in spans)


def _edits(reading: Reading, values: Mapping[Source, str]) -> dict[Cell, str]:
    targets = {place.source: place for place in metric_cells(reading)}
    if unknown := [str(source) for source in values if source not in targets]:
        msg = f"expected places of numbers in {reading.path}, got {', '.join(unknown)}"
        raise DocumentError(msg)
    return {
        (target := targets[source]).cell: respelled(target.cell.text, target.text, text)
        for source, text in values.items()
    }


def format_like(
    claim_text: str, value: float, *, digits: Literal["rounded", "truncated"] = "rounded"
) -> str:
    """Return `value`, which may be infinite, with as many decimals as `claim_text` prints.

    Digits that do not fit are rounded or cut off, as `digits` says.

    Raises:
        DocumentError: `value` is NaN.

    >>> format_like("0.297", 0.297723, digits="truncated")
    '0.297'
    >>> format_like("0.7740", 0.77404)
    '0.7740'
    """
    if math.isnan(value):
        msg = f"expected a number to print like {claim_text}, got NaN"
        raise DocumentError(msg)
    step = Decimal(1).scaleb(int(Decimal(claim_text).as_tuple().exponent))
    decimals = max(0, -int(step.adjusted()))
    if digits == "truncated" and math.isfinite(value):
        # repr, not the exact binary value: 0.297 is stored below 0.297 and would become 0.296.
        # As many digits as a float and its claim may have together; the default of 28 is too few.
        exact = Context(prec=400 + decimals)
        value = float(Decimal(repr(value)).quantize(step, ROUND_DOWN, exact))
    return f"{value:z.{decimals}f}"  # z: no minus sign for what prints as 0
