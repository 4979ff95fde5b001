"""The order of records in every view: the document's, however the items were run."""

from collections.abc import Iterable
from math import inf

from sr_bench.core.record import Record


def in_document_order(records: Iterable[Record]) -> tuple[Record, ...]:
    """Return `records` by family, then by the place of their claims in the document.

    Those without a claim follow the claims of their model, in the order they came in.
    """
    given = tuple(records)
    first_line: dict[tuple[str, str], float] = {}
    for record in given:
        if record.claim:
            model, line = (record.family, record.model), record.claim.source.line
            first_line[model] = min(line, first_line.get(model, inf))

    def place(record: Record) -> tuple[str, float, bool, int, int]:
        source = record.claim.source if record.claim else None
        line, column = (source.line, source.column) if source else (0, 0)
        top = first_line.get((record.family, record.model), inf)
        return (record.family, top, source is None, line, column)

    return tuple(sorted(given, key=place))
