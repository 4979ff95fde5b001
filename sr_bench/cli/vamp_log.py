"""``sr-bench vamp-log``: read what the VACC card's profiler once printed."""

import argparse
from pathlib import Path

from sr_bench.cli._args.latency import show_latency
from sr_bench.cli._args.output import add_json_argument
from sr_bench.errors import OptionError

HELP = "read a log of the VACC card's profiler vamp, of any version whose output is known"
EXAMPLE = "sr-bench vamp-log run.log --json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("log", type=Path, help="a file that holds what vamp printed")
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print what the log says."""
    from sr_bench.backends.vacc.profile.vamp import parse_vamp

    try:
        text = args.log.read_text(encoding="utf-8", errors="replace")
    except OSError as cause:
        msg = f"{args.log}: can't be read ({cause.strerror}); expected what vamp printed"
        raise OptionError(msg) from cause
    return show_latency(parse_vamp(text, where=str(args.log)), as_json=args.json)
