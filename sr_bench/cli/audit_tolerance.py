"""``sr-bench audit-tolerance``: which known mistakes the tolerances would not catch."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from sr_bench.cli._args.output import add_json_argument, print_json
from sr_bench.cli._args.results import add_run_arguments, named_run
from sr_bench.cli._args.suites import add_places_arguments, load_suites

if TYPE_CHECKING:  # --help must not wait for the engine
    from sr_bench.core.case import Case

HELP = "make known mistakes on a run's kept outputs, and tell which the tolerances would not catch"
EXAMPLE = "sr-bench audit-tolerance last --fail"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_run_arguments(parser)
    parser.add_argument(
        "--rerun",
        action="store_true",
        help="run the networks again for mistakes that outputs can't show: other kernels",
    )
    parser.add_argument("--fail", action="store_true", help="exit with 1 if one is not caught")
    add_places_arguments(parser)
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Make the mistakes and print what is caught."""
    from sr_bench.engine.explain.tolerances import audit
    from sr_bench.report.terminal.audit import audit_lines

    cards = {card.id: card for suite in load_suites(args.suites) for card in suite.card.models}
    found = audit(
        named_run(args.run_name, args.results), cards, _rerun(args) if args.rerun else None
    )
    if args.json:
        print_json(found)
    else:
        print("\n".join(audit_lines(found)))
    return int(args.fail and any(claim.missed for claim in found.claims))


def _rerun(args: argparse.Namespace) -> "Callable[[Case], float]":
    from sr_bench.engine.job import quiet
    from sr_bench.engine.measure.runs import Runs
    from sr_bench.engine.plan.options import Selection
    from sr_bench.history.environment import usable_cores

    backends: dict[str, Runs] = {}

    def rerun(case: "Case") -> float:
        if case.backend not in backends:
            chosen = Selection(
                backend=case.backend,
                weights=args.weights,
                data=args.data,
                gate="off",
                threads=usable_cores(),
            )
            backends[case.backend] = Runs(chosen, ())
        return backends[case.backend].of(case, quiet).measured(case.metric).value

    return rerun
