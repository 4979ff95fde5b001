"""``sr-bench report``: build the HTML report of a run, in a folder that opens from the disk."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.cli._args.output import show_progress
from sr_bench.cli._args.results import add_run_arguments, named_run
from sr_bench.errors import OptionError
from sr_bench.text.printable import printable

if TYPE_CHECKING:
    from sr_bench.report.html.build import ReportResult

HELP = "build the HTML report of a run"
EXAMPLE = "sr-bench report reports/latest.json --out reports/html --open"

_LEAST_MB = 1
_SHOWN = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run_arguments(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="target folder (default: html beside the run's files)",
    )
    parser.add_argument(
        "--max-mb",
        type=int,
        default=8,  # build.MAX_BYTES, whose module --help must not wait for
        metavar="N",
        help="megabytes the report may take: small copies of all images that fit, and exact ones"
        " with the room left (default: %(default)s)",
    )
    parser.add_argument("--open", action="store_true", help="open it in a browser")


def run(args: argparse.Namespace) -> int:
    """Build the report and say where it is."""
    from sr_bench.report.hooks import Additions, installed_hooks
    from sr_bench.report.html.build import build_report
    from sr_bench.report.html.trend import shown_history

    if args.max_mb < _LEAST_MB:
        msg = f"--max-mb {args.max_mb}: expected at least {_LEAST_MB}, such as 8"
        raise OptionError(msg)
    past = named_run(args.run_name, args.results)
    history = shown_history(past)
    for fault in history.faults:
        print(printable(f"left out of the trends: {fault}"), file=sys.stderr)
    target, room = args.out or past.results / "html", args.max_mb * 10**6
    additions = Additions(installed_hooks(), past)
    result = build_report(
        past, history.entries, target, additions=additions, max_bytes=room, progress=_show
    )
    _print_outcome(result)
    if args.open:
        import webbrowser

        webbrowser.open(result.index.resolve().as_uri())
    return 0


def _show(done: int, planned: int, name: str) -> None:
    full = 24 * done // planned
    bar = f"[{'#' * full}{'.' * (24 - full)}] {done}/{planned} {name}"
    show_progress(bar, ended=done == planned)


def _print_outcome(result: "ReportResult") -> None:
    pages = f"{result.built} pages built, {result.kept} kept"
    print(f"{result.index}: {pages}, {result.size / 1e6:.1f} MB")
    if result.inexact:
        print(
            f"{result.inexact} images are small copies in it, exact where the run keeps them;"
            " raise --max-mb to take more in exactly"
        )
    if result.outside:
        print(
            f"{result.outside} images lie outside of it, where the run keeps them;"
            " raise --max-mb to take more inside"
        )
    if result.missing:
        shown = ", ".join(result.missing[:_SHOWN])
        print(
            f"{len(result.missing)} kept images are gone, such as {printable(shown)};"
            " run again with --sr-keep=8bit to have them back"
        )
    for reason in result.unreadable[:_SHOWN]:
        print(printable(reason))
