"""``sr-bench update``: write the numbers of a run into the documents that claim them."""

import argparse
import sys

from sr_bench.cli._args.results import add_run_arguments, named_run
from sr_bench.errors import OptionError

HELP = "write measured numbers of a run into the READMEs that claim them, and note why"
EXAMPLE = "sr-bench update last --reason 'retrained with more photographs'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run_arguments(parser)
    parser.add_argument(
        "--mode",
        choices=("failed", "missing", "all"),
        default="failed",
        help="numbers that failed (default), cells without a number, or all that print anew",
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the ledger")
    parser.add_argument("--dry-run", action="store_true", help="show the diff, write nothing")


def run(args: argparse.Namespace) -> int:
    """Print the diff and what was left out; write unless it is a dry run."""
    if not args.dry_run and not args.reason.strip():
        msg = "say why the numbers change with --reason TEXT, or look first with --dry-run"
        raise OptionError(msg)
    from sr_bench.report.terminal.update import update_lines
    from sr_bench.text.printable import printable
    from sr_bench.update.documents import update_documents

    past = named_run(args.run_name, args.results)
    done = update_documents(past, args.mode, reason=args.reason, write=not args.dry_run)
    print("\n".join(update_lines(done)))
    for refused in done.refused:
        print(f"sr-bench: {printable(refused)}", file=sys.stderr)
    return 1 if done.refused else 0
