"""The pytest plugin: options and cards in; an item for each number, its record and reports out.

Here is what every session of pytest pays for, whoever's it is: the options, and a look for cards.
All else is in ``hooks``, which is loaded and registered once a card is found or an option is given.
There options are read in ``settings`` and cards collected in ``collect``; what an item does is in
``item``, the state of a session in ``session``. Nothing that computes is imported before the first
item runs.
"""

from collections.abc import Generator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import pytest

from sr_bench.cards import CARD
from sr_bench.errors import SrBenchError
from sr_bench.plugin.markers import declare
from sr_bench.plugin.settings import add_options, is_asked
from sr_bench.text.printable import printable

if TYPE_CHECKING:
    from sr_bench.plugin.collect import CardFile
    from sr_bench.plugin.session import BenchSession

_DOCUMENTS = (".md", ".rst", ".html")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks by which others add to the report."""
    from sr_bench.report import hooks

    pluginmanager.add_hookspecs(hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    add_options(parser)


@pytest.hookimpl(wrapper=True)  # before pytest-xdist's own, which makes a --dist of -n
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Prepare for several workers if pytest-xdist starts them."""
    option, is_worker = config.option, hasattr(config, "workerinput")
    if is_worker or getattr(option, "numprocesses", None) or getattr(option, "tx", None):
        from sr_bench.plugin.xdist.parallel import start_parallel

        start_parallel(config, wake)
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, and check the options that are given before anything is collected."""
    try:
        declare(config)
    except SrBenchError as cause:
        raise pytest.UsageError(printable(str(cause))) from None
    if is_asked(config):
        wake(config)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Say what tests a document that was named, and that nobody collects."""
    try:
        return (yield)
    except pytest.UsageError as fault:
        named = {Path(argument) for argument in session.config.args}
        documents = [path for path in named if path.suffix in _DOCUMENTS and path.is_file()]
        raise pytest.UsageError(*fault.args, *map(_advice, documents)) from None


def _advice(document: Path) -> str:
    card = document.with_name(CARD)
    if card.is_file():
        return printable(f"the card beside {document} has its tests: pytest {quote(str(card))}")
    return printable(f"no {CARD} is beside {document}: sr-bench init {quote(str(document))}")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "CardFile | None":
    """Collect every ``card.toml`` that is ours or that was named; its folder is a suite."""
    if file_path.name != CARD:
        return None
    from sr_bench.cards.find import is_ours

    if not (parent.session.isinitpath(file_path) or is_ours(file_path)):
        return None
    wake(parent.config)
    from sr_bench.plugin.collect import CardFile

    return CardFile.from_parent(parent, path=file_path)


def wake(config: pytest.Config) -> "BenchSession":
    """Return the state of the session; at the first call load and register what it needs.

    Raises:
        pytest.UsageError: The value of an option isn't valid.
    """
    from sr_bench.plugin.hooks import session_of

    return session_of(config)
