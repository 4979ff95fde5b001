"""Print a command's result: a table for people, JSON for programs."""

import argparse
import json
from collections.abc import Sequence

from sr_bench.core.codec import encode
from sr_bench.text.printable import printable_line


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def print_json(value: object) -> None:
    """Print `value`, made of dataclasses, mappings and sequences, as indented JSON."""
    print(json.dumps(encode(value), indent=1, allow_nan=False))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0) -> None:
    """Print `rows`; the last `numbers` columns are set flush right."""
    from tabulate import tabulate

    text = len(headers) - numbers
    align = ("left",) * text + ("right",) * numbers
    rows = [[printable_line(cell) for cell in row] for row in rows]
    print(tabulate(rows, headers, tablefmt="simple", disable_numparse=True, colalign=align))
