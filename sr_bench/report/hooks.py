"""What others add to the HTML report: the hooks of pytest's kind, and how their answers are read.

Pytest knows these hooks by the plugin, ``sr-bench report`` by a manager of its own.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from inspect import isroutine
from traceback import extract_tb
from typing import TYPE_CHECKING, Literal, TypeVar

from pluggy import HookimplOpts, HookRelay, HookspecMarker, PluginManager, PluginValidationError

from sr_bench.discovery import load, names
from sr_bench.errors import OptionError, SrBenchError

if TYPE_CHECKING:
    from sr_bench.core.history import PastSession
    from sr_bench.core.record import Record

GROUP = "sr_bench.report.hooks"
"""Group of the entry points by which an installed package adds to each report."""

_OURS = "pytest_sr_report_"
_hookspec = HookspecMarker("pytest")
_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Column:
    """A column of the numbers on a model's page."""

    title: str
    cell: Callable[["Record"], str]
    """Returns the text of a record's cell; empty where there is nothing to say."""


@dataclass(frozen=True)
class Section:
    """A section of a page: paragraphs, then a table. All of it is text, which is escaped."""

    title: str
    lines: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


Page = Literal["index", "model"]


@_hookspec
def pytest_sr_report_columns(session: "PastSession") -> Iterable[Column] | None:
    """Return columns for the numbers on the pages of models.

    Args:
        session: The run with its records.
    """


@_hookspec
def pytest_sr_report_sections(
    session: "PastSession", records: "Sequence[Record]", page: Page
) -> Iterable[Section] | None:
    """Return sections for a page, which stand before its provenance.

    Args:
        session: The run with its records.
        records: Those that the page is about; of the first page, all.
        page: Which kind of page it is.
    """


class Additions:
    """What the hooks of `hook` add to the report of `session`; nothing without a `hook`."""

    def __init__(self, hook: HookRelay | None, session: "PastSession") -> None:
        self._hook, self._session = hook, session
        self._columns = self._ask("columns", Column)

    @property
    def titles(self) -> tuple[str, ...]:
        """Of the columns."""
        return tuple(column.title for column in self._columns)

    def cells(self, record: "Record") -> tuple[str, ...]:
        """Return the cells of `record`, one for each of `titles`.

        Raises:
            SrBenchError: A column failed.
        """
        return tuple(self._cell(column, record) for column in self._columns)

    def sections(self, records: "Sequence[Record]", page: Page) -> tuple[Section, ...]:
        """Return the sections of a page about `records`.

        Raises:
            SrBenchError: A hook failed, or returned something else.
        """
        return self._ask("sections", Section, records=records, page=page)

    def _cell(self, column: Column, record: "Record") -> str:
        try:
            return str(column.cell(record))
        except Exception as cause:
            what = f"the column {column.title!r}"
            raise _failed(what, cause) from cause

    def _ask(self, what: str, kind: type[_Part], **about: object) -> tuple[_Part, ...]:
        if self._hook is None:
            return ()
        name = f"{_OURS}{what}"
        try:
            answers = getattr(self._hook, name)(session=self._session, **about)
            parts = tuple(part for answer in answers for part in answer)
        except Exception as cause:
            raise _failed(name, cause) from cause
        for part in parts:
            if not isinstance(part, kind):
                msg = f"{name}: expected a list of {kind.__name__}, got {part!r} in it"
                raise SrBenchError(msg)
        return parts


def register_installed(manager: PluginManager) -> None:
    """Let `manager` know what installed packages add, as far as it does not yet.

    Raises:
        OptionError: A package can't be imported, or has a hook of ours that there is not.
    """
    for name, module in _installed().list_name_plugin():
        if not manager.is_registered(module):
            manager.register(module, name)


def installed_hooks() -> HookRelay:
    """Return the hooks of installed packages, for a report that is built without pytest.

    Raises:
        OptionError: A package can't be imported, or has a hook of ours that there is not.
    """
    return _installed().hook


def _installed() -> PluginManager:
    """Return a manager of installed packages, whose hooks of ours are checked."""
    manager = _Manager("pytest")
    manager.add_hookspecs(sys.modules[__name__])
    try:
        for name in names(GROUP):
            manager.register(load(GROUP, name), f"{GROUP}:{name}")
        manager.check_pending()
    except PluginValidationError as cause:
        raise OptionError(" ".join(str(cause).split())) from cause
    return manager


class _Manager(PluginManager):
    """As pytest's, it takes a function for a hook by its name alone; by ours, not by pytest's."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> HookimplOpts | None:
        if not (name.startswith(_OURS) and isroutine(getattr(plugin, name, None))):
            return None
        return super().parse_hookimpl_opts(plugin, name) or HookimplOpts(
            wrapper=False,
            hookwrapper=False,
            optionalhook=False,
            tryfirst=False,
            trylast=False,
            specname=None,
        )


def _failed(what: str, cause: Exception) -> SrBenchError:
    where = extract_tb(cause.__traceback__)[-1]
    why = f"{type(cause).__name__}: {cause}"
    return SrBenchError(
        f"report: {what} failed at {where.filename}:{where.lineno} ({why});"
        " repair that plug-in, or leave it out"
    )
