"""Answer cases: measure and judge; a run is made once for all the cases that share it."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sr_bench.core.backend import BackendInfo, Form
from sr_bench.core.case import COST_METRICS, GATE_METRIC, Case
from sr_bench.core.detail import Detail
from sr_bench.core.device import KnownFailure, Profile
from sr_bench.core.metric import image_metrics, not_computed
from sr_bench.core.precision import Precision
from sr_bench.core.record import FLOOR, Measurement, Record, Status, Verdict
from sr_bench.engine.explain.cause import cause_of
from sr_bench.engine.gates import Gatekeeper
from sr_bench.engine.job import Progress
from sr_bench.engine.judge.claim import judge
from sr_bench.engine.judge.known_failure import failure_gone, known_failure, warning
from sr_bench.engine.measure.cost import Counts, cost_inputs, cost_measurement
from sr_bench.engine.measure.latency import Timer, time_network
from sr_bench.engine.measure.run import Answer
from sr_bench.engine.measure.runs import Runs
from sr_bench.engine.measure.worker import Executor
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.order import Ranked, prioritize
from sr_bench.engine.prepare.code_digest import metric_code
from sr_bench.errors import DeviceError, NotRunError, SrBenchError
from sr_bench.files.hashing import sha256_json
from sr_bench.history.find_run import earlier_runs
from sr_bench.history.index import read_history
from sr_bench.text.home import without_home

_RUNS_READ = 5
"""Earlier runs whose seconds tell what a run takes."""


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
        self._gatekeeper = Gatekeeper(self._runs)
        self.info: BackendInfo = self._runs.info
        """What the backend says about itself."""
        self._counts = Counts(selection.results_cache / "costs", selection.cache)

    def prioritized(self, cases: Sequence[Case]) -> tuple[Ranked, ...]:
        """Return the runs of `cases` in the order in which a budget should be spent on them."""
        results, inputs = self.selection.results, {}
        for run_key, case in {case.run_key: case for case in cases if case.run_key}.items():
            with suppress(SrBenchError):  # the measurement will say what is absent
                inputs[run_key] = self._runs.inputs(case)
        entries = read_history(results).entries if results else ()
        past = earlier_runs(results, _RUNS_READ) if results else ()
        return prioritize(cases, entries, inputs, past)

    def announce(self, cases: Sequence[Case]) -> None:
        """Take in what the session will ask for, in its order."""
        self._runs.announce([case for case in cases if not self._refusal(case)])

    def evaluate(self, case: Case, node_id: str, progress: Progress) -> Record:
        """Measure and judge `case`; a fault of its inputs becomes the record's verdict."""
        return self._record(case, node_id, lambda: self._answer(case, progress))

    def close(self) -> None:
        """End what still runs."""
        self._runs.close()

    def failed(self, case: Case, node_id: str, cause: SrBenchError) -> Record:
        """Return the record of a `case` whose session ended while it was measured."""

        def fail() -> Answer:
            raise cause

        return self._record(case, node_id, fail)

    def _record(self, case: Case, node_id: str, measure: Callable[[], Answer]) -> Record:
        """Return what is known about `case` once `measure` answered or failed."""
        start = time.perf_counter()
        try:
            if refusal := self._refusal(case):
                raise NotRunError(refusal)
            answer = measure()
        except NotRunError as cause:
            answer = Answer(None, _unmeasured(case, Status.NOT_RUN, str(cause)))
        except DeviceError as cause:
            answer = Answer(None, self._failed(case, cause), detail=Detail(failure=cause.failure))
        except SrBenchError as cause:
            answer = Answer(None, _unmeasured(case, Status.ERROR, str(cause)))
        return Record(
            case_id=case.id,
            node_id=node_id,
            family=case.card.family,
            model=case.card.name,
            metric=case.metric,
            precision=case.precision,
            dataset=case.dataset,
            backend=case.backend,
            device=answer.device,
            protocol=case.evaluation.protocol.name if case.evaluation else "",
            fingerprint=answer.fingerprint,
            verdict=answer.verdict,
            claim=case.claim,
            measurement=answer.measurement,
            seconds=time.perf_counter() - start,
            detail=answer.detail,
            inputs=answer.inputs,
            place=case.place,
            kept=answer.kept,
            cached=answer.cached,
        )

    def _refusal(self, case: Case) -> str:
        """Say why `case` can't be measured here; empty if it can."""
        backend, word = self.selection.answers, case.claim.backend if case.claim else ""
        words = ("", backend, f"{backend}-emulated") if self.info.emulated else ("", backend)
        if case.metric not in COST_METRICS and word not in words:
            if word == f"{backend}-emulated":
                return f"this row claims an emulated number, but {backend} is a real device here"
            article = "an" if word[0] in "aeiou" else "a"
            rerun = f"rerun with --backend={word.split('-')[0]}"
            return f"this row claims {article} {word} number; {rerun}"
        if case.evaluation is not None and case.metric in image_metrics():
            return not_computed(case.metric)
        return ""

    def _answer(self, case: Case, progress: Progress) -> Answer:
        if case.evaluation is None:
            return self._cost(case)
        run = self._runs.of(case, progress)
        if case.metric == GATE_METRIC:
            return self._gatekeeper.judged(case, run, progress)
        measurement = run.measured(case.metric)
        beside = self._values_beside(case, progress)
        measurement = replace(measurement, notes={**measurement.notes, **beside})
        verdict = self._judged(case, measurement)
        cause = cause_of(verdict, case, run, self.selection)
        detail = replace(cause, warning=warning(self._known_failure(case)))
        code = metric_code(case.metric)
        question = f"{case.metric}|{code}" if code else case.metric
        answer = run.answer(question, measurement, verdict, detail)
        return replace(answer, inputs={**run.inputs, "metric": code}) if code else answer

    def _cost(self, case: Case) -> Answer:
        card = case.card
        cost = self._counts.of(card, card.counted_shape)
        measurement = cost_measurement(card, case.metric, cost)
        verdict = self._judged(case, measurement)
        inputs = cost_inputs(card, case.metric)
        return Answer(measurement, verdict, sha256_json(inputs), inputs=inputs)

    def _judged(self, case: Case, measurement: Measurement) -> Verdict:
        card, claim = case.card, case.claim
        if claim and claim.backend == self.selection.answers and self.info.emulated:
            sentence = (
                f"this row claims a number of the {claim.backend} card, but none is here: emulated"
                " value shown, not judged"
            )
            return Verdict(Status.NOT_RUN, sentence, measurement.value, claim.value)
        slug = case.evaluation.dataset if case.evaluation else ""
        tolerance = card.tolerance_for(case.metric, case.precision)
        gap = card.gap_for(case.metric, case.precision, slug) if claim else None
        verdict = judge(claim, measurement, tolerance=tolerance, gap=gap)
        failure = self._known_failure(case)
        if failure and not measurement.partial:
            return failure_gone(verdict, failure, self.info.version)
        return verdict

    def _values_beside(self, case: Case, progress: Progress) -> Mapping[str, float]:
        """Return the values of an emulated device's other reading, and of bicubic enlargement."""
        values = {}
        if self._runs.jobs.has_profiles(case.precision):
            fine = self._runs.of(case, progress, Profile.FINE)
            values[str(Profile.FINE)] = fine.measured(case.metric).value
        if floor := self._runs.floor(case, progress):
            values[FLOOR] = floor.measured(case.metric).value
        return values

    def _known_failure(self, case: Case) -> KnownFailure | None:
        """Return the failure that the card's device is known to have in `case`."""
        if self.info.form is not Form.SOURCE or case.precision is Precision.FP32:
            return None
        return known_failure(case.card, case.precision, self.info.version)

    def _failed(self, case: Case, cause: DeviceError) -> Verdict:
        expected = self._known_failure(case)
        if expected and expected.failure == cause.failure:
            return _unmeasured(case, Status.KNOWN_GAP, f"{cause.failure}: {expected.reason}")
        return _unmeasured(case, Status.ERROR, str(cause))

    def measure_latency(self, case: Case, node_id: str, timer: Timer, progress: Progress) -> Record:
        """Let `timer` time the network of `case`; a fault of its inputs becomes the verdict."""
        return self._record(case, node_id, lambda: time_network(self._runs, case, timer, progress))


def _unmeasured(case: Case, status: Status, sentence: str) -> Verdict:
    claimed = case.claim.value if case.claim else None
    return Verdict(status, without_home(sentence), claimed=claimed)
