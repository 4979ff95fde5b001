"""Gates: from two runs over the same images, in low precision and in fp32, to a verdict."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from math import isfinite
from pathlib import Path

from sr_bench.cards.baseline import read_baselines
from sr_bench.core.baseline import FILE_NAME, Baseline, GateName, Held
from sr_bench.core.case import GATE_METRIC, Case
from sr_bench.core.compare import LossLimits, case_key
from sr_bench.core.detail import Detail
from sr_bench.core.device import Profile
from sr_bench.core.gate import Comparison, GateVerdict
from sr_bench.core.record import ImageScore, Measurement, Record, Status, Verdict
from sr_bench.engine.job import Progress
from sr_bench.engine.judge.baseline import content_of, judge_baseline
from sr_bench.engine.judge.gate import compare_records, judge_images, worst_status
from sr_bench.engine.measure.run import Run
from sr_bench.engine.measure.runs import Runs
from sr_bench.errors import MetricError
from sr_bench.history.earlier import newest_of_each
from sr_bench.text.home import without_home


class Gatekeeper:
    """Judges what low precisions lose: against the card, what was approved, and an earlier run."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._baselines: dict[Path, Mapping[GateName, Baseline]] = {}

    def judged(self, case: Case, low: Run, progress: Progress) -> Record:
        """Return the judgement of `low`, the run of a gate's `case`."""
        limits = case.card.gate_on(self._runs.selection.answers)
        if limits is None:
            msg = f"{case.id}: the card has no gate"
            raise TypeError(msg)
        measurement = _fidelity(low)
        if measurement.partial:  # before the fp32 run is made for nothing
            verdict = Verdict(Status.NOT_RUN, measurement.why_partial, measurement.value)
            return low.record(case, measurement, verdict, Detail(), limits=str(limits))
        full = self._runs.of(case.in_fp32, progress)
        gate = judge_images(limits, low.images, full.images)
        for name, fine in self._runs.other_readings(case, progress).items():
            notes = {**measurement.notes, name: _fidelity(fine).value}
            measurement = replace(measurement, notes=notes)
            gate = _agreed(gate, judge_images(limits, fine.images, full.images))
        allowed = LossLimits(
            psnr_db=limits.max_drop_db,
            ssim=limits.max_drop_ssim,
            image_psnr_db=limits.max_image_drop_db,
            image_ssim=limits.max_image_drop_ssim,
        )
        earlier = self._compared(case, low, measurement, allowed)
        held = self._held(case, low, gate)
        found: tuple[Held | Comparison, ...] = (held, *_file_faults(low), *earlier)
        verdict = _verdict(case, gate, found, measurement.value)
        detail = Detail(gate=gate, baseline=held, compared=earlier)
        if verdict.status is Status.LOSS and self._runs.explains:
            detail = self._explained(detail, case, (low, full), gate, progress)
        return low.record(case, measurement, verdict, detail, limits=str(limits))

    def _held(self, case: Case, low: Run, gate: GateVerdict) -> Held:
        """Return how `gate` fares against what was approved."""
        path = case.card.folder / FILE_NAME
        if path not in self._baselines:  # read once for all modes of a suite
            self._baselines[path] = read_baselines(path)
        protocol = case.on_images.protocol.name
        name = GateName(
            case.card.name, case.precision, case.dataset, protocol, case.backend, low.device
        )
        here = os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
        return judge_baseline(
            self._baselines[path], name, content_of(low.inputs), gate.images, path=here
        )

    def _explained(
        self,
        detail: Detail,
        case: Case,
        both: tuple[Run, Run],
        gate: GateVerdict,
        progress: Progress,
    ) -> Detail:
        """Return `detail` with what a search finds; if that fails, with why: the verdict stands."""
        from sr_bench.engine.explain.layers import explain  # loads onnx: a cached gate does not

        limits = gate.limits if gate.status is Status.LOSS else None
        falls = detail.baseline.falls if detail.baseline else ()
        suspect = falls[0].image if falls and limits is None else ""
        low, full = both
        # Searched for where images are measured: the networks are open there.
        try:
            dossier = self._runs.executor.call(
                explain,
                self._runs.work(case, progress),
                low.images,
                full.images,
                limits,
                self._runs.selection.explain_s,
                suspect,
                progress=progress,
            )
        except Exception as cause:  # also a defect of ours: a search never costs the verdict
            reason = " ".join(str(cause).split()) or type(cause).__name__
            return replace(detail, explanation_failed=without_home(reason))
        return replace(detail, dossier=dossier)

    @cached_property
    def _earlier(self) -> Mapping[tuple[str, ...], Record]:
        runs = newest_of_each(self._runs.selection.compare)
        records = (record for run in runs for record in run.records)
        return {case_key(record): record for record in records if record.measurement}

    def _compared(
        self, case: Case, low: Run, fidelity: Measurement, allowed: LossLimits
    ) -> tuple[Comparison, ...]:
        """Return whether each metric is worse than in the earlier run, if that has it."""
        now = {}
        for name in low.job.metrics:
            with suppress(MetricError):  # the metric's case says why it has no value
                now[name] = low.measured(name)
        now[GATE_METRIC] = fidelity
        comparisons = []
        for metric, measurement in now.items():
            asked, unjudged = replace(case, metric=metric), Verdict(Status.NEW, "")
            record = asked.record(unjudged, measurement=measurement, device=low.device)
            if before := self._earlier.get(case_key(record)):
                comparisons.append(compare_records(record, before, allowed))
        return tuple(comparisons)


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
    planned = len(run.job.images)
    return Measurement.of(GATE_METRIC, mean, images=scores, planned=planned, notes=notes)


def _file_faults(low: Run) -> tuple[Held, ...]:
    """Return that the int8 file is damaged, if it is: fidelity may not show what that will cost."""
    faults = low.provenance.get("file_faults")
    return (Held(Status.LOSS, f"the int8 file is damaged: {faults}"),) if faults else ()


def _verdict(
    case: Case, gate: GateVerdict, found: tuple[Held | Comparison, ...], value: float
) -> Verdict:
    gap = case.card.gap_for(case.metric, case.precision, case.on_images.dataset)
    # Without a baseline, or common images in a comparison, there is nothing to judge.
    judged = (part for part in found if part.status not in (Status.NEW, Status.NOT_RUN))
    parts: list[GateVerdict | Held | Comparison] = [gate, *judged]  # the gate's own sentence leads
    status = worst_status([part.status for part in parts])
    sentence = "; ".join(part.sentence for part in parts if part.status is status)
    if gap and status is Status.LOSS:
        status, sentence = Status.KNOWN_GAP, gap.reason
    elif gap and status is Status.WITHIN:
        status = Status.GAP_CLOSED
        sentence = f"the gate passes: remove the known gap from the card ({gap.reason})"
    return Verdict(status, sentence, measured=value)
