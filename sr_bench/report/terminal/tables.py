"""Plain tables for terminals."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import TypeVar

from tabulate import tabulate

from sr_bench.text.printable import printable

_Row = TypeVar("_Row")


def plain_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, left: Collection[int]
) -> list[str]:
    """Return the lines of a table whose columns `left` are aligned left, the others right.

    Each row is one line: control characters of names are spelled out.
    """
    align = ["left" if index in left else "right" for index in range(len(headers))]
    cells = [[printable(cell.replace("\n", " ")) for cell in row] for row in rows]
    # Left to itself tabulate prints 30.10 as 30.1, and pads the last column.
    text = tabulate(cells, headers, tablefmt="simple", disable_numparse=True, colalign=align)
    return [line.rstrip() for line in text.splitlines()]


def stretches(rows: Sequence[_Row], quiet: Sequence[bool]) -> Iterator[Sequence[_Row]]:
    """Yield each of `rows` alone, but together those in a row that are `quiet`; never the last."""
    quiet = [*quiet[:-1], *[False] * bool(rows)]  # of the newest everybody wants to know
    for together, group in groupby(zip(quiet, rows, strict=True), key=lambda pair: pair[0]):
        members = [row for _, row in group]
        yield from [members] if together else ([row] for row in members)
