"""Find the suites that a command is about."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.errors import OptionError

if TYPE_CHECKING:  # reading cards needs pydantic, which --help must not wait for
    from sr_bench.core.card import ModelCard
    from sr_bench.engine.plan.suite import Suite

_SUITES = Path("suites")


def add_suites_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--suites``: the folders to look into."""
    parser.add_argument(
        "--suites",
        type=Path,
        default=[_SUITES if _SUITES.is_dir() else Path()],
        nargs="+",
        metavar="DIR",
        help="folders that hold card.toml files at any depth (default: suites, else here)",
    )


def add_places_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--suites``, ``--weights`` and ``--data``: where things are looked for."""
    add_suites_argument(parser)
    parser.add_argument("--weights", type=Path, metavar="DIR", help="as pytest's --sr-weights")
    parser.add_argument("--data", type=Path, metavar="DIR", help="as pytest's --sr-data")


def add_trust_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--trust-code``: the consent to run the code of networks that cards name."""
    parser.add_argument("--trust-code", action="store_true", help="as pytest's --sr-trust-code")


def load_suites(folders: list[Path]) -> "tuple[Suite, ...]":
    """Return every suite below `folders`.

    Raises:
        OptionError: No folder holds a card.
    """
    from sr_bench.cards.find import find_cards
    from sr_bench.engine.plan.suite import load_suite

    # A folder may be named twice, or lie within another one.
    cards = sorted({card for folder in folders for card in find_cards(folder)})
    if not cards:
        where = ", ".join(map(str, folders))
        advice = "say where yours are with --suites DIR, or write some to try by sr-bench demo"
        msg = f"no card.toml below {where}; {advice}"
        raise OptionError(msg)
    return tuple(map(load_suite, cards))


def find_model(suites: "tuple[Suite, ...]", name: str) -> "ModelCard":
    """Return the model called `name`, or ``family/name`` where a name occurs twice.

    Raises:
        OptionError: No model has this name, or several have.
    """
    from sr_bench.files.validation import nearest

    models = [model for suite in suites for model in suite.card.models]
    named = [model for model in models if name in (model.name, model.id)]
    if len(named) == 1:
        return named[0]
    if named:
        msg = f"{name!r} is in several suites: say {' or '.join(model.id for model in named)}"
        raise OptionError(msg)
    msg = f"no model {name!r}; {nearest(name, tuple(model.name for model in models))}"
    raise OptionError(msg)
