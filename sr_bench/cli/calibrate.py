"""``sr-bench calibrate``: write the clip ranges of a model's tensors."""

import argparse
from pathlib import Path

from sr_bench.cli._args.networks import add_network_arguments, prepare_network, read_precision

HELP = "write the clip ranges of a model's tensors, from one pass over its calibration images"
EXAMPLE = "sr-bench calibrate pocket_edsr_x2 --precision int8_percentile --out ranges.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_network_arguments(parser, precision="int8_percentile")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the JSON file")


def run(args: argparse.Namespace) -> int:
    """Calibrate, and say from what."""
    from sr_bench.precision.ranges import save_ranges

    precision = read_precision(args, only_int8=True)
    prepared = prepare_network(args, precision)
    ranges = prepared.int8_maker().ranges(precision.calibration)
    save_ranges(args.out, ranges)
    provenance = ranges.provenance
    print(
        f"{args.out}: {len(ranges.clip)} clip ranges of {prepared.card.name} by"
        f" {ranges.observer}, from {provenance['calibration_images']} images of"
        f" {provenance['calibration_set']}"
        + (f"; widened: {ranges.widened_text}" if ranges.widened else "")
    )
    return 0
