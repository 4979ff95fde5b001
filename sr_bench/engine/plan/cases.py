"""Plan: turn the claims of a suite and the options of a session into cases."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.case import (
    COST_METRICS,
    GATE_METRIC,
    IMAGE_METRICS,
    LATENCY_METRIC,
    STATIC_METRICS,
    TIMED_METRICS,
    Case,
    same_backend,
)
from sr_bench.core.claim import Blank, Claim, split_scale
from sr_bench.core.metric import image_metrics, is_measured
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.refusals import why_refused, why_untimed
from sr_bench.engine.plan.suite import Suite


def plan(suite: Suite, selection: Selection) -> tuple[Case, ...]:
    """Return the cases of `suite` that `selection` asks for, in the document's order.

    There is one case for each claim. A precision or dataset that is named in the options and
    that the document has no number for is measured all the same, as a case without a claim.
    """
    cases: list[Case] = []
    for model, claims in suite.claims:
        if selection.wants_model(model.name):
            model = replace(model, trusted=selection.trust_code)
            blanks = suite.blanks.get(model.name, ()) if selection.blanks else ()
            claimed = list(_told_apart(_printed(model, (*claims, *blanks), selection)))
            asked = [*claimed, *_requested(model, claims, claimed, selection)]
            cases += asked
            cases += _gates(model, asked, selection)  # last: what they judge is then measured
    return tuple(cases)


def _gates(model: ModelCard, asked: list[Case], selection: Selection) -> Iterator[Case]:
    """Yield a gate for each low precision and dataset that this backend measures."""
    if not selection.wants_gate(model):
        return
    scored = (case for case in asked if case.metric not in TIMED_METRICS)
    low = (case for case in scored if not case.precision.is_full)
    yield from _once(low, selection.answers, GATE_METRIC, lambda case: case.run_key)


def latency_cases(cases: Iterable[Case], answers: str) -> Iterator[Case]:
    """Yield what to time: once, each network and precision that is scored on images.

    Args:
        cases: The plan of one suite.
        answers: The backend whose rows the session answers.
    """
    return _once(cases, answers, LATENCY_METRIC, lambda case: (case.card.name, case.precision))


def _once(
    cases: Iterable[Case], answers: str, metric: str, key: Callable[[Case], object]
) -> Iterator[Case]:
    """Yield the question of `metric` about each run of `cases` that `answers` makes, by `key`."""
    firsts: dict[object, Case] = {}
    for case in cases:
        if case.run_key and case.is_about(answers):
            firsts.setdefault(key(case), case)
    for case in firsts.values():
        yield replace(case, metric=metric, claim=None, blank=None, twin=0)


def _printed(
    model: ModelCard, cells: Iterable[Claim | Blank], selection: Selection
) -> Iterator[Case]:
    """Yield a case for each cell, if it has a number or this backend can fill it."""
    for cell in cells:
        claim, blank = (cell, None) if isinstance(cell, Claim) else (None, cell)
        precision = model.measured_in(cell.precision)
        evaluation = _evaluation_of(model, cell)
        case = Case(model, cell.metric, precision, selection.backend, evaluation, claim, blank)
        why = why_refused(model, cell.metric, precision, evaluation, cell) or why_untimed(case)
        about = cell.metric in COST_METRICS or same_backend(cell.backend, selection.answers)
        if blank and (why or not about):  # nothing here could be written into it
            continue
        case = replace(case, refusal=why)
        if _wanted(case, selection):
            yield case


def _told_apart(cases: Iterable[Case]) -> Iterator[Case]:
    """Yield `cases`, of those with one id the second and later ones by their number."""
    seen: Counter[str] = Counter()
    for case in cases:
        seen[case.id] += 1
        number = seen[case.id]
        yield replace(case, twin=number) if number > 1 else case


def _evaluation_of(model: ModelCard, cell: Claim | Blank) -> Evaluation | None:
    """Return what `cell` is about; of a time, whose dataset does not matter, any in its place."""
    if cell.metric in STATIC_METRICS or not is_measured(cell.metric):
        return None
    evaluation = model.claimed_evaluation(cell.precision, cell.dataset, cell.variant)
    if cell.metric not in TIMED_METRICS:
        return evaluation
    return evaluation or next(iter(model.covering(model.measured_in(cell.precision))), None)


def _wanted(case: Case, selection: Selection) -> bool:
    if not selection.wants_precision(case.precision):
        return False
    if case.evaluation is None:  # a cost metric belongs to no dataset
        return not selection.datasets
    return selection.wants_dataset(case.evaluation.dataset, case.card.scale)


def _requested(
    model: ModelCard, claims: tuple[Claim, ...], claimed: list[Case], selection: Selection
) -> Iterator[Case]:
    """Yield what was named in the options and has no claim on this backend.

    By the metrics that all runs have, and by those that `claims` of the model are about.
    """
    if not (selection.precisions or selection.datasets):
        return
    answered = {
        (case.metric, case.precision, case.dataset)
        for case in claimed
        if case.blank or (case.claim and case.is_about(selection.answers))
    }
    printed = (claim.metric for claim in claims if claim.metric in image_metrics())
    metrics = dict.fromkeys((*IMAGE_METRICS, *printed))
    for precision in selection.precisions_named:
        for evaluation in _evaluations(model.covering(precision), model.scale, selection):
            for metric in metrics:
                why = why_refused(model, metric, precision, evaluation)
                case = Case(model, metric, precision, selection.backend, evaluation, refusal=why)
                if (metric, precision, case.dataset) not in answered:
                    # A dataset may be named twice, with its scale.
                    answered.add((metric, precision, case.dataset))
                    yield case


def _evaluations(
    covering: tuple[Evaluation, ...], scale: int, selection: Selection
) -> Iterator[Evaluation]:
    """Yield the evaluations to measure: of the card, or a named dataset by the card's protocol."""
    if not selection.datasets:
        yield from covering[:1]
        return
    for name in selection.datasets:
        slug, named = split_scale(name)
        if named not in (0, scale):
            continue
        declared = [item for item in covering if item.dataset == slug]
        # New, so that it never differs.
        new = [Evaluation(slug, item.protocol, claimed=False) for item in covering]
        yield from (declared or new)[:1]
