"""Plain tables for terminals."""

from collections.abc import Collection, Sequence

from tabulate import tabulate

from sr_bench.text.printable import printable


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
