"""``sr-bench report``: build the HTML report of a run, in a folder that opens from the disk."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.cli._args.results import add_run_arguments, named_run
from sr_bench.errors import OptionError

if TYPE_CHECKING:
    from sr_bench.report.html.build import ReportResult

HELP = "build the HTML report of a run"
EXAMPLE = "sr-bench report reports/latest.json --out reports/html --open"

_LEAST_MB = 6
_SHOWN = 3
_EVERY_S = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_run_arguments(parser)
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where to (default: html beside the run's files)"
    )
    parser.add_argument(
        "--max-mb",
        type=int,
        default=25,
        metavar="N",
        help="what the report may weigh; images are left outside for it (default: %(default)s)",
    )
    parser.add_argument("--open", action="store_true", help="open it in a browser")


def run(args: argparse.Namespace) -> int:
    """Build the report and say where it is."""
    from sr_bench.history.index import read_history
    from sr_bench.report.html.build import build_report

    if args.max_mb < _LEAST_MB:
        msg = f"--max-mb {args.max_mb}: expected at least {_LEAST_MB}; the plots alone need 5 MB"
        raise OptionError(msg)
    past = named_run(args.run_name, args.results)
    history = read_history(past.results)
    for fault in history.faults:
        print(f"left out of the trends: {fault}", file=sys.stderr)
    bar = _Bar()
    try:
        result = build_report(
            past,
            history.entries,
            args.out or past.results / "html",
            max_bytes=args.max_mb * 10**6,
            progress=bar.update,
        )
    finally:
        bar.close()
    _tell(result)
    if args.open:
        import webbrowser

        webbrowser.open(result.index.resolve().as_uri())
    return 0


class _Bar:
    """A bar in one line that rewrites itself; nothing where no terminal is."""

    def __init__(self) -> None:
        self._tty = sys.stderr.isatty()
        self._last = 0.0
        self._width = 0

    def update(self, done: int, planned: int, what: str) -> None:
        now = time.monotonic()
        if not self._tty or now - self._last < _EVERY_S:
            return
        self._last = now
        full = 24 * done // max(1, planned)
        name = _printable(what)[:40]
        text = f"[{'#' * full}{'.' * (24 - full)}] {done}/{planned} {name}"
        print("\r" + text.ljust(self._width), end="", file=sys.stderr, flush=True)
        self._width = max(self._width, len(text))

    def close(self) -> None:
        if self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)


def _tell(result: "ReportResult") -> None:
    pages = f"{result.built} pages built, {result.kept} kept"
    print(f"{result.index}: {pages}, {result.size / 1e6:.1f} MB")
    if result.outside:
        print(
            f"{result.outside} images lie outside of it, where the run keeps them;"
            " raise --max-mb to take more inside"
        )
    if result.missing:
        shown = ", ".join(result.missing[:_SHOWN])
        print(
            f"{len(result.missing)} kept images are gone, such as {_printable(shown)};"
            " run again with --sr-keep=8bit to have them back"
        )
    for reason in result.unreadable[:_SHOWN]:
        print(_printable(reason))


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() else "?" for mark in text)
