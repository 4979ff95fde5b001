"""Which run a command is about, and where runs are kept."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # --help must not wait for what reads runs
    from sr_bench.core.history import PastSession

A_RUN = "a file, a run's name or its start, last, previous, or a git branch, tag or commit"
"""How a run may be named."""


def add_results_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--results``."""
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("reports"),
        metavar="DIR",
        help="as pytest's --sr-results-path (default: reports)",
    )


def add_run_arguments(parser: argparse.ArgumentParser, *, option: bool = False) -> None:
    """Add the run, as ``run_name``, and ``--results``; with `option` as ``--run``."""
    # `run` holds the command's function.
    names, more = (["--run"], {"dest": "run_name"}) if option else (["run_name"], {"nargs": "?"})
    text = f"{A_RUN} (default: last)"
    parser.add_argument(*names, default="last", metavar="RUN", help=text, **more)  # type: ignore[arg-type]
    add_results_argument(parser)


def named_run(name: str, results: Path) -> "PastSession":
    """Return the run called `name`.

    Raises:
        NotRunError: It is not here.
        OptionError: `name` means no run, or more than one.
        SrBenchError: It can't be read.
    """
    from sr_bench.history.find_run import find_run
    from sr_bench.history.store import read_run

    return read_run(find_run(name, results, Path.cwd()))
