"""``sr-bench explain``: which layers make the error of a low precision."""

import argparse

from sr_bench.cli._args.networks import (
    add_network_arguments,
    add_search_arguments,
    evaluation_on,
    fidelity_to_reach,
    find_card,
    read_precision,
    read_selection,
)
from sr_bench.cli._args.output import add_json_argument, print_result

HELP = "rank a model's layers by the noise they make in int8, and find a plan that passes"
EXAMPLE = "sr-bench explain pocket_edsr_x2 --precision int8_kl"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_network_arguments(parser, precision=None)
    parser.add_argument("--backend", default="onnxruntime", help="as pytest's --backend")
    parser.add_argument(
        "--dataset", default="", metavar="SLUG", help="on which images (default: the card's first)"
    )
    add_search_arguments(parser, None, "as pytest's --sr-explain")
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Run the low precision, search, and print the dossier."""
    from dataclasses import replace

    from sr_bench.core.case import Case
    from sr_bench.core.int8 import Gate
    from sr_bench.engine.explain.layers import explain
    from sr_bench.engine.job import quiet
    from sr_bench.engine.measure.runs import Runs
    from sr_bench.report.terminal.dossier import dossier_lines

    card, precision = find_card(args), read_precision(args)
    gate = card.gate_on(args.backend)
    limit = fidelity_to_reach(args, card, gate)
    limits = replace(gate or Gate(0, 0, 0), min_fidelity_db=limit)  # all that the search reads
    # Without the device's own gate, which would go before the limit that is asked for.
    card = replace(card, gate=limits, device=replace(card.device, gate=None))
    case = Case(card, "fidelity", precision, args.backend, evaluation_on(card, args.dataset))
    selection = read_selection(args, backend=args.backend, explain_s=args.seconds)
    runs = Runs(selection, ())
    low = runs.of(case, quiet)
    full = runs.of(case.in_fp32, quiet)
    images, limit_s = (low.images, full.images), selection.explain_s
    work = runs.work(case, quiet)
    dossier = explain(runs.here, work, *images, limits, limit_s, progress=quiet)
    goal = f"{card.name} {precision} on {case.dataset}: to reach at least {limit:g} dB"
    print_result(dossier, [goal, *dossier_lines(dossier)], as_json=args.json)
    return 0
