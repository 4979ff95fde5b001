"""``sr-bench check``: show which numbers of a document are stale against a run."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.cli._args.results import add_run_arguments, named_run
from sr_bench.errors import NotRunError

if TYPE_CHECKING:
    from sr_bench.update.stale import Checked, StaleNumber

HELP = "exit with 1 if numbers of a README are stale against a run"
EXAMPLE = "sr-bench check suites/*/README.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("documents", type=Path, nargs="+", metavar="README", help="documents")
    add_run_arguments(parser, option=True)


def run(args: argparse.Namespace) -> int:
    """Print what is stale; return 1 if anything is, 3 if the run says nothing of a document."""
    from sr_bench.cards.documents import read_bound
    from sr_bench.text.printable import printable
    from sr_bench.update.stale import check

    past = named_run(args.run_name, args.results)
    checked = [check(read_bound(path), past) for path in args.documents]
    for document in checked:
        print(printable("\n".join(_lines(document))))
    if any(document.stale for document in checked):
        return 1  # before what is merely absent
    silent = [document.document for document in checked if not document.judged]
    if silent:
        msg = f"{past.path} judged nothing of {', '.join(silent)}: run the tests on that first"
        raise NotRunError(printable(msg))
    return 0


def _lines(checked: "Checked") -> Iterator[str]:
    counts = f"{checked.claims} claims, {checked.judged} judged, {len(checked.stale)} stale"
    gaps = f", {len(checked.known_gaps)} known gaps" if checked.known_gaps else ""
    yield f"{checked.document}: {counts}{gaps}"
    yield from (_line("stale", number) for number in checked.stale)
    yield from (_line("known gap", number) for number in checked.known_gaps)


def _line(kind: str, number: "StaleNumber") -> str:
    from sr_bench.document.numbers import measured, with_unit

    cell, record = number.cell, number.record
    claimed = with_unit(cell.text, record)
    value = with_unit(measured(record, extra=2), record)
    why = " ".join(number.why.split())
    return f"{cell.source}: {kind}: {cell.key}: claimed {claimed}, measured {value}: {why}"
