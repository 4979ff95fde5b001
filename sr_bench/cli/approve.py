"""``sr-bench approve``: hold what the gates of a run measured as the baseline of later runs."""

import argparse
import sys

from sr_bench.cli._args.models import add_models_argument, is_named
from sr_bench.cli._args.results import add_run_arguments, named_run
from sr_bench.errors import NotRunError, OptionError

HELP = "hold what a run's gates measured: later runs fail if an image is worse"
EXAMPLE = "sr-bench approve last --reason 'percentile of LESRCNN raised'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run_arguments(parser)
    add_models_argument(parser)
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, kept in the baseline")
    parser.add_argument("--dry-run", action="store_true", help="show the diff, write nothing")


def run(args: argparse.Namespace) -> int:
    """Print the diff and what was refused; write unless it is a dry run."""
    reason = " ".join(args.reason.split())
    if not args.dry_run and not reason:
        msg = "say why these values are right with --reason TEXT, or look first with --dry-run"
        raise OptionError(msg)
    from sr_bench.text.printable import counted, printable
    from sr_bench.update.approve import approve

    done = approve(
        named_run(args.run_name, args.results),
        lambda model: is_named(model, args.models),
        reason=reason,
        write=not args.dry_run,
    )
    if not (done.gates or done.same or done.refused):
        msg = f"the run judged no gate of {args.models}: a card needs [model.gate], a run int8 rows"
        raise NotRunError(msg)
    if done.diff:
        print(printable(done.diff))
    verb = "would be approved" if args.dry_run else "approved"
    print(f"{counted(len(done.gates), 'gate')} {verb}, {done.same} as they were")
    for refused in done.refused:
        print(f"sr-bench: refused: {printable(refused)}", file=sys.stderr)
    return 1 if done.refused else 0
