"""``sr-bench vamp``: profile a network on the VACC card with the card's own profiler."""

import argparse

from sr_bench.cli._args.latency import show_latency
from sr_bench.cli._args.output import add_json_argument
from sr_bench.cli._args.vacc import add_source_arguments, read_source

HELP = "compile a network for the VACC card and profile it with vamp: throughput, latency, power"
EXAMPLE = "sr-bench vamp pocket_edsr_x2 --precision int8_kl --instances 2"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source_arguments(parser)
    for name, usual, what in (
        ("instances", 1, "copies of the network on each die"),
        ("processes", 1, "processes that feed them"),
        ("batch", 1, "images in one run"),
        ("iterations", 1024, "runs"),
    ):
        parser.add_argument(
            f"--{name}", type=int, default=usual, metavar="N", help=f"{what} (default: {usual})"
        )
    add_json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Compile, profile, and print what was found."""
    from sr_bench.backends.vacc.profile.profiling import profile
    from sr_bench.backends.vacc.rig import read_rig

    source, shape = read_source(args)
    found = profile(
        source,
        shape,
        read_rig(),
        instances=args.instances,
        processes=args.processes,
        batch=args.batch,
        iterations=args.iterations,
    )
    return show_latency(found, as_json=args.json)
