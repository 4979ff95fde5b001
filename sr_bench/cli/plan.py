"""``sr-bench plan``: find which layers stay in float, and by what observer each is rounded."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.cli._args.networks import (
    add_network_arguments,
    add_search_arguments,
    fidelity_to_reach,
    find_card,
    read_precision,
    read_selection,
)
from sr_bench.cli._args.numbers import above_0, part
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
    add_search_arguments(parser, 120.0, "to search for (default: 120)")
    parser.add_argument(
        "--max-latency",
        type=above_0("--max-latency"),
        metavar="MS",
        help="on the largest calibration image here, on one thread",
    )
    parser.add_argument(
        "--max-float-share",
        type=part("--max-float-share"),
        default=1.0,
        metavar="PART",
        help="of the multiply-accumulates, 0 to 1 (default: 1)",
    )
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
    from sr_bench.engine.search.search import Limits
    from sr_bench.report.terminal.plan import plan_lines

    precision = read_precision(args, only_int8=True)
    card = find_card(args)
    wanted = fidelity_to_reach(args, card, card.gate)
    limits = Limits(wanted, args.max_float_share, args.max_latency)
    found = _found(Runs(read_selection(args), ()), card, precision, limits, args.seconds)
    print_result(found, plan_lines(found), as_json=args.json)
    if found.chosen is None:
        print(f"sr-bench: {_why_none(found, limits, args)}", file=sys.stderr)
        return 1
    told = _written(args, card, precision, found.chosen)
    if not args.json:
        print(told)
    return 0


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
    now = Candidate(card.int8.keep, card.int8.observers, card.int8.skips)
    with HeldOut(runs.here, low, full) as held_out:
        # Before time is spent: these name what the card gets wrong.
        held_out.network.matching(now.keep)
        held_out.network.matching(now.observers, key="observers")
        return search(held_out, precision.calibration, limits, seconds, now, _say)


def _why_none(found: "Found", limits: "Limits", args: argparse.Namespace) -> str:
    best = max(found.front, key=lambda one: one.unseen_db)
    wanted = f"{limits.min_fidelity_db:g} dB"
    if limits.reached(best):
        share, latency = limits.max_float_share, limits.max_latency_ms
        others = [f"--max-float-share {share:g}"] if share < 1 else []
        others += [f"--max-latency {latency:g} ms"] if latency is not None else []
        return (
            f"no plan that reaches {wanted} keeps to {' and '.join(others)}: the front shows what"
            " there is"
        )
    ended = f" within {args.seconds:g} s; give it more with --seconds" if found.out_of_time else ""
    return (
        f"no plan reaches {wanted} on unseen images{ended}: the best found has"
        f" {best.unseen_db:.2f} dB there with {100 * best.int8_share:.1f} % of the MACs in int8"
    )


def _written(
    args: argparse.Namespace, card: "ModelCard", precision: "Precision", chosen: "Tried"
) -> str:
    """Write the plan into the card, or where asked; return what there is to say."""
    from sr_bench.cards import CARD
    from sr_bench.core.int8 import Int8Plan
    from sr_bench.document.diff import unified_diff
    from sr_bench.files.atomic import write_text
    from sr_bench.update.int8_plan import with_plan

    is_bare = args.model.endswith(".onnx")
    path: Path | None = args.plan if is_bare else card.folder / CARD
    before = path.read_bytes().decode("utf-8") if path else ""
    values: dict[str, object] = {
        "keep": list(chosen.candidate.keep),
        "observers": {name: str(how) for name, how in chosen.candidate.observers.items()},
        "skips": chosen.candidate.skips if chosen.candidate.skips != Int8Plan().skips else "",
    }
    provenance = _provenance(card, precision, chosen)
    where = path or Path(args.model)
    after = with_plan(before, "" if is_bare else card.name, values, provenance, path=where)
    out = args.out or (None if is_bare else path)
    if out and not args.dry_run:
        write_text(out, after)
    if not is_bare:
        return unified_diff(where, before, after).rstrip("\n") or f"{where}: has this plan already"
    used = f"\nuse it with sr-bench quantize {args.model} --plan {out}" if out else ""
    return f"{after.rstrip()}\n{used}".rstrip()


def _provenance(card: "ModelCard", precision: "Precision", chosen: "Tried") -> str:
    """Return what a card says of a plan: how, when and on what it was found."""
    from datetime import UTC, datetime

    from sr_bench import __version__
    from sr_bench.engine.search.held_out import deviations

    calibration, count = card.int8.calibration, chosen.images
    return (
        f"Found by sr-bench plan {__version__} on {datetime.now(UTC):%Y-%m-%d} for {precision}:"
        f" {100 * chosen.int8_share:.2f} % of the MACs in int8; fidelity {chosen.mean_db:.2f} dB,"
        f" worst {chosen.worst_db:.2f} dB, worst ring {chosen.ring_db:.2f} dB on {count}"
        f" calibration images of {calibration}, held out (digest {chosen.digest[:16]}), less"
        f" {chosen.narrower_db:.2f} dB for ranges of half of them; expect {chosen.unseen_db:.2f} dB"
        f" of the worst of {count} unseen images like these (their mean less"
        f" {deviations(count):.1f} standard deviations)"
    )


def _calibrating(done: int, planned: int, image: str) -> None:
    show_progress(f"calibrating: {done}/{planned} {image}", ended=done == planned)


def _say(text: str) -> None:
    show_progress(text, ended=False)
