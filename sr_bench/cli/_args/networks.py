"""Find the network that a command is about: a card's model, or a bare ONNX file."""

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from sr_bench.cli._args.bare_file import add_file_arguments, card_of_file, with_multiple
from sr_bench.cli._args.numbers import above_0
from sr_bench.cli._args.output import show_progress
from sr_bench.cli._args.suites import (
    add_places_arguments,
    add_trust_argument,
    find_model,
    load_suites,
)
from sr_bench.core.precision import Precision
from sr_bench.errors import OptionError

if TYPE_CHECKING:  # these load much, which --help must not wait for
    from sr_bench.core.card import Evaluation, ModelCard
    from sr_bench.core.int8 import Gate
    from sr_bench.engine.plan.options import Selection
    from sr_bench.engine.prepare.network import Prepared


def add_network_arguments(parser: argparse.ArgumentParser, *, precision: str | None) -> None:
    """Add the arguments that name a network, its precision and what calibration may use."""
    parser.add_argument("model", help="a model's name as sr-bench list prints it, or an ONNX file")
    parser.add_argument(
        "--precision",
        metavar="P",
        default=precision,
        required=precision is None,
        help=", ".join(_low()) + (f" (default: {precision})" if precision else ""),
    )
    add_file_arguments(parser)
    parser.add_argument(
        "--calibration-memory", type=int, metavar="MIB", help="as pytest's sr_calibration_memory"
    )
    add_places_arguments(parser)
    add_trust_argument(parser)


def add_search_arguments(parser: argparse.ArgumentParser, seconds: float | None, told: str) -> None:
    """Add what a plan must reach, and how many `seconds` it may be searched for, as `told`."""
    parser.add_argument(
        "--min-fidelity",
        type=above_0("--min-fidelity"),
        metavar="DB",
        help="of each image and its border ring (default: the card's gate)",
    )
    parser.add_argument("--seconds", type=above_0("--seconds"), default=seconds, help=told)


def fidelity_to_reach(args: argparse.Namespace, card: "ModelCard", gate: "Gate | None") -> float:
    """Return the fidelity that a plan must reach, in dB: as asked, or else by the card's `gate`.

    Raises:
        OptionError: Nothing says it.
    """
    if args.min_fidelity is not None:
        return float(args.min_fidelity)
    if gate is None:
        msg = f"{card.id} has no gate: say what to reach with --min-fidelity DB"
        raise OptionError(msg)
    return gate.min_fidelity_db


def find_card(args: argparse.Namespace) -> "ModelCard":
    """Return the card of the network.

    Raises:
        OptionError: There is no such model or file, or the file does not tell enough.
        BackendError: The file can't be read, or is not from one image to another.
    """
    if not args.model.endswith(".onnx"):
        if args.plan is not None:
            msg = f"--plan {args.plan}: it is for an ONNX file; the card of {args.model} has a plan"
            raise OptionError(msg)
        card = find_model(load_suites(args.suites), args.model)
        return replace(card, trusted=args.trust_code)
    return with_multiple(card_of_file(args))


def evaluation_on(card: "ModelCard", slug: str) -> "Evaluation":
    """Return the card's evaluation on the dataset `slug`, or one that the card doesn't declare."""
    from sr_bench.core.card import Evaluation

    for evaluation in card.evaluations:
        if slug in ("", evaluation.dataset):
            return evaluation
    return Evaluation(slug or "photos", card.usual_protocol)  # photos need no download


def read_precision(args: argparse.Namespace, *, only_int8: bool = False) -> Precision:
    """Return the low precision that was asked for.

    Raises:
        OptionError: It names no low precision.
    """
    try:
        precision = Precision.parse_option(args.precision)
    except ValueError as cause:
        msg = f"--precision: {cause}"
        raise OptionError(msg) from None
    if precision not in (low := _low(only_int8=only_int8)):
        msg = f"--precision {precision}: expected one of {', '.join(low)}"
        raise OptionError(msg)
    return precision


def _low(*, only_int8: bool = False) -> list[Precision]:
    dtypes = ("int8",) if only_int8 else ("fp16", "int8")
    return [precision for precision in Precision.all() if precision.dtype in dtypes]


def read_selection(args: argparse.Namespace, **more: object) -> "Selection":
    """Return the options of a session that is about this one network; None is the default."""
    from sr_bench.engine.plan.options import Selection
    from sr_bench.system.cpu import usable_cores

    chosen = Selection(weights=args.weights, data=args.data, threads=usable_cores())
    if args.calibration_memory is not None:
        more["calibration_bytes"] = args.calibration_memory * 2**20
    given = {name: value for name, value in more.items() if value is not None}
    return replace(chosen, **given)  # type: ignore[arg-type]


def prepare_network(args: argparse.Namespace, precision: Precision) -> "Prepared":
    """Return the network in `precision`, ready to be made."""
    from sr_bench.core.case import Case
    from sr_bench.engine.measure.runs import Runs

    card, selection = find_card(args), read_selection(args)
    # Any metric: what is prepared depends on none.
    case = Case(card, "psnr", precision, selection.backend)
    prepared = Runs(selection, ()).jobs.prepared(case, _show)
    if prepared.card.is_given(precision):
        msg = f"the card gives {prepared.weights.name} for {precision}: there is nothing to make"
        raise OptionError(msg)
    return prepared


def _show(done: int, planned: int, image: str) -> None:
    show_progress(f"calibrating: {done}/{planned} {image}", ended=done == planned)
