"""``sr-bench vacc-clear``: let models run again that ran when the host of a VACC card froze."""

import argparse

HELP = "let a model run again on the VACC card that was running when the host froze"
EXAMPLE = "sr-bench vacc-clear 'edsr/*'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", help="family/model, or a pattern of such names")


def run(args: argparse.Namespace) -> int:
    """Clear the quarantine and print what was in it."""
    from sr_bench.backends.vacc.run.state import DeviceState

    cleared = DeviceState().clear(args.model)
    print("\n".join(cleared) if cleared else f"nothing that matches {args.model} is quarantined")
    return 0
