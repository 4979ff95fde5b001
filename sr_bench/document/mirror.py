"""Print a document's model-info tables again, with other numbers in the same places."""

import math
import re
from collections.abc import Mapping
from decimal import ROUND_DOWN, Context, Decimal
from typing import Literal

from sr_bench.core.claim import Source
from sr_bench.document.claims import ModelTable, read_model_tables
from sr_bench.document.splice import splice_cells
from sr_bench.document.tables import Cell, Document, Table
from sr_bench.errors import DocumentError

_LINE_END = re.compile(r"(\r\n?|\n)")


def replace_numbers(document: Document, values: Mapping[Source, str]) -> str:
    """Return the document's text with the numbers at `values` replaced, and nothing else.

    Args:
        document: The document that the sources belong to.
        values: New text by the place of a claim, or of a metric cell without a number.

    Raises:
        DocumentError: There is no metric cell at a place, or a text can't stand in a cell.
    """
    targets = _metric_cells(document)
    unknown = [str(source) for source in values if source not in targets]
    if unknown:
        msg = f"expected places of numbers in {document.path}, got {', '.join(unknown)}"
        raise DocumentError(msg)
    edits = {targets[source]: text for source, text in values.items()}
    return splice_cells(document.text, edits)


def mirror(document: Document, values: Mapping[Source, str]) -> str:
    """Return the model-info tables of `document` with the numbers at `values` replaced.

    With the document's own numbers the result is byte for byte what the document prints, line
    ends included; tables are parted by an empty line, the last line has no line end.

    Raises:
        DocumentError: As `replace_numbers`.
    """
    text = replace_numbers(document, values)
    # A replaced number adds no line, so the tables are still where they were.
    return "\n\n".join(_lines(text, table.table) for table in read_model_tables(document))


def format_like(
    claim_text: str, value: float, *, digits: Literal["rounded", "truncated"] = "rounded"
) -> str:
    """Return `value` with as many decimals as `claim_text` prints.

    Args:
        claim_text: A number as a claim prints it, such as ``0.7740``.
        value: In the same unit; may be infinite (PSNR of identical images).
        digits: Whether digits that do not fit are rounded or cut off.

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
    return f"{value:z.{decimals}f}"


def _metric_cells(document: Document) -> dict[Source, Cell]:
    cells = [cell for table in read_model_tables(document) for cell in _of_table(table)]
    return {document.source(cell): cell for cell in cells}


def _of_table(table: ModelTable) -> list[Cell]:
    """Return each metric cell: its number where it has one, else all of it."""
    return [
        row.numbers.get(metric, cell)
        for row in table.rows
        for metric, cell in row.metric_cells.items()
    ]


def _lines(text: str, table: Table) -> str:
    """Return the lines of `table` whole, from the header to the last row."""
    last = (table.alignment_line, *table.row_lines)[-1]
    pieces = _LINE_END.split(text.removeprefix("\ufeff"))
    return "".join(pieces[2 * (table.line - 1) : 2 * last - 1])
