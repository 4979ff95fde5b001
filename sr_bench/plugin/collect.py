"""Collect a card.toml: one item for each claim, which behaves as any test function does."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sr_bench.core.case import Case
from sr_bench.core.record import Record
from sr_bench.engine.plan import plan
from sr_bench.engine.suite import load_suite
from sr_bench.errors import SrBenchError
from sr_bench.plugin.outcome import check_claim
from sr_bench.plugin.session import SESSION


class CardFile(pytest.File):
    """A card.toml with the README beside it."""

    def collect(self) -> Iterator["CaseItem"]:
        """Yield an item for each case that the options ask for."""
        session = self.config.stash[SESSION]
        suite = load_suite(_as_typed(self.path, self.config))
        session.saw(suite)
        for case in plan(suite, session.settings.selection):
            yield CaseItem.of(self, case)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> object:  # type: ignore[override]
        """Show a fault of the card or the document as its message alone."""
        if isinstance(excinfo.value, SrBenchError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class CaseItem(pytest.Function):
    """One case as a test function: fixtures, marks and reports work on it as on any other."""

    case: Case
    record: Record | None = None
    """Set once the item ran."""

    @classmethod
    def of(cls, parent: CardFile, case: Case) -> "CaseItem":
        """Return the item of `case`, with a mark for each thing it may be selected by."""
        item: CaseItem = cls.from_parent(parent, name=case.id, callobj=check_claim)
        item.case = case
        for name in _marks(case):
            item.config.addinivalue_line("markers", f"{name}: set by sr-bench")
            item.add_marker(getattr(pytest.mark, name))
        if case.run_key and item.config.pluginmanager.hasplugin("xdist"):
            item.add_marker(pytest.mark.xdist_group(case.run_key))
        return item


def _marks(case: Case) -> tuple[str, ...]:
    slug = (case.evaluation.dataset, case.dataset) if case.evaluation else ()
    return (case.card.name, case.card.family, case.precision.value, case.metric, *slug)


def _as_typed(path: Path, config: pytest.Config) -> Path:
    """Return `path` relative to where pytest was started, if it lies below."""
    start = config.invocation_params.dir
    return Path(os.path.relpath(path, start)) if path.is_relative_to(start) else path
