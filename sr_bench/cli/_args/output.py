"""Print a command's result: a table for people, JSON for programs; and how far it is."""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence

from sr_bench.core.codec import encode
from sr_bench.text.printable import printable_line

_WIDTH = 78  # fits the narrowest usual terminal


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def print_json(value: object) -> None:
    """Print `value`, made of dataclasses, mappings and sequences, as indented JSON."""
    # JSON has no NaN and no infinity; `encode` spells the latter as a text.
    print(json.dumps(encode(value), indent=1, allow_nan=False))


def print_result(value: object, lines: Iterable[str], *, as_json: bool) -> None:
    """Print `value` as JSON, or the `lines` that show it."""
    if as_json:
        print_json(value)
    else:
        print("\n".join(lines))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0) -> None:
    """Print `rows`; the last `numbers` columns are set flush right."""
    from sr_bench.report.terminal.tables import plain_table

    print("\n".join(plain_table(headers, rows, left=range(len(headers) - numbers))))


def show_progress(text: str, *, ended: bool) -> None:
    """Show in one line of a terminal how far a command is; nothing in a log."""
    if sys.stderr.isatty():
        # The cursor waits at the start of the line: what is printed next, an error too, covers it.
        line = printable_line(text)[:_WIDTH].ljust(_WIDTH)
        print(line, end="\n" if ended else "\r", file=sys.stderr, flush=True)
