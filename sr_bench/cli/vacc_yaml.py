"""``sr-bench vacc-yaml``: what the VACC card's compiler is given, for people who run it by hand."""

import argparse
from pathlib import Path

from sr_bench.cli._args.vacc import add_source_arguments, read_source

HELP = "print the build file for the VACC card's compiler; with --out write all that it needs"
EXAMPLE = "sr-bench vacc-yaml pocket_edsr_x2 --precision int8_kl --out build"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source_arguments(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="write build.yaml, network.onnx and the calibration images there;"
        " then: cd DIR && vamc compile build.yaml",
    )


def run(args: argparse.Namespace) -> int:
    """Print the build file, and write what it names if that is asked."""
    from sr_bench.backends.vacc.build.compile import plan_build
    from sr_bench.backends.vacc.build.vamc_yaml import build_text

    source, shape = read_source(args)
    print(build_text(plan_build(source, shape, args.out)), end="")
    return 0
