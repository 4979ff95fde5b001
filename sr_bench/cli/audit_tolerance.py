"""``sr-bench audit-tolerance``: which known mistakes the tolerances would not catch."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from sr_bench.cli._args.output import add_json_argument, print_result
from sr_bench.cli._args.results import add_run_arguments, named_run
from sr_bench.cli._args.suites import add_places_arguments, add_trust_argument, load_suites

if TYPE_CHECKING:  # --help must not wait for the engine
    from sr_bench.core.case import Case

HELP = "apply known mistakes to a run's kept outputs, and list those that the tolerances miss"
EXAMPLE = "sr-bench audit-tolerance last --fail"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run_arguments(parser)
    parser.add_argument(
        "--rerun",
        action="store_true",
        help="run the networks again for mistakes that outputs can't show: other kernels",
    )
    parser.add_argument("--fail", action="store_true", help="exit with 1 if a mistake is missed")
    add_places_arguments(parser)
    add_trust_argument(parser)
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Make the mistakes and print what is caught."""
    from sr_bench.engine.explain.tolerances import audit
    from sr_bench.report.terminal.audit import audit_lines

    models = (model for suite in load_suites(args.suites) for model in suite.card.models)
    cards = {model.id: replace(model, trusted=args.trust_code) for model in models}
    past = named_run(args.run_name, args.results)
    result = audit(past, cards, _rerun(args) if args.rerun else None)
    print_result(result, audit_lines(result), as_json=args.json)
    return int(args.fail and any(claim.missed for claim in result.claims))


def _rerun(args: argparse.Namespace) -> "Callable[[Case], float]":
    from sr_bench.engine.job import quiet
    from sr_bench.engine.measure.runs import Runs
    from sr_bench.engine.plan.options import Selection
    from sr_bench.system.cpu import usable_cores

    @cache  # cases of one backend share its networks and runs
    def runs(backend: str) -> Runs:
        places = {"weights": args.weights, "data": args.data}
        return Runs(Selection(backend=backend, gate="off", threads=usable_cores(), **places), ())

    return lambda case: runs(case.backend).of(case, quiet).measured(case.metric).value
