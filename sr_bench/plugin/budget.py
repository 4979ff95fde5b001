"""Spend a budget: items whose runs are most at risk come first."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sr_bench.core.case import LATENCY_METRIC
from sr_bench.engine.plan.order import Ranked, prioritize
from sr_bench.history.earlier import earlier_runs
from sr_bench.history.index import read_history
from sr_bench.plugin.item import CaseItem
from sr_bench.plugin.session import BenchSession
from sr_bench.text.printable import counted

_NAMED = 3  # runs that the header names

_RUNS_READ = 5
"""Earlier runs whose seconds tell what a run takes."""


def put_in_order(session: BenchSession, items: list[pytest.Item]) -> None:
    """Order those of `items` that measure, in the places they take, and note it for the header."""
    places = [place for place, item in enumerate(items) if _measures(item)]
    ours = {id(item.case): item for item in items if isinstance(item, CaseItem)}
    cases = [item.case for item in map(items.__getitem__, places) if isinstance(item, CaseItem)]
    if not cases:
        return
    from sr_bench.engine.bench import Bench

    # Nothing is measured yet: what is only collected starts no cluster and no recording.
    alone = replace(session.settings.selection, cluster="", record=None)
    inputs = Bench(alone, session.dataset_folders).inputs(cases)
    entries = read_history(alone.results).entries if alone.results else ()
    past = earlier_runs(alone.results, _RUNS_READ) if alone.results else ()
    ranked = prioritize(cases, entries, inputs, past)
    ordered = [ours[id(case)] for run in ranked for case in run.cases]
    for place, item in zip(places, ordered, strict=True):
        items[place] = item
    session.notes += _notes([run for run in ranked if run.run_key])


def _measures(item: pytest.Item) -> bool:
    return isinstance(item, CaseItem) and item.case.metric != LATENCY_METRIC


def _notes(runs: Sequence[Ranked]) -> list[str]:
    """Return what the header says of `runs`."""
    known = [run.seconds for run in runs if run.seconds is not None]
    took = f"; {len(known)} of them took {sum(known):.0f} s before" if known else ""
    first = [f"  {run.cases[0].card.name} {run.cases[0].precision}: {run.reason}" for run in runs]
    more = [f"  and {len(first) - _NAMED} more"] if len(first) > _NAMED else []
    return [f"budget: {counted(len(runs), 'run')}{took}; first", *first[:_NAMED], *more]
