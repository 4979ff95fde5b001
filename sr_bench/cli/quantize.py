"""``sr-bench quantize``: write a model in a low precision as one ONNX file."""

import argparse
from pathlib import Path

from sr_bench.cli._args.networks import add_network_arguments, prepare_network, read_precision
from sr_bench.errors import OptionError

HELP = "write a model in fp16 or int8 as an ONNX file that holds its provenance"
EXAMPLE = "sr-bench quantize pocket_edsr_x2 --precision int8_kl --out edsr_int8.onnx"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_network_arguments(parser, precision=None)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the ONNX file")
    parser.add_argument("--ranges", type=Path, metavar="FILE", help="what sr-bench calibrate wrote")


def run(args: argparse.Namespace) -> int:
    """Make the network and say what it is."""
    from sr_bench.files.atomic import write_bytes

    precision = read_precision(args, only_int8=args.ranges is not None)
    # Asked first: making the network may take minutes.
    if not args.out.absolute().parent.is_dir():
        msg = f"--out {args.out}: its folder doesn't exist"
        raise OptionError(msg)
    prepared = prepare_network(args, precision)
    if args.ranges is None:
        write_bytes(args.out, prepared.onnx().read_bytes())
    else:
        from sr_bench.precision.ranges import load_ranges

        maker = prepared.int8_maker()
        ranges = load_ranges(args.ranges)
        model = maker.model(ranges, prepared.card.int8.keep, prepared.notes)
        maker.write(model, args.out)
    print(f"{args.out}: {prepared.card.name} {precision}")
    return 0
