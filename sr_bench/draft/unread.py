"""What to do about the numbers of a document that nothing reads: ignore them, and say so."""

from collections.abc import Iterator, Sequence

from sr_bench.core.ignored import Ignored
from sr_bench.document.claims import Reading
from sr_bench.document.draft import draft
from sr_bench.document.grids import LONG
from sr_bench.document.printed import Printed
from sr_bench.text.printable import printable_line


def ignorable(reading: Reading) -> Ignored:
    """Return what leaves out the numbers that are not read, and none that is."""
    parts: dict[str, dict[str, str]] = {"column": {}, "row": {}, "table": {}}
    read = {name for one in reading.printed if not one.fault for name in _names(one)}
    for one in (one for one in reading.printed if one.unread):
        free = [name for name in _names(one) if name not in read]
        if free:
            scope, name = free[0]
            parts[scope].setdefault(name, f"not read: {one.fault}")
    return Ignored(parts["column"], parts["row"], parts["table"])


def _names(one: Printed) -> Sequence[tuple[str, str]]:
    """Return what a card may call the part of the table that `one` is in, its own scope first."""
    rows = [("row", label) for label in one.labels]
    names = [("column", one.header), *rows, *(("table", name) for name in one.grid.names)]
    usable = [(scope, name) for scope, name in names if 0 < len(name) <= LONG]
    return sorted(usable, key=lambda item: item[0] != one.scope)


def unread_doubts(reading: Reading, *, left: Reading) -> Iterator[str]:
    """Yield the first numbers that are not read, those of one reason together.

    `left` is what the document reads like with what can be ignored left out.
    """
    still = {one.source for one in left.printed if one.unread}
    groups: dict[tuple[int, str], list[Printed]] = {}
    for one in (one for one in reading.printed if one.unread):
        groups.setdefault((one.grid.line, one.fault), []).append(one)
    for first, *others in groups.values():
        what = "not read" if first.source in still else "not read, so ignored below"
        more = f" and {len(others)} more" if others else ""
        yield f"{what}: {first.source}: {printable_line(first.text)}{more}: {first.fault}"


def drafts(reading: Reading) -> Iterator[str]:
    """Yield a ``[[table]]`` to fill in for each table of which columns or all are not read."""
    unread = (one.layout for one in reading.printed if one.unread and one.scope != "row")
    yield from map(draft, dict.fromkeys(unread))
