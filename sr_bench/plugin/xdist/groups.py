"""Sessions of several workers (pytest-xdist): which worker runs what."""

from collections.abc import Mapping, Sequence

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from sr_bench.core.case import Case
from sr_bench.engine.plan.cases import latency_cases, plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.plugin.names import item_name
from sr_bench.plugin.session import SESSION
from sr_bench.plugin.xdist.node_ids import card_of, is_ours


def groups_of(cases: Sequence[Case], selection: Selection, workers: int) -> list[str]:
    """Return a name for each of `cases`; those of one name go to one worker.

    A run is never divided. Where low precisions are gated, all runs of a model over a dataset stay
    together: they are compared with the same fp32 outputs, which one worker then computes once.
    Models that do not come out even, such as the third of three on two workers, or the only one,
    go to the workers run by run.
    """
    low = [case for case in cases if case.run_key and not case.precision.is_full]
    gated = [_model(case) for case in low if selection.wants_gate(case.card)]
    models = list(dict.fromkeys(gated))
    whole = set(models[: len(models) - len(models) % workers])
    return [_group(case, whole) for case in cases]


def _group(case: Case, whole: set[str]) -> str:
    if not case.run_key:
        return f"{case.card.folder}|{case.id}"
    model = _model(case)
    return model if model in whole else f"{model}|{case.precision}"


def _model(case: Case) -> str:
    """Return what the runs of one model over one dataset share, whatever their precision."""
    where = case.evaluation
    parts = (where.dataset, where.protocol.name) if where else ()
    # The folder too: two zoos may have suites and models of the same names.
    return "|".join((str(case.card.folder), case.card.name, *parts))


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each worker whole groups, those of most items first."""

    def __init__(self, config: pytest.Config, log: object, ids: Sequence[str]) -> None:
        super().__init__(config, log)
        self._groups = _groups(config, ids, self.numnodes)

    def _split_scope(self, nodeid: str) -> str:
        return self._groups.get(nodeid, nodeid)

    def remove_node(self, node: object) -> str | None:
        """Queue what `node` leaves but for what crashed it, which xdist would run again."""
        left = {
            name: {item: done for item, done in unit.items() if not done}
            for name, unit in self.assigned_work.pop(node).items()
        }
        items: list[str] = [item for unit in left.values() for item in unit]
        if not items:
            return None
        for unit in left.values():
            unit.pop(items[0], None)
        self.workqueue.update({name: unit for name, unit in left.items() if unit})
        return items[0]

    def _reschedule(self, node: object) -> None:
        super()._reschedule(node)
        # A worker starts an item once it has the next: one alone, given to a new worker, would
        # never start.
        if self.workqueue and self._pending_of(self.assigned_work[node]) == 1:
            super()._reschedule(node)


def _groups(config: pytest.Config, ids: Sequence[str], workers: int) -> Mapping[str, str]:
    """Return the group of each item of a card among `ids`."""
    selection, cases = config.stash[SESSION].settings.selection, cases_of(config, ids)
    return dict(zip(cases, groups_of(list(cases.values()), selection, workers), strict=True))


def cases_of(config: pytest.Config, ids: Sequence[str]) -> Mapping[str, Case]:
    """Return the case of each item of a card among `ids`."""
    selection, wanted = config.stash[SESSION].settings.selection, set(ids)
    cases: dict[str, Case] = {}
    for path in dict.fromkeys(card_of(nodeid) for nodeid in ids if is_ours(nodeid)):
        planned = plan(load_suite(config.rootpath / path), selection)
        timed = latency_cases(planned, selection.answers) if selection.latency else ()
        cases |= {f"{path}::{item_name(case)}": case for case in (*planned, *timed)}
    return {name: case for name, case in cases.items() if name in wanted}
