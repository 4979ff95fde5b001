"""``sr-bench compare``: whether a run is worse than an earlier one, and what changed in between."""

import argparse
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.cli import EXIT_ABSENT
from sr_bench.cli._args.output import add_json_argument, print_result
from sr_bench.cli._args.results import A_RUN, add_results_argument, named_run
from sr_bench.core.compare import ComparedRuns, LossLimits
from sr_bench.errors import OptionError

if TYPE_CHECKING:
    from sr_bench.core.history import PastSession

HELP = "compare two runs image by image; exits with 1 if the newer one is worse or lacks a value"
EXAMPLE = "sr-bench compare main last"

# The limit that each option sets, and what it is.
_OPTIONS = {
    "max_drop_db": ("psnr_db", "dB of PSNR that may be lost on average"),
    "max_drop_ssim": ("ssim", "SSIM that may be lost on average"),
    "max_drop_fidelity_db": ("fidelity_db", "dB of fidelity to fp32 that may be lost on average"),
    "max_slower_percent": ("latency_percent", "percent of latency that may be added"),
    "max_image_drop_db": ("image_psnr_db", "dB of PSNR that any image may lose"),
    "max_image_drop_ssim": ("image_ssim", "SSIM that any image may lose"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", metavar="RUN_A", help=f"the baseline: {A_RUN}")
    parser.add_argument("now", metavar="RUN_B", help="the newer run, named the same way")
    for option, (limit, of) in _OPTIONS.items():
        parser.add_argument(
            f"--{option.replace('_', '-')}",
            type=float,
            default=getattr(LossLimits(), limit),
            metavar="X",
            help=of if getattr(LossLimits(), limit) is None else f"{of} (default: %(default)g)",
        )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="also write a page, with kept images inside"
    )
    parser.add_argument("--all", action="store_true", help="also show values within their limits")
    add_json_argument(parser)
    add_results_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the comparison; return 1 for a loss or a vanished case, 3 if nothing compares."""
    from sr_bench.engine.judge.two_runs import compare_runs
    from sr_bench.report.terminal.compare import compared_lines

    limits = _limits(args)
    before, now = _runs(args)
    compared = compare_runs(now, before, limits)
    if args.html:
        from sr_bench.report.html.compare import write_page

        write_page([ComparedRuns(before, now, compared)], args.html)
    value = {"before": before.info, "now": now.info, "limits": limits, "cases": compared}
    lines = compared_lines(compared, before.info, now.info, everything=args.all)
    print_result(value, lines, as_json=args.json)
    if not any(case.comparable for case in compared):
        return EXIT_ABSENT
    return int(any(case.bad for case in compared))


def _limits(args: argparse.Namespace) -> LossLimits:
    given = {limit: getattr(args, option) for option, (limit, _) in _OPTIONS.items()}
    for option, (limit, _) in _OPTIONS.items():
        if given[limit] is not None and not 0 <= given[limit] < inf:  # refuses NaN, too
            flag, usual = f"--{option.replace('_', '-')}", getattr(LossLimits(), limit) or 0.2
            msg = f"{flag} {given[limit]:g}: expected a limit of 0 or more, such as {usual:g}"
            raise OptionError(msg)
    return LossLimits(**given)


def _runs(args: argparse.Namespace) -> "tuple[PastSession, PastSession]":
    before, now = (named_run(name, args.results) for name in (args.before, args.now))
    if before.info.run == now.info.run:
        msg = (
            f"{args.before!r} and {args.now!r} are the same run, {before.info.run}: nothing can"
            " change; name an earlier one as RUN_A"
        )
        raise OptionError(msg)
    return before, now
