"""Audit tolerances: make known mistakes on a run's kept outputs, and see which ones would pass."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeAlias

import numpy as np

from sr_bench.core.card import ModelCard
from sr_bench.core.case import Case
from sr_bench.core.claim import Claim
from sr_bench.core.forensics import Audit, AuditedClaim, Trial
from sr_bench.core.history import PastSession
from sr_bench.core.metric import metric_info
from sr_bench.core.protocol import Colour, EvalProtocol, Resize
from sr_bench.core.record import Kept, Measurement, Record, Status, Verdict
from sr_bench.engine.explain.kept import read_kept
from sr_bench.engine.judge.claim import judge
from sr_bench.engine.score.network_io import Levels
from sr_bench.engine.score.protocol import aggregate, score_pair
from sr_bench.errors import CardError, ImageError, NotRunError, SrBenchError

Rerun: TypeAlias = Callable[[Case], float]
"""Runs the network of a case anew, and returns the value of the case's metric."""

_SAME = 1e-6
"""How far two scores of the same levels may lie apart: less than any printed digit."""
_STORED = {"psnr": 0.05, "ssim": 0.001}
"""Metrics that are audited: how far a score may move when float outputs are stored in 8 or 16
bits, or levels in 16."""


@dataclass(frozen=True)
class _Target:
    """A claim with all that it takes to score its images again."""

    record: Record
    case: Case
    claim: Claim
    measurement: Measurement
    kept: Kept

    @property
    def metric(self) -> str:
        return self.claim.metric

    @property
    def rule(self) -> EvalProtocol:
        return self.case.on_images.protocol

    @property
    def scale(self) -> int:
        return self.case.card.scale

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(score.image for score in self.measurement.images)


@dataclass(frozen=True)
class _Way:
    """One way to score the kept images: the right one, or with a mistake."""

    name: str
    rule: EvalProtocol
    spoil: Callable[[Levels], Levels] = lambda sr: sr
    """What happens to the outputs first."""


def audit(
    session: PastSession, cards: Mapping[str, ModelCard], rerun: Rerun | None = None
) -> Audit:
    """Return which mistakes the tolerances of `session` would not catch.

    Only claims that matched count: a tolerance that lets the right value fail says nothing.

    The tolerances and protocols are those of `cards`, by ``family/name``, as they are now. Without
    `rerun`, mistakes that can't be made on outputs are listed as not tried.

    Raises:
        NotRunError: No claim of the run can be audited; the message says why.
    """
    problems: list[str] = []
    claims: list[AuditedClaim] = []
    gone: list[ImageError] = []
    records = [
        record
        for record in session.records
        if record.metric in _STORED and record.verdict.status is Status.MATCH
    ]
    kept = [record for record in records if record.kept]
    for record in kept:
        try:
            claims.append(_audited(_target(record, cards), session, rerun))
        except ImageError as cause:
            gone.append(cause)
        except SrBenchError as cause:
            problems.append(f"{record.case_id}: {cause}")
    problems += _absent(len(records), len(kept), gone)
    if not claims:
        reasons = "; ".join(problems) or "it has no image claim that matched"
        msg = f"{session.path}: no tolerance can be audited: {reasons}"
        raise NotRunError(msg)
    return Audit(session.info.run, tuple(claims), tuple(problems))


def _absent(judged: int, kept: int, gone: Sequence[ImageError]) -> Iterator[str]:
    """Yield, once for the whole run, what is no longer or never was on disk."""
    if kept < judged:
        yield (
            f"of {judged} image claims that matched, {judged - kept} have no kept outputs;"
            " keep them with pytest --sr-keep=8bit"
        )
    if gone:
        yield (
            f"of {kept} claims with kept outputs, {len(gone)} have images that can't be read, the"
            f" first because of {gone[0]}; run pytest --sr-keep=8bit again"
        )


def _target(record: Record, cards: Mapping[str, ModelCard]) -> _Target:
    card = cards.get(f"{record.family}/{record.model}")
    if card is None:
        msg = f"no card has the model {record.family}/{record.model}; say where with --suites DIR"
        raise CardError(msg)
    for evaluation in card.evaluations:
        same = f"{evaluation.dataset}_x{card.scale}" == record.dataset
        if same and evaluation.protocol.name == record.protocol:
            break
    else:
        msg = f"its card evaluates no {record.dataset} by {record.protocol} any more; run it again"
        raise CardError(msg)
    if record.claim is None or record.measurement is None or record.kept is None:
        msg = "the record says that a claim matched, but lacks the claim or its measurement"
        raise CardError(msg)
    case = Case.of(record, card, evaluation)
    return _Target(record, case, record.claim, record.measurement, record.kept)


def _audited(target: _Target, session: PastSession, rerun: Rerun | None) -> AuditedClaim:
    rule = target.rule
    right, *wrong = _ways(rule, rule.border_px(target.scale))
    scores = _scores(target, session, (right, *wrong))
    if right.name in scores.faults:
        raise scores.faults[right.name]
    value = aggregate(scores.images[right.name], rule, target.metric)
    _check_belongs(target, value, _SAME if scores.exact else _STORED[target.metric])
    trials = [
        Trial(way.name, why=str(scores.faults[way.name]))
        if way.name in scores.faults
        else _trial(target, way.name, aggregate(scores.images[way.name], rule, target.metric))
        for way in wrong
    ]
    trials += [*_misread(target, scores.images[right.name]), *_reruns(target, rerun)]
    return AuditedClaim(
        target.record.case_id,
        target.claim.source,
        target.metric,
        target.claim.text_in_unit,
        _judged(target, value).tolerance or 0.0,
        value,
        tuple(trials),
    )


