"""Answer cases: measure and judge; a run is made once for all the cases that share it."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from sr_bench.core.case import (
    COST_METRICS,
    FILE_METRIC,
    GATE_METRIC,
    IMAGE_METRICS,
    STATIC_METRICS,
    TIMED_METRICS,
    Case,
)
from sr_bench.core.detail import Detail
from sr_bench.core.record import Measurement, Record, Status, Verdict
from sr_bench.engine.explain.cause import cause_of
from sr_bench.engine.explain.counting import why_cost_differs
from sr_bench.engine.gates import Gatekeeper
from sr_bench.engine.job import Progress
from sr_bench.engine.judge.claim import failure_gone, judge, known_failure, warning
from sr_bench.engine.judge.floor import beside_floor
from sr_bench.engine.judge.times import judge_time
from sr_bench.engine.measure.cost import Counts, cost_inputs
from sr_bench.engine.measure.latency import Timer, Timings
from sr_bench.engine.measure.runs import Runs
from sr_bench.engine.measure.worker import Executor
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.refusals import why_not_here
from sr_bench.engine.prepare.missing import MissingFinder
from sr_bench.errors import DeviceError, NotRunError, SrBenchError
from sr_bench.files.hashing import sha256_json
from sr_bench.text.home import without_home

_Key = tuple[object, ...]
_Groups = Mapping[_Key, Sequence[Case]]


class Bench:
    """Everything that one session measures.

    Args:
        selection: The session's options.
        dataset_folders: As of `ImageSets`.
        executor: Where images are measured; None: in this process.
    """

    def __init__(
        self,
        selection: Selection,
        dataset_folders: tuple[Path, ...] = (),
        executor: Executor | None = None,
    ) -> None:
        self.selection = selection
        self._runs = Runs(selection, dataset_folders, executor)
        self.info = self._runs.info
        self._rows: _Groups = {}
        self._prints: _Groups = {}
        self._missing = MissingFinder(selection, dataset_folders)

    @cached_property
    def _gatekeeper(self) -> Gatekeeper:
        return Gatekeeper(self._runs)

    @cached_property
    def _timings(self) -> Timings:
        return Timings(self._runs)

    @cached_property
    def _counts(self) -> Counts:
        return Counts(self.selection.kept_in(self.selection.results_cache))

    def inputs(self, cases: Sequence[Case]) -> Mapping[str, Mapping[str, str]]:
        """Return what decides the outcome of each run of `cases`, by run key, where it is known."""
        inputs = {}
        for run_key, case in {case.run_key: case for case in cases if case.run_key}.items():
            with suppress(SrBenchError):  # the measurement will say what is absent
                inputs[run_key] = self._runs.inputs(case)
        return inputs

    def announce(self, cases: Sequence[Case]) -> None:
        """Take in what the session will ask for, in its order."""
        self._rows, self._prints = _grouped(cases, _row), _grouped(cases, _print)
        # What is refused must not start on a cluster.
        self._runs.announce([case for case in cases if not self._refusal(case)])

    def evaluate(self, case: Case, node_id: str, progress: Progress) -> Record:
        """Measure and judge `case`; a fault of its inputs becomes the record's verdict."""
        return self._record(case, node_id, lambda: self._answer(case, progress))

    def close(self) -> None:
        """End what still runs."""
        self._runs.close()

    def failed(self, case: Case, node_id: str, cause: SrBenchError) -> Record:
        """Return the record of a `case` whose session ended while it was measured."""
        return replace(self._fault(case, cause), node_id=node_id)

    def _record(self, case: Case, node_id: str, measure: Callable[[], Record]) -> Record:
        """Return what is known about `case` once `measure` answered or failed."""
        start = time.perf_counter()  # of this case: it pays for a run that others share
        try:
            if refusal := self._refusal(case):
                raise NotRunError(refusal)
            record = measure()
        except SrBenchError as cause:
            record = self._fault(case, cause)
        return replace(record, node_id=node_id, seconds=time.perf_counter() - start)

    def _fault(self, case: Case, cause: SrBenchError) -> Record:
        """Return the record of a `case` that has no value because of `cause`."""
        status, sentence, detail = Status.ERROR, str(cause), Detail()
        if isinstance(cause, NotRunError):
            status, detail = Status.NOT_RUN, Detail(missing=self._missing.of(case) or ())
        elif isinstance(cause, DeviceError):
            expected, detail = known_failure(case, self.info), Detail(failure=cause.failure)
            if expected and expected.failure == cause.failure:  # another one is news
                status, sentence = Status.KNOWN_GAP, f"{cause.failure}: {expected.reason}"
        claimed = case.claim.value if case.claim else None
        verdict = Verdict(status, without_home(sentence), claimed=claimed)
        return case.record(verdict, detail=detail)

    def _refusal(self, case: Case) -> str:
        """Say why `case` can't be measured here; empty if it can."""
        # Times are taken in this process.
        where = self._runs.here if case.metric in TIMED_METRICS else self._runs.executor
        return why_not_here(case, self.selection, self.info, where.cpu)

    def _answer(self, case: Case, progress: Progress) -> Record:
        if case.metric in STATIC_METRICS:
            return self._cost(case)
        run = self._runs.of(case, progress)
        if case.metric == GATE_METRIC:  # before the rest: a run has no metric of that name
            return self._gatekeeper.judged(case, run, progress)
        measurement = run.measured(case.metric)
        others = self._runs.other_readings(case, progress)
        readings = {name: of.measured(case.metric).value for name, of in others.items()}
        measurement = replace(measurement, notes={**measurement.notes, **readings})
        floor = self._runs.floor(case, progress)
        measurement = beside_floor(measurement, floor.measured(case.metric))
        verdict = self._judged(case, measurement)
        differs = verdict.status in (Status.DIFFERS, Status.BETTER)
        if differs and (line := self._same_print(case)):
            said = f"{verdict.sentence}; line {line} prints the same number: copied from there?"
            verdict = replace(verdict, sentence=said)
        row = self._beside(case)
        cause = cause_of(case, run, self.selection, row) if differs else Detail()
        detail = replace(
            cause, warning=warning(known_failure(case, self.info)), printed_as=case.printed_as
        )
        return run.record(case, measurement, verdict, detail)

    def _beside(self, case: Case) -> Iterator[Case]:
        """Yield the cases whose claims stand in the same row and are of the same images."""
        for other in self._rows.get(_row(case), ()):
            if other.metric in IMAGE_METRICS and other.metric != case.metric:
                if other.run_key == case.run_key:
                    yield other

    def _same_print(self, case: Case) -> int:
        """Return the line, or 0, where the document prints the number of `case` for another model.

        It must be of the same dataset; that fp16 prints what fp32 does is no sign of a copy.
        """
        alike = self._prints.get(_print(case), ())
        others = (each.claim for each in alike if each.card.id != case.card.id)
        return next((claim.source.line for claim in others if claim), 0)

    def _cost(self, case: Case) -> Record:
        card = case.card.with_given(case.precision) if case.metric == FILE_METRIC else case.card
        inputs = cost_inputs(card, case.metric)
        measurement = self._counts.measured(card, case.metric)
        verdict = self._judged(case, measurement)
        if case.claim and case.metric in COST_METRICS and verdict.status is Status.DIFFERS:
            if why := why_cost_differs(card, case.claim):
                verdict = replace(verdict, sentence=f"{verdict.sentence}, which prints {why}")
        return case.record(
            verdict,
            measurement=measurement,
            fingerprint=sha256_json(inputs),
            inputs=inputs,
        )

    def _judged(self, case: Case, measurement: Measurement) -> Verdict:
        card, claim = case.card, case.claim
        # The plain backend word claims the card itself; what is counted is the same everywhere.
        of_card = claim and claim.backend == self.selection.answers
        if claim and of_card and self.info.emulated and case.metric not in STATIC_METRICS:
            sentence = (
                f"this row claims a number of the {claim.backend} card, but none is here: emulated"
                " value shown, not judged"
            )
            return Verdict(Status.NOT_RUN, sentence, measurement.value, claim.value)
        slug = case.evaluation.dataset if case.evaluation else ""
        tolerance = card.tolerance_for(case.metric, case.precision)
        # A gap excuses a printed number alone.
        gap = card.gap_for(case.metric, case.precision, slug, claim.variant) if claim else None
        if case.metric in TIMED_METRICS:
            return judge_time(claim, measurement, card.latency.tolerance_percent, gap)
        verdict = judge(claim, measurement, tolerance=tolerance, gap=gap)
        failure = known_failure(case, self.info)
        if failure and not measurement.partial:  # another image may be the one that fails
            return failure_gone(verdict, failure, self.info.version)
        return verdict

    def measure_latency(self, case: Case, node_id: str, timer: Timer, progress: Progress) -> Record:
        """Let `timer` time the network of `case`; a fault of its inputs becomes the verdict."""
        return self._record(case, node_id, lambda: self._timed(case, timer, progress))

    def _timed(self, case: Case, timer: Timer, progress: Progress) -> Record:
        record = self._timings.record(case, timer, progress)
        if case.cell is None or record.measurement is None:
            return record
        return replace(record, verdict=self._judged(case, record.measurement))


def _grouped(cases: Iterable[Case], of: Callable[[Case], _Key]) -> _Groups:
    """Return the `cases` that have a key, by it: none is compared with all others."""
    groups: dict[_Key, list[Case]] = {}
    for case in cases:
        if key := of(case):
            groups.setdefault(key, []).append(case)
    return groups


def _row(case: Case) -> _Key:
    return (case.claim.source.path, case.claim.source.line) if case.claim else ()


def _print(case: Case) -> _Key:
    on, claim = case.evaluation, case.claim
    return (on.dataset, claim.metric, claim.text, claim.source.path) if on and claim else ()
