"""``sr-bench agree``: one file on several runtimes, how far they are apart, and where they part."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.cli._args.networks import (
    add_network_arguments,
    evaluation_on,
    find_card,
    read_precision,
    read_selection,
)
from sr_bench.cli._args.output import add_json_argument, print_result, show_progress
from sr_bench.core.precision import Precision
from sr_bench.errors import OptionError

if TYPE_CHECKING:  # loads much, which --help must not wait for
    from sr_bench.core.card import ModelCard

HELP = "run one file on several runtimes: how far they are apart, and at which layer they part"
EXAMPLE = "sr-bench agree pocket_edsr_x2 --precision int8_max --backends onnxruntime,openvino"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_network_arguments(parser, precision="fp32")
    parser.add_argument(
        "--backends",
        metavar="A,B",
        help="runtimes to compare; one that can't run the file is named (default: all that read"
        " ONNX files)",
    )
    parser.add_argument(
        "--dataset", default="", metavar="SLUG", help="on which images (default: the card's first)"
    )
    parser.add_argument(
        "--limit", type=count, default=0, metavar="N", help="only the first N images"
    )
    parser.add_argument(
        "--min-db", type=decibels, metavar="DB", help="to reach (default: the card's [model.agree])"
    )
    parser.add_argument(
        "--seconds", type=float, default=30.0, help="to search for layers; 0: no search"
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with pictures")
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Compare, print, and return 1 if two runtimes are further apart than the limit allows."""
    from dataclasses import replace

    from sr_bench.core.agreement import AgreeLimit
    from sr_bench.core.case import Case
    from sr_bench.core.status import Status
    from sr_bench.engine.agree.runtimes import Runtimes
    from sr_bench.report.terminal.agreement import agreement_lines

    backends = _backends(args.backends) if args.backends is not None else _readers()
    card = find_card(args)
    if args.min_db is not None:
        card = replace(card, agree=AgreeLimit(args.min_db))
    is_full = args.precision == "fp32"
    precision = Precision.FP32 if is_full else read_precision(args)
    if args.model.endswith(".onnx"):
        card, precision = _as_it_is(card, precision)
    case = Case(card, "fidelity", precision, backends[0], evaluation_on(card, args.dataset))
    selection = read_selection(args, limit=args.limit)
    with Runtimes(selection, case, backends, _show) as runtimes:
        found = runtimes.agreement(args.seconds, _show)
        if args.html:
            from sr_bench.report.html.agreement import write_page

            write_page(found, args.html, runtimes.levels)
    print_result(found, agreement_lines(found), as_json=args.json)
    return int(found.status is Status.LOSS)


def _as_it_is(card: "ModelCard", asked: Precision) -> tuple["ModelCard", Precision]:
    """Return the card of a bare file, and its precision: one of a low precision is not made again.

    Raises:
        OptionError: It is int8, and neither it nor `asked` says what chose its clip ranges.
    """
    from dataclasses import replace

    from sr_bench.engine.prepare.file_notes import notes_of
    from sr_bench.files.onnx_dtype import arithmetic
    from sr_bench.files.onnx_file import load_onnx

    assert card.onnx is not None
    found = arithmetic(load_onnx(card.onnx))
    if found.dtype not in ("fp16", "int8"):
        return card, asked
    if asked.dtype != found.dtype:
        observer = notes_of(card.onnx).get("observer", "")
        name = f"int8_{observer}" if found.dtype == "int8" and observer else found.dtype
        if name not in Precision.all():
            msg = f"{card.onnx} is int8: {found.sign}; name it, such as --precision int8_max"
            raise OptionError(msg)
        asked = Precision(name)
    return replace(card, onnx_by_precision={asked: card.onnx}), asked


def decibels(text: str) -> float:
    """Return a limit; its name stands in what argparse says of a wrong one."""
    if not (value := float(text)) > 0:
        raise ValueError
    return value


def count(text: str) -> int:
    """Return how many images; 0: all."""
    if (value := int(text)) < 0:
        raise ValueError
    return value


def _readers() -> tuple[str, ...]:
    """Return the backends that run an ONNX file."""
    from sr_bench import discovery
    from sr_bench.core.backend import DEFAULT_OPTIONS, Form

    names = (name for name in discovery.names("sr_bench.backends") if name != "replay")
    infos = (discovery.load("sr_bench.backends", name).describe(DEFAULT_OPTIONS) for name in names)
    return tuple(info.name for info in infos if info.form is Form.ONNX)


def _backends(text: str) -> tuple[str, ...]:
    from sr_bench import discovery
    from sr_bench.files.validation import nearest

    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    known = discovery.names("sr_bench.backends")
    for name in names:
        if name not in known:
            msg = f"--backends: unknown name {name!r}; {nearest(name, known)}"
            raise OptionError(msg)
    if len(names) < 2:
        msg = f"--backends {text!r}: expected two names or more, such as onnxruntime,openvino"
        raise OptionError(msg)
    return names


def _show(done: int, planned: int, what: str) -> None:
    show_progress(f"{done}/{planned} {what}", ended=done == planned)
