"""Find the known gaps of a card that a run closed for all that they excuse."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sr_bench.core.card import KnownGap, ModelCard
from sr_bench.core.case import GATE_METRIC, STATIC_METRICS, TIMED_METRICS
from sr_bench.core.cell import CellKey
from sr_bench.core.claim import Claim, split_scale
from sr_bench.core.record import Record, Status
from sr_bench.engine.judge.claim import judge
from sr_bench.engine.plan.suite import Suite
from sr_bench.update.choose import why_not

_FAILURE_GONE = (
    "a known failure of the device is gone: remove its [[model.vacc.known_failure]] from the card"
    " by hand, then run the tests again"
)

_Name = CellKey | tuple[str, ...]


@dataclass(frozen=True)
class ClosedGap:
    """A known gap of a card, and a record that shows it closed."""

    model: int
    """Position of the model in the card, from 0."""
    entry: int
    """Position among the model's known gaps, from 0."""
    gap: KnownGap
    record: Record


@dataclass(frozen=True)
class Closing:
    """What an update does to the known gaps of one card."""

    closed: tuple[ClosedGap, ...]
    left_out: tuple[tuple[str, str], ...]
    """Why, and which case."""
    kept: frozenset[CellKey]
    """Cells whose gap stays, so that their numbers must stay too."""


def closing(suite: Suite, records: Sequence[Record], written: Collection[CellKey]) -> Closing:
    """Return which known gaps of `suite`, as it is before this update, leave its card.

    A gap closes if all that it excuses agrees: each printed number that it covers was measured,
    and agrees with what is printed or is written by this update. A gap of a gate closes if the
    gate passed on each dataset.
    """
    # Of a case that was run twice the later record counts.
    newest = tuple({_name(record): record for record in records}.values())
    closed: list[ClosedGap] = []
    left_out: list[tuple[str, str]] = []
    kept: set[CellKey] = set()
    explained: set[_Name] = set()
    for covered in _covered(suite, newest):
        agreeing = [record for record in covered.records if _agrees(record, covered, written)]
        if not agreeing:
            continue
        explained.update(map(_name, covered.records))
        if still_open := list(_open(covered, agreeing)):
            kept.update(CellKey.of(record.claim) for record in agreeing if record.claim)
            left_out += [(_stays(covered, still_open), record.case_id) for record in agreeing]
        else:
            place = covered.position, covered.entry
            closed.append(ClosedGap(*place, covered.gap, agreeing[-1]))
    left_out += [
        (_FAILURE_GONE, record.case_id)
        for record in newest
        if record.verdict.status is Status.GAP_CLOSED and _name(record) not in explained
    ]
    return Closing(tuple(closed), tuple(left_out), frozenset(kept))


@dataclass(frozen=True)
class _Covered:
    """A known gap and what it excuses."""

    position: int  # of the model in the card
    model: ModelCard
    entry: int
    gap: KnownGap
    claims: tuple[Claim, ...]  # of the document as it is now
    records: tuple[Record, ...]


def _covered(suite: Suite, records: Sequence[Record]) -> Iterator[_Covered]:
    printed = {model.name: claims for model, claims in suite.claims}
    for position, model in enumerate(suite.card.models):
        claims = printed.get(model.name, ())
        for entry, gap in enumerate(model.known_gaps):
            excused = tuple(c for c in claims if model.gap_for(*_excused(model, c)) is gap)
            judged = tuple(record for record in records if _gap_of(record, model) is gap)
            yield _Covered(position, model, entry, gap, excused, judged)


def _name(record: Record) -> _Name:
    """Return what names `record` in its suite, however often it was run."""
    if record.claim:
        return CellKey.of(record.claim)
    return record.model, record.metric, record.precision, record.dataset


def _stays(covered: _Covered, still_open: Sequence[str]) -> str:
    gap = covered.gap
    return (
        f"the known gap of {covered.model.name} ({gap.metric} {gap.precision}) stays in the card,"
        f" as it also excuses {', '.join(still_open)}"
    )


def _gap_of(record: Record, model: ModelCard) -> KnownGap | None:
    """Return the known gap of `model` that excuses `record`, if one does."""
    if record.model != model.name or (record.claim is None and record.metric != GATE_METRIC):
        return None
    variant = record.claim.variant if record.claim else ""
    slug, _ = split_scale(record.dataset)
    return model.gap_for(record.metric, record.precision, slug, variant)


def _agrees(record: Record, covered: _Covered, written: Collection[CellKey]) -> bool:
    if why_not(record) or record.measurement is None:
        return False
    if record.claim is None:
        return record.verdict.status is Status.GAP_CLOSED
    if CellKey.of(record.claim) in written:
        return True
    # Judged anew: the status also says so where a known failure of the device is gone.
    precision = covered.model.measured_in(record.claim.precision)
    tolerance = covered.model.tolerance_for(record.metric, precision)
    verdict = judge(record.claim, record.measurement, tolerance=tolerance, gap=covered.gap)
    return (verdict.status, record.verdict.status) == (Status.GAP_CLOSED, Status.GAP_CLOSED)


def _open(covered: _Covered, agreeing: Sequence[Record]) -> Iterator[str]:
    """Yield what the gap excuses and that was not shown to agree."""
    done = {_name(record) for record in agreeing}
    for record in covered.records:
        if _name(record) not in done:
            yield f"{record.case_id} ({record.verdict.status})"
    measured = {_name(record) for record in covered.records}
    for claim in covered.claims:
        if CellKey.of(claim) not in measured:
            yield f"{claim.source} (not in this run)"
    model, gap = covered.model, covered.gap
    gates = model.evaluations if gap.metric == GATE_METRIC else ()
    run = {record.dataset for record in covered.records}
    for gate in gates:
        name = f"{gate.dataset}_x{model.scale}"
        excused = gate.covers(gap.precision) and gap.dataset in ("", gate.dataset)
        if excused and name not in run:
            yield f"its gate on {name} (not in this run)"


def _excused(model: ModelCard, claim: Claim) -> tuple[str, str, str, str]:
    """Return metric, precision, dataset and variant of `claim` as known gaps name them."""
    evaluation = model.claimed_evaluation(claim.precision, claim.dataset, claim.variant)
    cost = claim.metric in (*STATIC_METRICS, *TIMED_METRICS)
    slug = evaluation.dataset if evaluation and not cost else ""
    return claim.metric, model.measured_in(claim.precision), slug, claim.variant
