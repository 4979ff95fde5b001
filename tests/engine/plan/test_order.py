"""Runs are made by risk, then by age, and the order of collection decides ties."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.case import Case
from sr_bench.core.history import HistoryEntry, PastSession, Point, SessionInfo
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.record import Record, Status, Verdict
from sr_bench.engine.plan.order import Ranked, Risk, prioritize
from tests.core.test_trend import POINT
from tests.sessions import ENVIRONMENT

INT8 = Precision("int8_max")
DIGEST = "ab" * 32


def case(name: str, metric: str = "psnr", precision: Precision = Precision.FP32) -> Case:
    card = ModelCard(name, "zoo", Path("zoo"), "", "", 2, "edsr")
    evaluation = None if metric in ("flops", "params") else Evaluation("set5", EvalProtocol("rgb"))
    return Case(card, metric, precision, "torch", evaluation)


A, B, C, D = map(case, "abcd")


def point(case: Case, **changes: object) -> Point:
    """Return the point of a match with half of its tolerance left."""
    base = replace(
        POINT,
        case_id=case.id,
        model=case.card.name,
        metric=case.metric,
        precision=case.precision,
        dataset=case.dataset,
        protocol="rgb",
        claimed=30.005,
        tolerance=0.01,
        inputs={"weights": DIGEST[:16], "backend": "onnxruntime 1.31.1"},
    )
    return replace(base, **changes)


def entry(day: int, *points: Point) -> HistoryEntry:
    info = SessionInfo(f"run-{day}", f"2026-11-{day:02}T09:00:00+00:00", ENVIRONMENT)
    return HistoryEntry(info, points)


def names(ranked: Sequence[Ranked]) -> list[str]:
    return [f"{run.cases[0].card.name} {run.cases[0].precision}" for run in ranked]


def reasons(ranked: Sequence[Ranked]) -> dict[str, str]:
    return {run.cases[0].card.name: run.reason for run in ranked}


def test_the_classes_of_risk_range_from_free_over_unknown_to_safe() -> None:
    cases = [case(name) for name in ("safe", "thin", "old", "changed", "failed", "new")]
    cases.append(case("counted", "flops"))
    safe, thin, old, changed, failed, _, _ = cases
    entries = [
        entry(1, point(old)),
        entry(
            20,
            point(safe),
            point(thin, value=30.0138),
            point(changed, inputs={"weights": "0" * 16}),
            point(failed, status=Status.DIFFERS),
        ),
    ]
    now = {changed.run_key: {"weights": DIGEST}}
    ranked = prioritize(cases, entries, now)
    assert [(run.cases[0].card.name, run.reason) for run in ranked] == [
        ("counted", "counted, without a run"),
        ("new", "never measured"),
        ("failed", "failed last time"),
        ("changed", "inputs changed: weights"),
        ("old", "measured 19 days ago"),
        ("thin", "thin margin 12 %"),
        ("safe", "measured less than a day ago"),
    ]
    assert [run.risk for run in ranked] == list(Risk)


def test_within_a_class_the_oldest_is_first_and_ties_keep_the_order_of_collection() -> None:
    entries = [entry(8, point(C)), entry(9, point(D), point(A)), entry(10, point(B))]
    ranked = prioritize([A, B, C, D], entries, {})
    assert names(ranked) == ["c fp32", "a fp32", "d fp32", "b fp32"]
    assert reasons(ranked)["a"] == "measured 1 day ago"


@pytest.mark.parametrize("status", [Status.LOSS, Status.MATCH])
def test_among_failed_and_changed_runs_too_the_oldest_is_first(status: Status) -> None:
    entries = [entry(1, point(B, status=status)), entry(10, point(A, status=status))]
    now = {case.run_key: {"weights": "0" * 64} for case in (A, B)}
    assert names(prioritize([A, B], entries, now)) == ["b fp32", "a fp32"]


def test_the_thinnest_margin_is_first() -> None:
    points = point(A, value=30.0138), point(B, value=30.0144), point(C, value=29.9962)
    assert names(prioritize([A, B, C], [entry(1, *points)], {})) == ["b fp32", "a fp32", "c fp32"]


@pytest.mark.parametrize(
    ("value", "risk"),
    [(30.0129, Risk.MEASURED), (30.0131, Risk.THIN), (30.02, Risk.MEASURED), (None, Risk.MEASURED)],
)
def test_a_margin_is_thin_below_a_fifth_of_the_tolerance_if_the_claim_is_not_missed(
    value: float | None, risk: Risk
) -> None:
    (run,) = prioritize([A], [entry(1, point(A, value=value, status=Status.KNOWN_GAP))], {})
    assert run.risk is risk


def test_a_week_unmeasured_precedes_thin_margins_and_a_day_less_does_not() -> None:
    thin = point(B, value=30.0138)
    for day, first in ((3, "a fp32"), (4, "b fp32")):
        assert names(prioritize([A, B], [entry(day, point(A)), entry(10, thin)], {}))[0] == first


@pytest.mark.parametrize("status", ["differs", "better", "gap_closed", "error", "loss"])
def test_what_failed_last_time_is_due_also_if_it_was_left_out_since(status: str) -> None:
    failed = point(A, status=Status(status), value=None if status == "error" else 30.0)
    left_out = point(A, status=Status.NOT_RUN, value=None, images=0, planned=0)
    (run,) = prioritize([A], [entry(1, failed), entry(2, left_out)], {})
    assert run.reason == "failed last time"


def test_what_passed_since_is_not_due_for_an_old_failure() -> None:
    entries = [entry(1, point(A, status=Status.ERROR)), entry(2, point(A))]
    assert prioritize([A], entries, {})[0].risk is Risk.MEASURED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"value": None, "images": 0, "planned": 0}, "never measured"),
        ({"images": 2}, "never measured"),  # --sr-limit, or the budget
        ({}, "measured less than a day ago"),  # an emulated value beside a device's claim
    ],
)
def test_what_was_not_run_counts_as_measured_only_with_all_images(
    changes: dict[str, object], reason: str
) -> None:
    entries = [entry(1, point(A, status=Status.NOT_RUN, **changes))]
    assert prioritize([A], entries, {})[0].reason == reason


def test_what_was_judged_early_counts_as_measured() -> None:
    assert prioritize([A], [entry(1, point(A, images=3))], {})[0].risk is Risk.MEASURED


def test_a_run_is_as_urgent_as_the_most_urgent_of_its_cases_and_as_old_as_the_oldest() -> None:
    ssim = case("a", "ssim")
    entries = [entry(1, point(ssim)), entry(4, point(A))]
    (run,) = prioritize([A, ssim], entries, {})
    assert (run.cases, run.reason) == ((A, ssim), "measured 3 days ago")
    entries.append(entry(5, point(ssim, status=Status.ERROR)))
    assert prioritize([A, ssim], entries, {})[0].reason == "failed last time"


def test_a_case_without_a_result_does_not_hide_the_results_of_others_of_its_run() -> None:
    other_device = case("a", "ssim")
    entries = [entry(4, point(A), point(other_device, status=Status.NOT_RUN, value=None))]
    assert prioritize([other_device, A], entries, {})[0].risk is Risk.MEASURED


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ({"weights": DIGEST, "backend": "onnxruntime 1.31.1"}, "measured less than a day ago"),
        ({"weights": DIGEST[:16] + "0" * 48}, "measured less than a day ago"),  # all that is kept
        (
            {"weights": "0" * 64, "backend": "onnxruntime 1.31.2"},
            "inputs changed: weights, backend",
        ),
        ({"plan": "new"}, "inputs changed: plan"),
    ],
)
def test_inputs_are_compared_as_far_as_history_keeps_them(now: dict[str, str], reason: str) -> None:
    entries = [entry(1, point(A), point(case("a", "ssim")))]
    ranked = prioritize([A, case("a", "ssim")], entries, {A.run_key: now})
    assert ranked[0].reason == reason


def test_inputs_that_history_does_not_know_are_not_a_change() -> None:
    entries = [entry(1, point(A, inputs={}))]
    assert prioritize([A], entries, {A.run_key: {"weights": DIGEST}})[0].risk is Risk.MEASURED


def test_a_run_without_a_time_counts_as_the_oldest() -> None:
    lost = HistoryEntry(SessionInfo("lost", "", ENVIRONMENT), (point(B),))
    ranked = prioritize([A, B], [lost, entry(1, point(A)), entry(30)], {})
    assert names(ranked) == ["b fp32", "a fp32"]
    assert reasons(ranked)["b"] == "measured, nothing says when"


def test_ages_are_counted_from_the_newest_run_wherever_it_stands() -> None:
    entries = [entry(5), entry(1, point(A))]
    assert prioritize([A], entries, {})[0].reason == "measured 4 days ago"


def test_fp32_goes_right_before_the_first_gated_run_that_needs_it() -> None:
    fp32, low, gate = case("b"), case("b", precision=INT8), case("b", "fidelity", INT8)
    entries = [entry(1, point(A)), entry(2, point(fp32), point(low, status=Status.DIFFERS))]
    assert names(prioritize([A, fp32, low, gate], entries, {})) == [
        "b fp32",
        "b int8_max",
        "a fp32",
    ]
    without_gate = prioritize([A, fp32, low], entries, {})
    assert names(without_gate) == ["b int8_max", "a fp32", "b fp32"]


def test_a_gate_stays_with_its_run_and_all_costs_stand_together() -> None:
    low, gate = case("a", precision=INT8), case("a", "fidelity", INT8)
    elsewhere = case("b", "params")
    elsewhere = replace(elsewhere, card=replace(elsewhere.card, folder=Path("other")))
    flops = case("a", "flops")
    ranked = prioritize([low, flops, gate, elsewhere], [], {})
    assert [run.cases for run in ranked] == [(flops, elsewhere), (low, gate)]
    assert [run.run_key for run in ranked] == ["", low.run_key]


def test_models_of_the_same_name_in_two_zoos_are_two_runs() -> None:
    other = replace(A, card=replace(A.card, folder=Path("other")))
    assert len(prioritize([A, other], [], {})) == 2


def test_a_value_of_another_backend_is_not_of_this_run() -> None:
    assert prioritize([A], [entry(1, point(A, backend="vacc"))], {})[0].risk is Risk.NEVER


def past(*seconds: tuple[Case, float]) -> PastSession:
    def record(case: Case, took: float) -> Record:
        texts = (case.card.name, case.metric, "fp32", case.dataset, case.backend, "cpu", "rgb", "")
        return Record(case.id, "", "zoo", *texts, Verdict(Status.MATCH, ""), seconds=took)

    records = tuple(record(case, took) for case, took in seconds)
    return PastSession(SessionInfo("r", "", ENVIRONMENT), records, Path(), Path())


def test_the_seconds_are_those_of_all_its_cases_in_the_run_that_took_longest() -> None:
    ssim = case("a", "ssim")
    runs = [past((A, 40.0), (ssim, 2.0), (B, 7.0)), past((A, 0.5), (ssim, 0.5))]
    ranked = prioritize([A, ssim, B, C], [], {}, runs)
    assert [run.seconds for run in ranked] == [42.0, 7.0, None]


def test_the_seconds_of_a_count_are_known_whatever_the_backend_was() -> None:
    flops = case("a", "flops")
    (run,) = prioritize([flops], [], {}, [past((replace(flops, backend="vacc"), 3.0))])
    assert run.seconds == 3.0


def test_without_cases_there_is_no_work() -> None:
    assert prioritize([], [entry(1, point(A))], {}) == ()


def test_a_tolerance_without_bound_is_not_a_thin_margin() -> None:
    entries = [entry(1, point(A, tolerance=math.inf)), entry(1, point(B, tolerance=0.0))]
    assert {run.risk for run in prioritize([A, B], entries, {})} == {Risk.MEASURED}
