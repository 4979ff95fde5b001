"""Where runs are kept, for the commands that read them."""

import argparse
from pathlib import Path


def add_results_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--results``."""
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("reports"),
        metavar="DIR",
        help="as pytest's --sr-results-path (default: reports)",
    )
