"""``sr-bench score``: score a folder of super-resolved images against the ground truth."""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.cli._args.output import print_json, print_table
from sr_bench.cli._args.pairs import add_name_arguments, check_scale, find_pairs
from sr_bench.core.case import IMAGE_METRICS
from sr_bench.core.codec import encode
from sr_bench.core.protocol import EvalProtocol
from sr_bench.errors import CardError, OptionError, SrBenchError

if TYPE_CHECKING:
    from collections.abc import Mapping

HELP = "score images that were super-resolved elsewhere, per image and on average"
EXAMPLE = (
    "sr-bench score out/ Set5/HR --protocol paper_y --scale 2"
    " --sr-name '{stem}_RCAN_x2.png' --hr-name '{stem}_HR_x2.png'"
)


@dataclass(frozen=True)
class Scores:
    """The result of the command."""

    protocol: EvalProtocol
    scale: int
    images: "dict[str, Mapping[str, float]]"
    mean: dict[str, float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("sr_dir", type=Path, metavar="SR_DIR", help="super-resolved images")
    parser.add_argument("hr_dir", type=Path, metavar="HR_DIR", help="ground truth")
    parser.add_argument("--protocol", required=True, metavar="NAME", help="a named protocol")
    parser.add_argument("--border", type=int, metavar="N", help="crop N pixels, not the protocol's")
    parser.add_argument("--scale", type=int, metavar="N", help="for a border that depends on it")
    add_name_arguments(parser)
    parser.add_argument("--json", metavar="FILE", help="write JSON to FILE; - for standard output")


def run(args: argparse.Namespace) -> int:
    """Score every pair and print the table."""
    from sr_bench.engine.score.protocol import aggregate

    protocol = _protocol(args.protocol, args.border)
    scale = _scale(args.scale, protocol)
    pairs = find_pairs(args.sr_dir, args.hr_dir, args.sr_name, args.hr_name)
    images = {stem: _score(*pair, protocol, scale) for stem, pair in pairs.items()}
    mean: dict[str, float] = {
        metric: aggregate([scores[metric] for scores in images.values()], protocol, metric)
        for metric in IMAGE_METRICS
    }
    _show(Scores(protocol, scale, images, mean), args.json)
    return 0


def _protocol(name: str, border: int | None) -> EvalProtocol:
    from sr_bench.cards.protocol_files import load_protocol

    try:
        protocol = load_protocol(name)
    except CardError as cause:
        msg = f"--protocol: {cause}"
        raise OptionError(msg) from cause
    if border is not None and border < 0:
        msg = f"--border {border}: expected a number of pixels, 0 for none"
        raise OptionError(msg)
    return protocol if border is None else replace(protocol, border=border)


def _score(sr: Path, hr: Path, protocol: EvalProtocol, scale: int) -> "Mapping[str, float]":
    from sr_bench.engine.score.protocol import score_pair
    from sr_bench.imaging.files import read_image

    images = read_image(sr), read_image(hr)
    try:
        return score_pair(*images, protocol, scale, IMAGE_METRICS)
    except SrBenchError as cause:
        pair = f"{sr} against {hr}"
        raise cause.about(pair) from cause


def _show(scores: Scores, target: str | None) -> None:
    if target == "-":
        print_json(scores)
        return
    if target:
        import json

        from sr_bench.files.atomic import write_text

        write_text(Path(target), json.dumps(encode(scores), indent=1, allow_nan=False) + "\n")
    rows = [
        [name, f"{values['psnr']:.4f}", f"{values['ssim']:.6f}"]
        for name, values in (*scores.images.items(), ("mean", scores.mean))
    ]
    border = scores.protocol.border_px(scores.scale)
    print(f"protocol {scores.protocol.name}, border {border} px, {len(scores.images)} images\n")
    print_table(["image", "PSNR(dB)", "SSIM"], rows, numbers=2)


def _scale(given: int | None, protocol: EvalProtocol) -> int:
    check_scale(given)
    if given is None and isinstance(protocol.border, str) and protocol.border != "none":
        msg = (
            f"protocol {protocol.name} crops {protocol.border!r} pixels:"
            " say --scale N, or the number of pixels with --border N"
        )
        raise OptionError(msg)
    return given or 1
