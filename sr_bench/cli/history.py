"""``sr-bench history``: what is news in each run; or a model's values, and where they are going."""

import argparse
import sys
from fnmatch import fnmatchcase  # fnmatch would ignore case on Windows
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.cli._args.output import add_json_argument, print_result
from sr_bench.cli._args.results import add_results_argument
from sr_bench.errors import NotRunError, OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sr_bench.core.history import Point
    from sr_bench.history.index import History

HELP = "show what is news in each run; or a model's values over time, trend, and what changed"
EXAMPLE = "sr-bench history pocket_edsr_x2 --metric psnr"

_FILTERS = ("metric", "precision", "dataset", "backend")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        nargs="?",
        help="a model, a pattern such as 'edsr_*', or family/model (default: all runs)",
    )
    for name in _FILTERS:
        parser.add_argument(f"--{name}", metavar="P", default="*", help=f"only this {name}")
    parser.add_argument(
        "--limit",
        type=int,
        default=20,
        metavar="N",
        help="lines shown, the newest (default: 20); trend and JSON are of all",
    )
    add_json_argument(parser)
    add_results_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the runs, or each case's history."""
    from sr_bench.core.trend import series
    from sr_bench.history.index import read_history
    from sr_bench.history.over_time import history_case
    from sr_bench.report.terminal.history import history_lines
    from sr_bench.text.printable import printable

    if args.limit < 1:
        msg = f"--limit {args.limit}: expected a number of values, at least 1"
        raise OptionError(msg)
    history = read_history(args.results)
    for fault in history.faults:
        print(f"sr-bench: {printable(fault)}", file=sys.stderr)  # standard output may be JSON
    _check_model(args.model or "*", history, args.results)
    if args.model is None:
        return _print_runs(history, args)
    cases = series(history.entries, lambda point: _is_wanted(point, args))
    if not cases:
        raise NotRunError(_nothing(args, history))
    shown = [history_case(case, history.incomplete) for case in cases]
    lines = (line for case in shown for line in (*history_lines(case, limit=args.limit), ""))
    print_result({"cases": shown, "faults": history.faults}, lines, as_json=args.json)
    return 0


def _print_runs(history: "History", args: argparse.Namespace) -> int:
    from dataclasses import replace

    from sr_bench.history.calendar import calendar
    from sr_bench.report.terminal.calendar import calendar_lines

    entries = (
        replace(entry, points=tuple(point for point in entry.points if _is_wanted(point, args)))
        for entry in history.entries
    )
    rows = calendar((entry for entry in entries if entry.points), history.incomplete)
    if not rows:
        raise NotRunError(_nothing(args, history))
    lines = calendar_lines(rows, limit=args.limit)
    print_result({"runs": rows, "faults": history.faults}, lines, as_json=args.json)
    return 0


def _is_model(point: "Point", wanted: str) -> bool:
    return any(fnmatchcase(name, wanted) for name in (point.model, f"{point.family}/{point.model}"))


def _is_wanted(point: "Point", args: argparse.Namespace) -> bool:
    return _is_model(point, args.model or "*") and all(
        fnmatchcase(getattr(point, name), getattr(args, name)) for name in _FILTERS
    )


def _points(history: "History") -> "Iterable[Point]":
    return (point for entry in history.entries for point in entry.points)


def _check_model(wanted: str, history: "History", results: Path) -> None:
    """Raise unless the history has a point of the model."""
    from sr_bench.files.validation import nearest
    from sr_bench.text.printable import printable

    names = tuple(dict.fromkeys(point.model for point in _points(history)))
    if not names:
        from sr_bench.history.find_run import where_to_look

        msg = f"no run has been kept in {results} yet; {where_to_look(results, Path.cwd())}"
        raise NotRunError(msg)
    if not any(_is_model(point, wanted) for point in _points(history)):
        msg = f"no run has a model {wanted!r}; {nearest(wanted, names)}"
        raise OptionError(printable(msg))


def _nothing(args: argparse.Namespace, history: "History") -> str:
    """Return what of the model has been measured, as the options leave none of it."""
    from sr_bench.text.printable import printable

    given = [f"--{name} {getattr(args, name)}" for name in _FILTERS if getattr(args, name) != "*"]
    measured = [point for point in _points(history) if point.value is not None]
    points = [point for point in measured if _is_model(point, args.model or "*")]
    known = {name: sorted({getattr(point, name) for point in points} - {""}) for name in _FILTERS}
    there = [f"{name}: {', '.join(values) or 'none'}" for name, values in known.items()]
    filters = f" with {' '.join(given)}" if given else ""
    model = args.model or "any model"
    return printable(f"{model}{filters} has no value in any run; there are {'; '.join(there)}")
