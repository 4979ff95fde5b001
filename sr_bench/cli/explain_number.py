"""``sr-bench explain-number``: which way of scoring reproduces a printed number."""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.cli._args.output import add_json_argument, print_result, show_progress
from sr_bench.cli._args.pairs import add_name_arguments, check_scale, find_pairs
from sr_bench.core.case import IMAGE_METRICS

if TYPE_CHECKING:  # --help must not wait for arrays
    from sr_bench.engine.explain.scored import NamedPair

HELP = "find out by which protocol a printed PSNR or SSIM was computed from the images at hand"
EXAMPLE = (
    "sr-bench explain-number 38.27 --sr out/ --hr Set5/HR --scale 2"
    " --sr-name '{stem}_RCAN_x2.png' --hr-name '{stem}_HR_x2.png'"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "number",
        nargs="+",
        help="as printed: its digits say how exact it is; more numbers of the same row and images"
        " (38.27 0.9614) count together",
    )
    parser.add_argument("--sr", type=Path, required=True, metavar="DIR", help="the outputs")
    parser.add_argument("--hr", type=Path, required=True, metavar="DIR", help="ground truth")
    parser.add_argument(
        "--scale",
        type=int,
        metavar="N",
        help="for borders that depend on it (default: 2, 3 and 4 are tried)",
    )
    parser.add_argument("--metric", choices=IMAGE_METRICS, help="default: SSIM for numbers up to 1")
    add_name_arguments(parser)
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Score the pairs in every way and print those that give the number."""
    from sr_bench.engine.explain.number import Asked, explain_row, guess_metric
    from sr_bench.report.terminal.forensics import forensics_lines

    check_scale(args.scale)
    pairs = find_pairs(args.sr, args.hr, args.sr_name, args.hr_name)
    row = [
        Asked(text, args.metric or guess_metric(text), _read(pairs), args.scale)
        for text in args.number
    ]
    forensics = explain_row(row)
    print_result(forensics, forensics_lines(forensics), as_json=args.json)
    return 0


def _read(pairs: Mapping[str, tuple[Path, Path]]) -> "Iterator[NamedPair]":
    """Yield the pairs as they are read, and show how many have been scored."""
    from sr_bench.imaging.files import read_image, read_levels

    for done, (name, (sr, hr)) in enumerate(pairs.items(), start=1):
        yield name, read_levels(sr), read_image(hr)  # SR of 16 bits: roundings are tried
        show_progress(f"scored {done} of {len(pairs)} images", ended=done == len(pairs))
