"""Collect a card.toml: an item for each claim and timing, like any other test function."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sr_bench.core.case import TIMED_METRICS, Case
from sr_bench.core.precision import Precision
from sr_bench.document.printed import number_counts
from sr_bench.engine.plan.cases import latency_cases, plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite, refuse_unread
from sr_bench.errors import SrBenchError
from sr_bench.plugin.item import CaseItem, check_claim
from sr_bench.plugin.latency import check_latency, require_benchmark
from sr_bench.plugin.markers import add_markers, marks
from sr_bench.plugin.session import SESSION
from sr_bench.text.printable import counted, printable


class CardFile(pytest.File):
    """A card.toml with the README beside it."""

    def collect(self) -> Iterator[CaseItem]:
        """Yield an item for each case that the options ask for."""
        session = self.config.stash[SESSION]
        suite = load_suite(_as_typed(self.path, self.config))
        refuse_unread(suite)
        session.suites.append(suite)
        if count := number_counts(suite.printed).ignored:
            words = f"{counted(count, 'number')} of {suite.document.path} not read"
            session.notes.append(printable(f"{words}: {suite.card.path} ignores them"))
        selection = session.settings.selection
        cases = plan(suite, selection)
        if idle := _idle_gates(cases, selection):
            advice = "no low precision is measured; name some: --sr-precision=fp32,fp16,int8_max"
            session.notes.append(printable(f"gate of {', '.join(idle)}: {advice}"))
        if selection.latency:
            require_benchmark(self.config)
            cases = (*cases, *latency_cases(cases, selection.answers))
        # All before the first is used: pytest reads them all for each new one.
        add_markers(
            self.config, {name: says for case in cases for name, says in marks(case).items()}
        )
        for case in cases:
            timed = selection.latency and case.metric in TIMED_METRICS
            yield CaseItem.of(self, case, check_latency if timed else check_claim)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> object:  # type: ignore[override]
        """Show a fault of the card or the document as its message alone."""
        if isinstance(excinfo.value, SrBenchError):
            return printable(str(excinfo.value))
        return super().repr_failure(excinfo)


def _idle_gates(cases: Sequence[Case], selection: Selection) -> tuple[str, ...]:
    """Return the models whose gate has nothing to judge, where no precision was chosen."""
    gated = [case.card.name for case in cases if selection.wants_gate(case.card)]
    low = {case.card.name for case in cases if case.precision is not Precision.FP32}
    names = dict.fromkeys(name for name in gated if name not in low)
    return () if selection.precisions else tuple(names)


def _as_typed(path: Path, config: pytest.Config) -> Path:
    """Return `path` relative to where pytest was started, if it lies below."""
    start = config.invocation_params.dir
    return Path(os.path.relpath(path, start)) if path.is_relative_to(start) else path
