"""``sr-bench score``: score a folder of super-resolved images against the ground truth."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sr_bench.cli._args.output import print_json, print_table
from sr_bench.cli._args.pairs import add_name_arguments, check_scale, find_pairs
from sr_bench.core.case import IMAGE_METRICS
from sr_bench.core.codec import encode
from sr_bench.core.metric import metric_info, not_computed
from sr_bench.core.protocol import EvalProtocol
from sr_bench.errors import CardError, OptionError, SrBenchError
from sr_bench.text.printable import counted

HELP = "score images that were super-resolved elsewhere, per image and on average"
EXAMPLE = (
    "sr-bench score out/ Set5/HR --protocol paper_y --scale 2"
    " --sr-name '{stem}_RCAN_x2.png' --hr-name '{stem}_HR_x2.png'"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sr_dir", type=Path, metavar="SR_DIR", help="super-resolved images")
    parser.add_argument("hr_dir", type=Path, metavar="HR_DIR", help="ground truth")
    parser.add_argument("--protocol", required=True, metavar="NAME", help="a named protocol")
    parser.add_argument(
        "--metric",
        action="append",
        metavar="NAME",
        help="a metric to score by, may be repeated (default: psnr and ssim)",
    )
    parser.add_argument("--border", type=int, metavar="N", help="crop N pixels, not the protocol's")
    parser.add_argument("--scale", type=int, metavar="N", help="for a border that depends on it")
    add_name_arguments(parser)
    parser.add_argument("--json", metavar="FILE", help="write JSON to FILE; - for standard output")


def run(args: argparse.Namespace) -> int:
    """Score every pair and print the table."""
    from sr_bench.engine.score.protocol import aggregate
    from sr_bench.files.atomic import write_text

    protocol = _protocol(args.protocol, args.border)
    scale = _scale(args.scale, protocol)
    metrics = _metrics(args.metric)
    pairs = find_pairs(args.sr_dir, args.hr_dir, args.sr_name, args.hr_name)
    images = {stem: _score(*pair, protocol, scale, metrics) for stem, pair in pairs.items()}
    mean = {
        metric: aggregate([values[metric] for values in images.values()], protocol, metric)
        for metric in metrics
    }
    scores = {"protocol": protocol, "scale": scale, "images": images, "mean": mean}
    if args.json == "-":
        print_json(scores)
        return 0
    if args.json:
        text = json.dumps(encode(scores), indent=1, allow_nan=False)
        write_text(Path(args.json), f"{text}\n")
    border = f"border {protocol.border_px(scale)} px"
    print(f"protocol {protocol.name}, {border}, {counted(len(images), 'image')}\n")
    _print_scores({**images, "mean": mean}, metrics)
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


def _metrics(given: list[str] | None) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(given or IMAGE_METRICS))
    for name in names:
        if why := not_computed(name):
            msg = f"--metric {name}: {why}"
            raise OptionError(msg)
    return names


def _score(
    sr: Path, hr: Path, protocol: EvalProtocol, scale: int, metrics: tuple[str, ...]
) -> Mapping[str, float]:
    from sr_bench.engine.score.protocol import score_pair
    from sr_bench.imaging.files import read_image

    images = read_image(sr), read_image(hr)
    try:
        return score_pair(*images, protocol, scale, metrics)
    except SrBenchError as cause:
        pair = f"{sr} against {hr}"
        raise cause.about(pair) from cause


def _print_scores(rows: Mapping[str, Mapping[str, float]], metrics: Sequence[str]) -> None:
    infos = {metric: metric_info(metric) for metric in metrics}
    cells = [
        [name, *(f"{values[metric]:.{info.decimals}f}" for metric, info in infos.items())]
        for name, values in rows.items()
    ]
    titles = [f"{info.title}({info.unit})" if info.unit else info.title for info in infos.values()]
    print_table(["image", *titles], cells, numbers=len(titles))


def _scale(given: int | None, protocol: EvalProtocol) -> int:
    check_scale(given)
    if given is None and isinstance(protocol.border, str) and protocol.border != "none":
        msg = (
            f"protocol {protocol.name} crops {protocol.border!r} pixels:"
            " say --scale N, or the number of pixels with --border N"
        )
        raise OptionError(msg)
    return given or 1  # no border depends on it
