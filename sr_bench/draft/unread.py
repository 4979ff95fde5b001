"""What to do about the numbers of a document that nothing reads: ignore them, and say so."""

from collections.abc import Iterator, Mapping, Sequence

from sr_bench.document.claims import Reading
from sr_bench.document.grids import LONG
from sr_bench.document.printed import Printed, unread_numbers

_MOST_NAMED = 20


def ignored(reading: Reading) -> Mapping[str, Mapping[str, str]]:
    """Return the ``ignore_*`` tables that leave out what is not read and no number that is."""
    tables: dict[str, dict[str, str]] = {
        "ignore_columns": {}, "ignore_rows": {}, "ignore_tables": {},
    }  # fmt: skip
    read = [one for one in reading.printed if not one.fault]
    for one in (one for one in reading.printed if one.unread):
        for scope, name in _names(one):
            if not any(name in dict(_names(other)).values() for other in read):
                tables[f"ignore_{scope}s"].setdefault(name, f"not read: {one.fault}")
                break
    return tables


def _names(one: Printed) -> Sequence[tuple[str, str]]:
    """Return what a card may call the part of the table that `one` is in, its own scope first."""
    names = {"column": one.header, "row": one.labels[0], "table": one.grid.names[0]}
    usable = {scope: name for scope, name in names.items() if 0 < len(name) <= LONG}
    return sorted(usable.items(), key=lambda item: item[0] != one.scope)


def unread_doubts(reading: Reading) -> Iterator[str]:
    """Yield the first numbers that are not read."""
    unread = unread_numbers(reading.printed)
    for one in unread[:_MOST_NAMED]:
        yield f"not read: {one.source}: {one.message}"
    if more := len(unread) - _MOST_NAMED:
        if more > 0:
            yield f"{more} more are not read: sr-bench lint names them all"
