"""Order the runs of a session by risk and age, so that a budget is spent where it matters most."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from sr_bench.core.case import COST_METRICS, GATE_METRIC, Case
from sr_bench.core.history import HistoryEntry, PastSession, Point, shortened
from sr_bench.core.record import Record, Status
from sr_bench.core.trend import started
from sr_bench.text.printable import counted

_THIN = 0.2
"""Part of the tolerance: with less left, a small change fails the claim."""

_LONG = timedelta(weeks=1)
"""Unmeasured for so long, a run goes before thin margins, which must not starve it."""

_FAILED = (Status.DIFFERS, Status.BETTER, Status.GAP_CLOSED, Status.ERROR, Status.LOSS)

_RunId = tuple[Path, str]
"""As `Case.run_id`; all costs are one run."""

_CaseId = tuple[str, str, str]
"""Family, id and backend."""


class Risk(IntEnum):
    """Why a run is due, the most urgent first."""

    CHEAP = 0
    """Costs are counted, without a run."""
    NEVER = 1
    FAILED = 2
    CHANGED = 3
    LONG_AGO = 4
    THIN = 5
    MEASURED = 6


@dataclass(frozen=True)
class Ranked:
    """One run, or all cost cases together, in its place."""

    run_key: str
    """Empty for cost cases."""
    cases: tuple[Case, ...]
    """All that the run answers, its gate among them, in the order of collection."""
    risk: Risk
    reason: str
    """``inputs changed: weights``, ``thin margin 12 %``, ``measured 3 days ago`` ..."""
    seconds: float | None
    """What it took in that of the past runs where it took longest; None: not known."""


@dataclass(frozen=True)
class _Last:
    """The outcome when a case was last measured, or failed."""

    point: Point
    age: timedelta
    """Between its run and the newest; the longest possible if unknown."""

    @property
    def margin_share(self) -> float | None:
        """Part of the tolerance that is left; below 0 where the claim is missed."""
        margin, tolerance = self.point.margin, self.point.tolerance
        return margin / tolerance if margin is not None and tolerance else None


def prioritize(
    cases: Sequence[Case],
    entries: Sequence[HistoryEntry],
    inputs_now: Mapping[str, Mapping[str, str]],
    past: Iterable[PastSession] = (),
) -> tuple[Ranked, ...]:
    """Return the runs of `cases` in the order in which they should be made.

    First what costs nothing; then what was never measured, failed last time, or has other inputs;
    then what was measured a week ago or earlier; then thin margins, the thinnest first; then the
    rest. In each of the others the oldest is first, and the order of collection decides ties. So a
    budget that is always too small still gets to all that works. No clock is read.

    A gate compares with the fp32 run, and has it made if nobody else did. So that run goes right
    before the first gated one that needs it, whatever its own risk: this costs nothing, and its
    own cases are answered if the budget ends between the two.

    Args:
        cases: In the order of collection.
        entries: Of history, newest last.
        inputs_now: By `Case.run_key`, what is known of a run's inputs without opening a network:
            whole digests by name, as in `Record.inputs`. What is absent is unknown.
        past: Runs with their records, for the seconds, which history's lines do not keep. A run
            whose results were cached took no time: so the longest of some runs counts.
    """
    runs: dict[_RunId, list[Case]] = {}
    for case in cases:
        runs.setdefault(_run_id(case), []).append(case)
    history, costs = _history(entries), [_seconds(run.records) for run in past]
    ranked: list[tuple[_Due, Ranked]] = []
    for (_, run_key), members in runs.items():
        ids = dict.fromkeys(map(_case_id, members))
        measured_before = [history[case_id] for case_id in ids if case_id in history]
        due = _due(measured_before, inputs_now.get(run_key, {})) if run_key else _COUNTED
        took = [
            sum(cost.get(case_id, 0) for case_id in ids)
            for cost in costs
            if not cost.keys().isdisjoint(ids)
        ]
        run = Ranked(run_key, tuple(members), due.risk, due.reason, max(took, default=None))
        ranked.append((due, run))
    # Stable: ties keep the order of collection.
    ranked.sort(key=lambda pair: (pair[0].risk, pair[0].place))
    return tuple(_references_first([run for _, run in ranked]))


def _run_id(case: Case) -> _RunId:
    return case.run_id if case.run_key else (Path(), "")


def _case_id(case: Case) -> _CaseId:
    return _identity(case.card.family, case.id, case.metric, case.backend)


def _identity(family: str, case_id: str, metric: str, backend: str) -> _CaseId:
    """Return what a case is known by from run to run; no backend computes a cost."""
    return family, case_id, "" if metric in COST_METRICS else backend


def _seconds(records: Iterable[Record]) -> Mapping[_CaseId, float]:
    return {_identity(r.family, r.case_id, r.metric, r.backend): r.seconds for r in records}


def _history(entries: Sequence[HistoryEntry]) -> Mapping[_CaseId, _Last]:
    """Return the last outcome of each case that has one."""
    times = [started(entry.info) for entry in entries]
    # Not the clock: an old history is not all due.
    newest = max((time for time in times if time), default=None)
    latest: dict[_CaseId, _Last] = {}
    for entry, time in zip(entries, times, strict=True):
        age = newest - time if newest and time else timedelta.max
        for point in filter(_came_out, entry.points):
            key = _identity(point.family, point.case_id, point.metric, point.backend)
            latest[key] = _Last(point, age)
    return latest


def _came_out(point: Point) -> bool:
    """Tell whether a case was measured, on as many images as its verdict takes, or failed."""
    # Not run is an emulated value beside a device's claim, or nothing.
    is_whole = point.value is not None and point.images == point.planned
    return is_whole or point.status is not Status.NOT_RUN


class _Due(NamedTuple):
    """Why a run is due, and its place among those of the same risk: the lowest is first."""

    risk: Risk
    place: float
    reason: str


_COUNTED = _Due(Risk.CHEAP, 0.0, "counted, without a run")


def _due(measured_before: Sequence[_Last], inputs: Mapping[str, str]) -> _Due:
    """Return why a run is due, from the last outcomes of its cases."""
    if not measured_before:
        return _Due(Risk.NEVER, 0.0, "never measured")
    age = max(last.age for last in measured_before)
    oldest_first = -age.total_seconds()
    if any(last.point.status in _FAILED for last in measured_before):
        return _Due(Risk.FAILED, oldest_first, "failed last time")
    if changed := [
        name for last in measured_before for name in _changed(last.point.inputs, inputs)
    ]:
        names = ", ".join(dict.fromkeys(changed))  # several cases share an input
        return _Due(Risk.CHANGED, oldest_first, f"inputs changed: {names}")
    if age >= _LONG:
        return _Due(Risk.LONG_AGO, oldest_first, _measured(age))
    shares = [last.margin_share for last in measured_before]
    if thin := [share for share in shares if share is not None and 0 <= share < _THIN]:
        return _Due(Risk.THIN, min(thin), f"thin margin {100 * min(thin):.0f} %")
    return _Due(Risk.MEASURED, oldest_first, _measured(age))


def _measured(age: timedelta) -> str:
    if age == timedelta.max:
        return "measured, nothing says when"
    if age.days < 1:
        return "measured less than a day ago"
    return f"measured {counted(age.days, 'day')} ago"


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the inputs of `now` that differ; none if history does not say what they were."""
    known = now.items() if before else ()
    return [name for name, text in known if before.get(name, "") != shortened(text)]


def _references_first(ranked: Sequence[Ranked]) -> Iterator[Ranked]:
    """Yield each run once, that in fp32 before the first whose gate compares with it."""
    runs = {_run_id(run.cases[0]): run for run in ranked}
    for due in ranked:
        gates = (case for case in due.cases if case.metric == GATE_METRIC)
        needed = [_run_id(gate.in_fp32) for gate in gates]
        for run_id in (*needed, _run_id(due.cases[0])):
            if run := runs.pop(run_id, None):
                yield run
