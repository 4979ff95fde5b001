"""Every metric cell of a document with what it is about, be there a number in it or none."""

from collections.abc import Sequence
from dataclasses import dataclass

from sr_bench.core.cell import CellKey
from sr_bench.core.claim import Claim, Source
from sr_bench.core.fields import narrowed
from sr_bench.document.cell import Cell
from sr_bench.document.claims import Reading


@dataclass(frozen=True)
class MetricCell:
    """A cell for a number."""

    key: CellKey
    source: Source
    cell: Cell
    """The number alone, or what stands in its place."""
    text: str
    """The number as its claim has it, or what stands in its place."""
    exponent: int
    """As of `Claim`."""
    is_number: bool
    table: int
    """Which of the document's tables with models it is in, from 0."""


def metric_cells(reading: Reading) -> tuple[MetricCell, ...]:
    """Return the metric cells of a document in reading order."""
    cells = [
        MetricCell(
            narrowed(CellKey, row, metric=place.asks.metric),
            place.asks.source,
            place.cell,
            place.asks.text if isinstance(place.asks, Claim) else place.cell.text,
            place.asks.exponent,
            isinstance(place.asks, Claim),
            index,
        )
        for index, table in enumerate(reading.tables)
        for row in table.rows
        for place in row.places
    ]
    return tuple(sorted(cells, key=lambda cell: cell.source))


def nearest_number(cells: Sequence[MetricCell], blank: MetricCell) -> MetricCell | None:
    """Return the number of the same metric that is nearest to `blank`: in its table, or in any.

    Of two that are as near the upper one counts; None if the document prints none.
    """
    same = [cell for cell in cells if cell.is_number and cell.key.metric == blank.key.metric]
    in_table = [cell for cell in same if cell.table == blank.table]
    line = blank.source.line
    # The first of equals, and cells come in reading order.
    return min(in_table or same, key=lambda cell: abs(cell.source.line - line), default=None)
