"""Gates: from two runs over the same images, in low precision and in fp32, to a verdict."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from math import isfinite

from sr_bench.core.card import KnownGap
from sr_bench.core.case import GATE_METRIC, Case
from sr_bench.core.compare import LossLimits
from sr_bench.core.detail import Detail
from sr_bench.core.device import Profile
from sr_bench.core.dossier import Dossier
from sr_bench.core.gate import Comparison, GateVerdict
from sr_bench.core.int8 import Gate
from sr_bench.core.metric import metric_info
from sr_bench.core.record import ImageScore, Measurement, Record, Status, Verdict
from sr_bench.engine.job import Progress
from sr_bench.engine.judge.gate import compare_records, judge_images, worst_status
from sr_bench.engine.measure.jobs import in_fp32
from sr_bench.engine.measure.run import Answer, Run
from sr_bench.engine.measure.runs import Runs
from sr_bench.errors import MetricError
from sr_bench.files.hashing import sha256_bytes
from sr_bench.history.store import read_run


class Gatekeeper:
    """Judges what low precisions lose, against the card and against an earlier run."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def judged(self, case: Case, low: Run, progress: Progress) -> Answer:
        """Return the judgement of `low`, the run of a gate's `case`."""
        limits = case.card.gate_on(self._runs.selection.answers)
        if limits is None:
            msg = f"{case.id}: the card has no gate"
            raise TypeError(msg)
        measurement = _fidelity(low)
        if measurement.partial:
            done = f"measured on {len(low.images)} of {low.planned} images, so not judged"
            sentence = f"{done}; drop --sr-limit for a verdict"
            verdict = Verdict(Status.NOT_RUN, sentence, measurement.value)
            return _answer(low, limits, measurement, verdict, Detail())
        full = self._runs.of(in_fp32(case), progress)
        gate = judge_images(limits, low.images, full.images)
        if self._runs.jobs.has_profiles(case.precision):
            fine = self._runs.of(case, progress, Profile.FINE)
            notes = {**measurement.notes, Profile.FINE: _fidelity(fine).value}
            measurement = replace(measurement, notes=notes)
            gate = _agreed(gate, judge_images(limits, fine.images, full.images))
        earlier = self._compared(case, low, measurement, limits)
        slug = case.evaluation.dataset if case.evaluation else ""
        gap = case.card.gap_for(case.metric, case.precision, slug)
        verdict = _verdict(gate, earlier, measurement.value, gap)
        detail = Detail(gate=gate, compared=earlier)
        if verdict.status is Status.LOSS and self._runs.explains:
            detail = replace(detail, dossier=self._explained(case, low, full, limits, progress))
        return _answer(low, limits, measurement, verdict, detail)

    def _explained(
        self, case: Case, low: Run, full: Run, limits: Gate, progress: Progress
    ) -> Dossier:
        """Return what makes the loss, searched for where images are measured."""
        from sr_bench.engine.explain.layers import explain  # loads onnx, which a cached gate not

        call, work = self._runs.executor.call, self._runs.work(case, progress)
        images, limit_s = (low.images, full.images), self._runs.selection.explain_s
        return call(explain, work, *images, limits, limit_s, progress=progress)

    @cached_property
    def _earlier(self) -> Mapping[tuple[str, ...], Record]:
        path = self._runs.selection.compare
        records = read_run(path).records if path else ()
        return {_identity(record): record for record in records if record.measurement}

    def _compared(
        self, case: Case, low: Run, fidelity: Measurement, limits: Gate
    ) -> tuple[Comparison, ...]:
        """Return whether each metric is worse than in the earlier run, if that has it."""
        allowed = LossLimits(psnr_db=limits.max_drop_db, ssim=limits.max_drop_ssim)
        now = {}
        for name in low.metrics:
            with suppress(MetricError):  # the metric's case says why it has no value
                now[name] = low.measured(name)
        now[GATE_METRIC] = fidelity
        comparisons = []
        for metric, measurement in now.items():
            record = _record(case, metric, measurement, low)
            before = self._earlier.get(_identity(record))
            if before:
                comparisons.append(compare_records(record, before, limit=allowed.of(metric)))
        return tuple(comparisons)


def _answer(
    low: Run, limits: Gate, measurement: Measurement, verdict: Verdict, detail: Detail
) -> Answer:
    text = str(limits)
    answer = low.answer(text, measurement, verdict, detail)
    return replace(answer, inputs={**low.inputs, "limits": sha256_bytes(text.encode())})


def _agreed(tvm: GateVerdict, fine: GateVerdict) -> GateVerdict:
    """Return the verdict by TVM's reading of an emulated device, if the finer one agrees."""
    if tvm.status is fine.status:
        return tvm
    sentence = (
        f"the two readings of the device's int8 disagree: {Profile.TVM} says {tvm.status}"
        f" ({tvm.sentence}), {Profile.FINE} says {fine.status}"
    )
    return replace(tvm, status=Status.UNDECIDED, sentence=sentence)


def _fidelity(run: Run) -> Measurement:
    """Return the mean fidelity; images without any error do not count, unless all are such."""
    close = {item.image: item.fidelity for item in run.images if item.fidelity}
    scores = tuple(ImageScore(image, fidelity.all_db) for image, fidelity in close.items())
    finite = [score.value for score in scores if isfinite(score.value)]
    mean = sum(finite) / len(finite) if finite else float("inf")
    notes = {
        "worst_db": min(score.value for score in scores),
        "ring_db": min(fidelity.ring_db for fidelity in close.values()),
    }
    unit = metric_info(GATE_METRIC).unit
    return Measurement(GATE_METRIC, unit, mean, scores, run.planned, notes=notes)


def _verdict(
    gate: GateVerdict, earlier: tuple[Comparison, ...], value: float, gap: KnownGap | None
) -> Verdict:
    compared = (comparison for comparison in earlier if comparison.drop)
    parts: list[GateVerdict | Comparison] = [gate, *compared]
    status = worst_status([part.status for part in parts])
    sentence = "; ".join(part.sentence for part in parts if part.status is status)
    if gap and status is Status.LOSS:
        status, sentence = Status.KNOWN_GAP, gap.reason
    elif gap and status is Status.WITHIN:
        status = Status.GAP_CLOSED
        sentence = f"the gate passes: remove the known gap from the card ({gap.reason})"
    return Verdict(status, sentence, measured=value)


def _identity(record: Record) -> tuple[str, ...]:
    return (
        record.family,
        record.model,
        record.precision,
        record.dataset,
        record.metric,
        record.protocol,
        record.backend,
    )


def _record(case: Case, metric: str, measurement: Measurement, run: Run) -> Record:
    """Return what a record of `metric` would hold, for the comparison."""
    return Record(
        case_id="",
        node_id="",
        family=case.card.family,
        model=case.card.name,
        metric=metric,
        precision=case.precision,
        dataset=case.dataset,
        backend=case.backend,
        device=run.device,
        protocol=run.protocol.name,
        fingerprint="",
        verdict=Verdict(Status.NEW, ""),
        measurement=measurement,
    )
