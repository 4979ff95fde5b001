"""Gates: from two runs over the same images, in low precision and in fp32, to a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite

from sr_bench.core.card import KnownGap
from sr_bench.core.case import GATE_METRIC, Case
from sr_bench.core.compare import LossLimits
from sr_bench.core.detail import Detail
from sr_bench.core.device import Profile
from sr_bench.core.gate import Comparison, GateVerdict
from sr_bench.core.int8 import Gate
from sr_bench.core.metric import metric_info
from sr_bench.core.record import ImageScore, Measurement, Record, Status, Verdict
from sr_bench.engine.job import Progress
from sr_bench.engine.judge.gate import compare_records, judge_images, worst_status
from sr_bench.engine.measure.jobs import in_fp32
from sr_bench.engine.measure.run import Run
from sr_bench.engine.measure.runs import Runs
from sr_bench.engine.score.fidelity import Fidelity
from sr_bench.history.store import read_run


@dataclass(frozen=True)
class Gated:
    """What a gate measured and found."""

    measurement: Measurement
    verdict: Verdict
    detail: Detail = field(default_factory=Detail)


class Gatekeeper:
    """Judges what low precisions lose, against the card and against an earlier run."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def judged(self, case: Case, low: Run, progress: Progress) -> Gated:
        """Return the judgement of `low`, the run of a gate's `case`."""
        limits = case.card.gate_on(self._runs.selection.answers)
        if limits is None:
            msg = f"{case.id}: the card has no gate"
            raise TypeError(msg)
        close = _close(low)
        measurement = _fidelity(close, low.planned)
        if measurement.partial:
            done = f"measured on {len(close)} of {low.planned} images, so not judged"
            told = f"{done}; drop --sr-limit for a verdict"
            return Gated(measurement, Verdict(Status.NOT_RUN, told, measurement.value))
        full = self._runs.of(in_fp32(case), progress)
        found = judge_images(limits, low.images, full.images)
        if self._runs.jobs.has_profiles(case.precision):
            other = self._runs.of(case, progress, Profile.FINE)
            notes = {**measurement.notes, Profile.FINE: _fidelity(_close(other), 0).value}
            measurement = replace(measurement, notes=notes)
            found = _agreed(found, judge_images(limits, other.images, full.images))
        earlier = self._compared(case, low, measurement, limits)
        verdict = _verdict(found, earlier, measurement.value, _gap(case))
        detail = Detail(gate=found, compared=earlier)
        if verdict.status is Status.LOSS and self._runs.explains:
            from sr_bench.engine.explain.layers import (
                explain,  # loads onnx, which a cached gate does not
            )

            work, limit_s = self._runs.work(case, progress), self._runs.selection.explain_s
            images = (low.images, full.images)
            call = self._runs.executor.call
            dossier = call(explain, work, *images, limits, limit_s, progress=progress)
            detail = replace(detail, dossier=dossier)
        return Gated(measurement, verdict, detail)

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
        now = {name: low.measured(name) for name in low.metrics} | {GATE_METRIC: fidelity}
        found = []
        for metric, measurement in now.items():
            record = _record(case, metric, measurement, low)
            before = self._earlier.get(_identity(record))
            if before:
                found.append(compare_records(record, before, limit=allowed.of(metric)))
        return tuple(found)


def _close(run: Run) -> Mapping[str, Fidelity]:
    return {item.image: item.fidelity for item in run.images if item.fidelity}


def _agreed(found: GateVerdict, other: GateVerdict) -> GateVerdict:
    """Return `found`, by TVM's reading of an emulated device, if the finer one ends alike."""
    if found.status is other.status:
        return found
    told = (
        f"the two readings of the device's int8 disagree: {Profile.TVM} says {found.status}"
        f" ({found.sentence}), {Profile.FINE} says {other.status}"
    )
    return replace(found, status=Status.UNDECIDED, sentence=told)


def _fidelity(close: Mapping[str, Fidelity], planned: int) -> Measurement:
    """Return the mean fidelity; images without any error do not count, unless all are such."""
    scores = tuple(ImageScore(image, one.all_db) for image, one in close.items())
    finite = [score.value for score in scores if isfinite(score.value)]
    mean = sum(finite) / len(finite) if finite else float("inf")
    notes = {
        "worst_db": min(score.value for score in scores),
        "ring_db": min(one.ring_db for one in close.values()),
    }
    unit = metric_info(GATE_METRIC).unit
    return Measurement(GATE_METRIC, unit, mean, scores, planned, notes=notes)


def _verdict(
    found: GateVerdict, earlier: tuple[Comparison, ...], value: float, gap: KnownGap | None
) -> Verdict:
    told_of = [(found.status, found.sentence)]
    told_of += [(one.status, one.sentence) for one in earlier if one.drop]
    status = worst_status([status for status, _ in told_of])
    told = "; ".join(sentence for each, sentence in told_of if each is status)
    if gap and status is Status.LOSS:
        status, told = Status.KNOWN_GAP, gap.reason
    elif gap and status is Status.WITHIN:
        status = Status.GAP_CLOSED
        told = f"the gate passes: remove the known gap from the card ({gap.reason})"
    return Verdict(status, told, measured=value)


def _gap(case: Case) -> KnownGap | None:
    slug = case.evaluation.dataset if case.evaluation else ""
    return case.card.gap_for(case.metric, case.precision, slug)


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
