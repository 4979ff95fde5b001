"""Which models of a run a command is about."""

import argparse
from fnmatch import fnmatchcase  # fnmatch would ignore case on Windows


def add_models_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--models``."""
    parser.add_argument(
        "--models", default="*", metavar="A,B", help="only these models; patterns (default: all)"
    )


def is_named(model: str, patterns: str) -> bool:
    """Tell whether one of `patterns`, the text of ``--models``, is about `model`."""
    return any(fnmatchcase(model, pattern.strip()) for pattern in patterns.split(","))
