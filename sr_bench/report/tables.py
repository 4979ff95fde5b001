"""Plain tables for terminals."""

from collections.abc import Collection, Sequence

from tabulate import tabulate


def plain_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, left: Collection[int]
) -> list[str]:
    """Return the lines of a table whose columns `left` are aligned left, the others right."""
    align = ["left" if index in left else "right" for index in range(len(headers))]
    text = tabulate(rows, headers, tablefmt="simple", disable_numparse=True, colalign=align)
    return [line.rstrip() for line in text.splitlines()]
