"""``sr-bench plan``: find which layers stay in float, and by what observer each is rounded."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.cli._args.networks import (
    add_network_arguments,
    find_card,
    read_precision,
    read_selection,
)
from sr_bench.cli._args.output import add_json_argument, print_result, show_progress
from sr_bench.errors import OptionError

if TYPE_CHECKING:
    from sr_bench.core.card import ModelCard
    from sr_bench.core.found import Found, Tried
    from sr_bench.core.precision import Precision
    from sr_bench.engine.measure.runs import Runs
    from sr_bench.engine.search.search import Limits

HELP = "find the int8 plan with the fewest layers in float that reaches a fidelity"
EXAMPLE = "sr-bench plan pocket_edsr_x2 --min-fidelity 52 --dry-run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_network_arguments(parser, precision="int8_max")
    parser.add_argument(
        "--min-fidelity",
        type=float,
        metavar="DB",
        help="of each image and its border ring (default: the card's gate)",
    )
    parser.add_argument("--max-latency", type=float, metavar="MS", help="on the largest image here")
    parser.add_argument(
        "--max-float-share",
        type=float,
        default=1.0,
        metavar="PART",
        help="of the multiply-accumulates, 0 to 1 (default: 1)",
    )
    parser.add_argument("--seconds", type=float, default=120.0, help="to search for (default: 120)")
    parser.add_argument(
        "--dry-run", action="store_true", help="show the card's diff, write nothing"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write there what the card, or a card's table, is"
    )
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Search, print the front, and write the plan; 1 if no plan keeps to the limits."""
    from sr_bench.engine.measure.runs import Runs
    from sr_bench.report.terminal.plan import plan_lines

    precision = read_precision(args, only_int8=True)
    card = find_card(args)
    limits = _limits(args, card)
    runs = Runs(read_selection(args), ())
    found = _found(runs, card, precision, limits, args.seconds)
    print_result(found, list(plan_lines(found)), as_json=args.json)
    if found.chosen is None:
        print(f"sr-bench: {_why_none(found, limits, args)}", file=sys.stderr)
        return 1
    told = _written(args, card, precision, found.chosen)
    if not args.json:
        print(told)
    return 0


def _limits(args: argparse.Namespace, card: "ModelCard") -> "Limits":
    from sr_bench.engine.search.search import Limits

    wanted = args.min_fidelity
    if wanted is None and card.gate:
        wanted = card.gate.min_fidelity_db
    if wanted is None:
        msg = f"{card.id} has no gate: say what to reach with --min-fidelity DB"
        raise OptionError(msg)
    if not args.seconds > 0:
        msg = f"--seconds {args.seconds:g}: expected more than 0"
        raise OptionError(msg)
    if not 0 <= args.max_float_share <= 1:
        msg = f"--max-float-share {args.max_float_share:g}: expected a part from 0 to 1"
        raise OptionError(msg)
    return Limits(wanted, args.max_float_share, args.max_latency)


def _found(
    runs: "Runs", card: "ModelCard", precision: "Precision", limits: "Limits", seconds: float
) -> "Found":
    from sr_bench.core.case import Case
    from sr_bench.core.found import Candidate
    from sr_bench.engine.search.held_out import HeldOut
    from sr_bench.engine.search.search import search

    case = Case(card, "fidelity", precision, runs.selection.backend)
    low, full = runs.jobs.prepared(case, _calibrating), runs.jobs.prepared(case.in_fp32)
    if low.card.is_given(precision):
        msg = f"the card gives {low.weights.name} for {precision}: there is no plan to find"
        raise OptionError(msg)
    rule = card.usual_protocol
    white = card.output.with_white(rule.output_range).span
    now = Candidate(card.int8.keep, card.int8.observers)
    with HeldOut(runs.here, low, full, white) as held_out:
        held_out.matching(card.int8.keep)  # before time is spent: it names what the card gets wrong
        return search(held_out, precision.calibration, limits, seconds, now, _say)


def _why_none(found: "Found", limits: "Limits", args: argparse.Namespace) -> str:
    best = max(found.front, key=lambda one: one.lowest_db)
    wanted = f"{limits.min_fidelity_db:g} dB"
    if found.chosen is None and best.lowest_db >= limits.min_fidelity_db:
        return (
            f"no plan that reaches {wanted} keeps to --max-latency {limits.max_latency_ms:g} ms and"
            f" --max-float-share {limits.max_float_share:g}: the front shows what there is"
        )
    ended = f" within {args.seconds:g} s; give it more with --seconds" if found.out_of_time else ""
    return (
        f"no plan reaches {wanted} on each image{ended}: the best found has"
        f" {best.lowest_db:.2f} dB at worst with {100 * best.int8_share:.1f} % of the MACs in int8"
    )


def _written(
    args: argparse.Namespace, card: "ModelCard", precision: "Precision", chosen: "Tried"
) -> str:
    """Write the plan into the card, or for a bare file where asked; return what there is to say."""
    from sr_bench.cards import CARD
    from sr_bench.document.diff import unified_diff
    from sr_bench.files.atomic import write_text
    from sr_bench.text.toml import comment, pair
    from sr_bench.update.int8_plan import with_plan

    candidate = chosen.candidate
    values: dict[str, object] = {
        "keep": list(candidate.keep),
        "observers": {name: str(choice) for name, choice in candidate.observers.items()},
    }
    provenance = _provenance(card, precision, chosen)
    if args.model.endswith(".onnx"):
        lines = [*comment(provenance, first="#  "), "[model.int8]"]
        lines += [pair(key, value) for key, value in values.items() if value]
        table = "\n".join(lines)
        if not args.out or args.dry_run:
            return table
        write_text(args.out, f"{table}\n")
        return f"{table}\n\nuse it with sr-bench quantize {args.model} --plan {args.out}"
    path = card.folder / CARD
    before = path.read_bytes().decode("utf-8")
    after = with_plan(before, card.name, values, provenance, path=path)
    if not args.dry_run:
        write_text(args.out or path, after)
    return unified_diff(path, before, after).rstrip("\n") or f"{path}: has this plan already"


def _provenance(card: "ModelCard", precision: "Precision", chosen: "Tried") -> str:
    """Return what a card says of a plan: how, when and on what it was found."""
    from datetime import UTC, datetime

    from sr_bench import __version__

    calibration = card.int8.calibration
    return (
        f"Found by sr-bench plan {__version__} on {datetime.now(UTC):%Y-%m-%d} for {precision}:"
        f" {100 * chosen.int8_share:.2f} % of the MACs in int8; fidelity {chosen.mean_db:.2f} dB,"
        f" worst {chosen.worst_db:.2f} dB, worst ring {chosen.ring_db:.2f} dB on {chosen.images}"
        f" calibration images of {calibration}, held out (digest {chosen.digest[:16]})"
    )


def _calibrating(done: int, planned: int, image: str) -> None:
    show_progress(f"calibrating: {done}/{planned} {image}", ended=done == planned)


def _say(text: str) -> None:
    show_progress(text, ended=False)
