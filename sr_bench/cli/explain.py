"""``sr-bench explain``: which layers make the error of a low precision."""

import argparse
from typing import TYPE_CHECKING

from sr_bench.cli._args.networks import (
    add_network_arguments,
    find_card,
    read_precision,
    read_selection,
)
from sr_bench.cli._args.output import add_json_argument, print_json
from sr_bench.core.precision import Precision
from sr_bench.errors import OptionError

if TYPE_CHECKING:
    from sr_bench.core.card import Evaluation, ModelCard

HELP = "rank a model's layers by the noise they make in int8, and find a plan that passes"
EXAMPLE = "sr-bench explain pocket_edsr_x2 --precision int8_kl"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_network_arguments(parser, precision=None)
    parser.add_argument("--backend", default="onnxruntime", help="as pytest's --backend")
    parser.add_argument(
        "--dataset", default="", metavar="SLUG", help="on which images (default: the card's first)"
    )
    parser.add_argument(
        "--min-fidelity", type=float, metavar="DB", help="to be reached (default: the card's gate)"
    )
    parser.add_argument("--seconds", type=float, help="as pytest's --sr-explain")
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Run the low precision, search, and print what was found."""
    from dataclasses import replace

    from sr_bench.core.case import Case
    from sr_bench.core.int8 import Gate
    from sr_bench.engine.explain.layers import explain
    from sr_bench.engine.job import quiet
    from sr_bench.engine.measure.runs import Runs
    from sr_bench.report.terminal.dossier import dossier_lines

    card, precision = find_card(args), read_precision(args)
    own = card.gate_on(args.backend)
    limit = args.min_fidelity or (own.min_fidelity_db if own else None)
    if limit is None:
        msg = f"{card.id} has no gate: say what is to be reached with --min-fidelity DB"
        raise OptionError(msg)
    limits = replace(own or Gate(0, 0, 0), min_fidelity_db=limit)
    card = replace(card, gate=limits, device=replace(card.device, gate=None))
    case = Case(card, "fidelity", precision, args.backend, _evaluation(card, args.dataset))
    selection = read_selection(args, backend=args.backend, explain_s=args.seconds)
    runs = Runs(selection, ())
    low = runs.of(case, quiet)
    full = runs.of(replace(case, precision=Precision.FP32), quiet)
    limit_s = selection.explain_s
    found = explain(
        runs.here,
        runs.work(case, quiet),
        low.images,
        full.images,
        limits,
        limit_s,
        progress=quiet,
    )
    if args.json:
        print_json(found)
        return 0
    print(f"{card.name} {precision} on {case.dataset}: at least {limit:g} dB are to be reached")
    print("\n".join(dossier_lines(found)))
    return 0


def _evaluation(card: "ModelCard", slug: str) -> "Evaluation":
    """Return the card's evaluation on the dataset `slug`, or one that the card doesn't declare."""
    from sr_bench.core.card import Evaluation

    for evaluation in card.evaluations:
        if slug in ("", evaluation.dataset):
            return evaluation
    return Evaluation(slug or "photos", card.usual_protocol)
