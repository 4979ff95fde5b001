"""``sr-bench blame``: show where the numbers on a line of a document came from."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.cli._args.output import add_json_argument, print_result
from sr_bench.errors import DocumentError, OptionError

if TYPE_CHECKING:
    from sr_bench.document.claims import MetricCell
    from sr_bench.history.origin import Origin

HELP = "show where a number of a README came from: which run, who wrote it, and why"
EXAMPLE = "sr-bench blame suites/pocket/README.md:12"

# A path may hold a colon, as C:\zoo does, and line feeds.
_PLACE = re.compile(r"(?P<path>.+?):(?P<line>[1-9][0-9]*)(:(?P<column>[1-9][0-9]*))?", re.DOTALL)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "place", metavar="README:LINE", help="README.md:12, or README.md:12:37 for one number"
    )
    parser.add_argument("--column", type=int, metavar="N", help="only the number at this column")
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print where each number of the line came from."""
    from sr_bench.cards.documents import read_bound
    from sr_bench.document.claims import metric_cells, read
    from sr_bench.history.ledger import ledger_of, read_ledger
    from sr_bench.history.origin import origin, origin_lines
    from sr_bench.text.printable import printable

    path, line, column = _place(args.place, args.column)
    cells = _chosen(metric_cells(read(read_bound(path))), path, line, column)
    ledger = read_ledger(ledger_of(path))
    for fault in ledger.faults:
        print(f"sr-bench: warning: {printable(fault)}", file=sys.stderr)  # not in JSON
    origins = [origin(path, cell, ledger) for cell in cells]
    lines = (printable(line) for source in origins for line in origin_lines(source))
    print_result([*map(_as_json, origins)], lines, as_json=args.json)
    return 0


def _place(text: str, column: int | None) -> tuple[Path, int, int | None]:
    """Return path, line and column of `text`; no column means all numbers of the line."""
    match = _PLACE.fullmatch(text)
    if not match:
        msg = f"{text}: expected a document and a line, as in README.md:12"
        raise OptionError(msg)
    if column is None and match["column"]:  # --column goes first
        column = int(match["column"])
    return Path(match["path"]), int(match["line"]), column


def _chosen(
    cells: "Sequence[MetricCell]", path: Path, line: int, column: int | None
) -> "list[MetricCell]":
    numbers = [cell for cell in cells if cell.is_number and cell.source.line == line]
    if not numbers:
        msg = f"{path}:{line}: expected numbers of a model-info table, got none"
        raise DocumentError(msg)
    if column is None:
        return numbers
    # At any of its digits; a cell that spans rows is a number of each.
    if at := [cell for cell in numbers if 0 <= column - cell.source.column < len(cell.text)]:
        return at
    columns = ", ".join(str(cell.source.column) for cell in numbers)
    msg = f"{path}:{line}:{column}: no number there; they start at {columns}"
    raise OptionError(msg)


def _as_json(origin: "Origin") -> dict[str, object]:
    return {
        "place": origin.cell.source,
        "about": origin.cell.key,
        "text": origin.cell.text,
        "edited": origin.edited,
        "ledger": origin.written,
        "commit": origin.commit,
    }
