"""Compare two runs case by case: image by image where the inputs allow it, and say what changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf

from sr_bench.core.case import LATENCY_METRIC, STATIC_METRICS, TIMED_METRICS
from sr_bench.core.compare import (
    NEVER_COMPARABLE,
    CaseOutcome,
    Change,
    Compared,
    LossLimits,
    case_key,
    environment_changes,
    input_changes,
)
from sr_bench.core.gate import Comparison
from sr_bench.core.history import PastSession
from sr_bench.core.metric import metric_info
from sr_bench.core.record import Measurement, Record, Status
from sr_bench.engine.judge.gate import compare_records
from sr_bench.errors import MetricError

_SAME_MACHINE = ("cpu", "cores")

_Key = tuple[str, ...]


@dataclass(frozen=True)
class _Answer:
    """What two measured records, set against each other, give."""

    outcome: CaseOutcome
    sentence: str
    comparison: Comparison | None = None


@dataclass(frozen=True)
class _Pair:
    """A case with a value in both runs."""

    now: Record
    before: Record
    new: Measurement
    old: Measurement
    inputs: tuple[Change, ...]
    environment: tuple[Change, ...]


def compare_runs(now: PastSession, before: PastSession, limits: LossLimits) -> tuple[Compared, ...]:
    """Return how each case of `now` fares against `before`, then those that only `before` has.

    Cases are matched by family, model, metric, precision, dataset, protocol and backend; costs,
    which no backend computes, without the backend. Those that neither run measured are left out.

    Raises:
        MetricError: A score in a record is no number.
    """
    ours, theirs = _by_case(now.records), _by_case(before.records)
    environment = environment_changes(before.info.environment, now.info.environment)
    rows = (
        _compared(ours.get(key), theirs.get(key), environment, limits)
        for key in dict.fromkeys((*ours, *theirs))
    )
    return tuple(row for row in rows if row)


def _by_case(records: Iterable[Record]) -> Mapping[_Key, Record]:
    """Return the records by what they are about; of several, the first that has a value."""
    by_case: dict[_Key, Record] = {}
    for record in records:
        key = case_key(record)
        if key not in by_case or (record.measurement and not by_case[key].measurement):
            by_case[key] = record
    return by_case


def _compared(
    now: Record | None, before: Record | None, environment: tuple[Change, ...], limits: LossLimits
) -> Compared | None:
    new, old = now and now.measurement, before and before.measurement
    if now and before and new and old:
        inputs = input_changes(before.inputs, now.inputs)
        pair = _Pair(now, before, new, old, inputs, environment)
        row = _row(now, _answer(pair, limits), old, new, inputs)
        return replace(row, was=before.verdict.status, verdict=_judged(now, before))
    if before and old:
        why = now.verdict.sentence if now else "the case is not in this run"
        row = _row(before, _Answer(CaseOutcome.VANISHED, f"no value any more: {why}"), old, None)
        return replace(row, was=before.verdict.status)
    if now and new:
        why = before.verdict.sentence if before else "the case is not in the earlier run"
        return _row(now, _Answer(CaseOutcome.NEW, f"no value before: {why}"), None, new)
    return None


def _judged(now: Record, before: Record) -> tuple[Change, ...]:
    """Return whether the verdict is another one, and the printed number."""
    printed = (record.claim.text if record.claim else "" for record in (before, now))
    changes = (
        Change("verdict", before.verdict.status, now.verdict.status),
        Change("claimed", *printed),
    )
    return tuple(change for change in changes if change.before != change.now)


def _row(
    record: Record,
    answer: _Answer,
    old: Measurement | None,
    new: Measurement | None,
    inputs: tuple[Change, ...] = (),
) -> Compared:
    return Compared(
        family=record.family,
        model=record.model,
        metric=record.metric,
        precision=record.precision,
        dataset=record.dataset,
        protocol=record.protocol,
        backend=record.backend,
        device=record.device,
        outcome=answer.outcome,
        sentence=answer.sentence,
        before=old.value if old else None,
        now=new.value if new else None,
        inputs=inputs,
        comparison=answer.comparison,
    )


def _answer(pair: _Pair, limits: LossLimits) -> _Answer:
    same_inputs = bool(pair.now.fingerprint) and pair.now.fingerprint == pair.before.fingerprint
    same_values = (pair.new.value, pair.new.images) == (pair.old.value, pair.old.images)
    # Before the values: equal ones that answer different questions are no success.
    hindrance = "" if same_inputs else _hindrance(pair)
    if hindrance:
        return _Answer(CaseOutcome.NOT_COMPARABLE, hindrance)
    if same_values:
        outcome = CaseOutcome.SAME if same_inputs else CaseOutcome.WITHIN
        return _Answer(outcome, "the same values to the last digit")
    if pair.now.metric in STATIC_METRICS:
        answer = _cost(pair)
    elif pair.now.metric in TIMED_METRICS:
        answer = _latency(pair, limits.latency_percent)
    else:
        answer = _images(pair, limits)
    return replace(answer, sentence=f"{answer.sentence}; {_causes(pair)}")


def _hindrance(pair: _Pair) -> str:
    """Return why the two values answer different questions, or may; empty if they do not."""
    if not pair.now.inputs or not pair.before.inputs:
        which = "this run" if not pair.now.inputs else "the earlier run"
        return f"{which} does not record its inputs: measure it again with this sr-bench"
    names = [change.name for change in pair.inputs if change.name in NEVER_COMPARABLE]
    if names:
        return f"{' and '.join(names)} changed, so the two values answer different questions"
    return ""


def _causes(pair: _Pair) -> str:
    """Return what may have moved the value."""
    names = [change.name for change in pair.inputs]
    causes = [*names, *(str(change) for change in pair.environment if change.name not in names)]
    return f"changed: {', '.join(causes)}" if causes else "nothing that is recorded changed"


def _cost(pair: _Pair) -> _Answer:
    """Costs are counted: any difference is one, and less is better."""
    new, old = (
        measured.value if measured.exact is None else measured.exact
        for measured in (pair.new, pair.old)
    )
    if new > old:
        return _Answer(CaseOutcome.LOSS, f"{new - old:g} more")
    return _Answer(CaseOutcome.GAIN, f"{old - new:g} less")


def _latency(pair: _Pair, limit: float) -> _Answer:
    """Judge a median, or what goes with it, by the limit; a time also by its rounds' spread."""
    moved = [c.name for c in pair.environment if c.name in _SAME_MACHINE]
    if pair.now.device != pair.before.device:
        moved.append("device")
    if moved:
        return _Answer(CaseOutcome.NOT_COMPARABLE, f"measured on another {' and '.join(moved)}")
    if not (0 < pair.old.value < inf and 0 < pair.new.value < inf):
        return _Answer(CaseOutcome.NOT_COMPARABLE, "expected two times above 0")
    rise = pair.new.value - pair.old.value
    percent = 100 * rise / pair.old.value
    sentence, noise = f"{percent:+.1f} %, with {limit:g} % allowed", 0.0
    if pair.now.metric == LATENCY_METRIC:
        noise = pair.new.notes.get("iqr_ms", 0.0) + pair.old.notes.get("iqr_ms", 0.0)
        sentence += f" and a spread of {noise:.3g} ms"
    rise = -rise if metric_info(pair.now.metric).higher_is_better else rise
    if abs(percent) <= limit or abs(rise) <= noise:
        return _Answer(CaseOutcome.WITHIN, sentence)
    return _Answer(CaseOutcome.LOSS if rise > 0 else CaseOutcome.GAIN, sentence)


def _images(pair: _Pair, limits: LossLimits) -> _Answer:
    metric = pair.now.metric
    try:
        comparison = compare_records(pair.now, pair.before, limits)
    except MetricError as cause:
        where = f"{pair.now.model} {pair.now.precision} {metric}"
        raise cause.about(where) from cause
    drop, outcome = comparison.drop, CaseOutcome.NOT_COMPARABLE
    if drop is not None:
        surely_better = comparison.status is Status.WITHIN and drop.high95 < -comparison.limit
        outcome = CaseOutcome.GAIN if surely_better else CaseOutcome(comparison.status.value)
    return _Answer(outcome, comparison.sentence, comparison)