def _ways(rule: EvalProtocol, border: int) -> Iterator[_Way]:
    """Yield the right way to score outputs, then each mistake that can be made on them."""
    yield _Way("none", rule)
    yield _Way("bgr", rule, lambda sr: sr[..., ::-1])
    yield _Way("shift_right", rule, partial(_shifted, axis=1))
    yield _Way("shift_down", rule, partial(_shifted, axis=0))
    yield _Way("dc", rule, _brighter)
    if border:
        yield _Way("border_less", replace(rule, border=border - 1))
    yield _Way("border_more", replace(rule, border=border + 1))
    if rule.colour != "rgb":
        other: Colour = "y_float" if rule.colour == "y_rounded" else "y_rounded"
        yield _Way("luma", replace(rule, colour=other))


def _shifted(sr: Levels, axis: int) -> Levels:
    """Return `sr` one pixel further down (axis 0) or right (axis 1); the edge is repeated."""
    return sr.take(np.maximum(np.arange(sr.shape[axis]) - 1, 0), axis=axis)


def _brighter(sr: Levels) -> Levels:
    """Return `sr` one level brighter, at most white."""
    if sr.dtype == np.uint8:
        return np.minimum(sr, 254).astype(np.uint8) + np.uint8(1)  # 255 + 1 would be 0
    return np.minimum(sr + np.float32(1.0), np.float32(255.0))


@dataclass(frozen=True)
class _Scores:
    """The scores of the kept images, by each way to score."""

    images: Mapping[str, Sequence[float]]
    """Of each image, by the way's name."""
    faults: Mapping[str, SrBenchError]
    """Why a way has no score."""
    exact: bool
    """Whether the outputs were kept as they were scored."""


def _scores(target: _Target, session: PastSession, ways: Sequence[_Way]) -> _Scores:
    """Return the scores by `ways`, with one image in memory at a time."""
    exact = target.rule.rounding != "none"
    scores: dict[str, list[float]] = {way.name: [] for way in ways}
    faults: dict[str, SrBenchError] = {}
    for index, name in enumerate(target.names):
        sr, hr = read_kept(session.results, target.kept, index)
        exact = exact and sr.dtype == np.uint8  # what 16 bits hold is rounded once more
        sr = _as_scored(sr, target.rule)  # 16 bits are kept uncut
        for way in ways:
            try:
                pair_scores = score_pair(
                    way.spoil(sr), hr, way.rule, target.scale, (target.metric,)
                )
            except SrBenchError as cause:
                faults.setdefault(way.name, cause.about(name))
            else:
                scores[way.name].append(pair_scores[target.metric])
    return _Scores(scores, faults, exact)


def _as_scored(sr: Levels, rule: EvalProtocol) -> Levels:
    """Return levels that were kept in 16 bits as `rule` makes them before scoring."""
    if sr.dtype == np.uint8:
        return sr
    if rule.clip or rule.rounding != "none":
        sr = sr.clip(0.0, 255.0)
    if rule.rounding == "none":
        return sr
    whole: Levels = np.rint(sr) if rule.rounding == "round" else np.floor(sr)
    return whole.astype(np.uint8)


def _check_belongs(target: _Target, value: float, allowed: float) -> None:
    """Raise a CardError if the outputs don't give the recorded value."""
    recorded = target.measurement.value
    if value != recorded and abs(value - recorded) > allowed:
        msg = (
            f"scored again by {target.record.protocol}, the kept outputs give {value:.6g} and not"
            f" the recorded {recorded:.6g}: they or the protocol are of another run; run it again"
        )
        raise CardError(msg)


def _judged(target: _Target, value: float) -> Verdict:
    measured = Measurement.of(target.metric, value)
    tolerance = target.case.card.tolerance_for(target.metric, target.case.precision)
    return judge(target.claim, measured, tolerance=tolerance)


def _trial(target: _Target, name: str, value: float) -> Trial:
    return Trial(name, value, caught=_judged(target, value).status is not Status.MATCH)


def _misread(target: _Target, scores: Sequence[float]) -> Iterator[Trial]:
    """Yield what a script prints that takes the last image's value for the mean, or the reverse."""
    rule = target.rule
    if metric_info(target.metric).follows_ssim_aggregation and len(scores) > 1:
        other: Literal["mean", "last_image"] = (
            "mean" if rule.ssim_aggregation == "last_image" else "last_image"
        )
        value = aggregate(scores, replace(rule, ssim_aggregation=other), target.metric)
        yield _trial(target, "aggregation", value)


def _reruns(target: _Target, rerun: Rerun | None) -> Iterator[Trial]:
    """Yield the mistakes that need the network or the whole ground truth again."""
    for name, rule in _other_rules(target):
        if rerun is None:
            yield Trial(name, why="needs another run; ask for it with --rerun")
            continue
        evaluation = replace(target.case.on_images, protocol=rule)
        try:
            yield _trial(target, name, rerun(replace(target.case, evaluation=evaluation)))
        except SrBenchError as cause:
            yield Trial(name, why=str(cause))


def _other_rules(target: _Target) -> Iterator[tuple[str, EvalProtocol]]:
    """Yield protocols with another kernel; their names differ, as runs are known by them."""
    rule = target.rule
    if rule.gt_resize:
        other = _other(rule.gt_resize)
        yield "gt_kernel", replace(rule, name=f"{rule.name}+gt_{other}", gt_resize=other)
    if rule.lr_resize or target.scale > 1:
        other = _other(rule.lr_resize) if rule.lr_resize else "cv2_cubic"
        source = rule.lr_from if rule.lr_resize else "hr"
        name = f"{rule.name}+lr_{other}"
        yield "lr_kernel", replace(rule, name=name, lr_from=source, lr_resize=other)


def _other(rule: Resize) -> Resize:
    return "cv2_cubic" if rule == "cv2_linear" else "cv2_linear"
