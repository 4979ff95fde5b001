"""``sr-bench quantize``: write a model in a low precision as one ONNX file."""

import argparse
from pathlib import Path

from sr_bench.cli._args.networks import add_network_arguments, prepare_network, read_precision
from sr_bench.core.codec import decode
from sr_bench.core.detail import Detail
from sr_bench.errors import OptionError

HELP = "write a model in fp16 or int8 as an ONNX file that holds its provenance"
EXAMPLE = "sr-bench quantize pocket_edsr_x2 --precision int8_kl --out edsr_int8.onnx"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_network_arguments(parser, precision=None)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the ONNX file")
    parser.add_argument("--ranges", type=Path, metavar="FILE", help="what sr-bench calibrate wrote")


def run(args: argparse.Namespace) -> int:
    """Make the network and say what it is."""
    from onnx import load

    from sr_bench.engine.prepare.file_notes import notes_of
    from sr_bench.files.onnx_write import write_onnx
    from sr_bench.report.parts.provenance import int8_parts

    precision = read_precision(args, only_int8=args.ranges is not None)
    # Asked first: making the network may take minutes.
    if not args.out.absolute().parent.is_dir():
        msg = f"--out {args.out}: its folder doesn't exist"
        raise OptionError(msg)
    prepared = prepare_network(args, precision)
    if args.ranges is None:
        write_onnx(load(prepared.onnx()), args.out)
    else:
        from sr_bench.precision.ranges import load_ranges

        maker = prepared.int8_maker()
        ranges = load_ranges(args.ranges)
        model = maker.model(ranges, prepared.card.int8.keep, prepared.notes)
        maker.write(model, args.out)
    parts = int8_parts(decode(Detail, notes_of(args.out)))
    made = "; ".join([f"{prepared.card.name} {precision}", *parts])
    print(f"{args.out}: {made}")
    return 0
