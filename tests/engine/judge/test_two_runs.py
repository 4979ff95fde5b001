"""Two sessions are compared where their inputs allow it, and only there."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest

from sr_bench.core.codec import decode, encode
from sr_bench.core.compare import CaseOutcome, Compared, LossLimits
from sr_bench.core.history import Environment, PastSession, SessionInfo
from sr_bench.core.record import ImageScore, Measurement, Record
from sr_bench.engine.judge.interval import FEWEST
from sr_bench.engine.judge.two_runs import compare_runs
from sr_bench.errors import MetricError
from tests.report.records import record, without_value
from tests.sessions import ENVIRONMENT

INPUTS = {"network": "n1", "precision": "p1", "data": "d1", "protocol": "e1", "device": "cpu"}
VALUES = tuple(np.linspace(30.0, 34.0, FEWEST).tolist())


def of_session(*records: Record, environment: Environment = ENVIRONMENT) -> PastSession:
    return PastSession(SessionInfo("run", "", environment), records, Path("run.jsonl"), Path())


def scored(
    values: Sequence[float] = VALUES, *, metric: str = "psnr", fingerprint: str = "", **inputs: str
) -> Record:
    images = tuple(ImageScore(f"{i}.png", value) for i, value in enumerate(values))
    mean = sum(values) / len(values)
    measurement = Measurement(metric, "", mean, images, len(images))
    base = replace(record(None, mean, metric=metric), measurement=measurement)
    return replace(base, inputs=INPUTS | inputs, fingerprint=fingerprint or str(inputs))


def lowered(by: float, spread: float = 0.001) -> list[float]:
    return [value - by - spread * (value - 32.0) for value in VALUES]


def compare(now: Record, before: Record, **limits: float) -> Compared:
    (case,) = compare_runs(of_session(now), of_session(before), LossLimits(**limits))
    return case


def test_equal_inputs_and_values_are_the_same() -> None:
    case = compare(scored(), scored())
    assert (case.outcome, case.inputs) == (CaseOutcome.SAME, ())
    assert (case.before, case.now) == (32.0, 32.0)


def test_equal_values_of_other_inputs_are_within() -> None:
    case = compare(scored(network="n2"), scored())
    assert case.outcome is CaseOutcome.WITHIN
    assert case.sentence == "the same values to the last digit"


def test_equal_means_of_other_images_are_not_the_same() -> None:
    swapped = [*VALUES[1:], VALUES[0]]
    case = compare(scored(swapped, fingerprint="f"), scored(fingerprint="f"))
    assert case.outcome is CaseOutcome.UNDECIDED


@pytest.mark.parametrize(
    ("by", "spread", "outcome"),
    [
        (0.002, 0.001, CaseOutcome.WITHIN),
        (0.05, 0.001, CaseOutcome.LOSS),
        (0.01, 0.05, CaseOutcome.UNDECIDED),
        (-0.005, 0.001, CaseOutcome.WITHIN),
        (-0.05, 0.001, CaseOutcome.GAIN),
        (-0.02, 0.03, CaseOutcome.WITHIN),
        (-0.02, 0.15, CaseOutcome.UNDECIDED),
    ],
)
def test_a_drop_is_judged_image_by_image(by: float, spread: float, outcome: CaseOutcome) -> None:
    case = compare(scored(lowered(by, spread), network="n2"), scored())
    assert case.outcome is outcome
    assert case.comparison is not None
    assert case.comparison.drop is not None
    assert case.comparison.drop.mean == pytest.approx(by)
    assert case.before == pytest.approx((case.now or 0) + by)


@pytest.mark.parametrize(
    ("metric", "option", "default"),
    [("psnr", "psnr_db", 0.01), ("ssim", "ssim", 0.0005), ("fidelity", "fidelity_db", 0.5)],
)
def test_each_metric_has_its_limit(metric: str, option: str, default: float) -> None:
    before = scored(metric=metric, fingerprint="a")
    worse = scored(lowered(1.2 * default, 1e-6), metric=metric, fingerprint="b")
    fine = scored(lowered(0.8 * default, 1e-6), metric=metric, fingerprint="b")
    assert compare(worse, before).outcome is CaseOutcome.LOSS
    assert compare(fine, before).outcome is CaseOutcome.WITHIN
    assert compare(worse, before, **{option: 2 * default}).outcome is CaseOutcome.WITHIN


def test_the_likely_causes_are_named() -> None:
    newer = replace(ENVIRONMENT, packages={"numpy": "2.1"})
    now = of_session(scored(lowered(0.05), network="n2", backend="b2"), environment=newer)
    (case,) = compare_runs(now, of_session(scored()), LossLimits())
    assert case.outcome is CaseOutcome.LOSS
    assert [change.name for change in case.inputs] == ["network", "backend"]
    assert case.sentence.endswith("; changed: network, backend, numpy 2.0 -> 2.1")
    assert "most on '35.png'" in case.sentence


def test_a_cause_is_named_once() -> None:
    newer = replace(ENVIRONMENT, cpu="new")
    now = of_session(scored(lowered(0.05), cpu="new"), environment=newer)
    (case,) = compare_runs(now, of_session(scored()), LossLimits())
    assert case.sentence.endswith("; changed: cpu")


def test_a_change_without_a_cause_says_so() -> None:
    case = compare(scored(lowered(0.05), fingerprint="f"), scored(fingerprint="f"))
    assert case.outcome is CaseOutcome.LOSS
    assert case.sentence.endswith("; nothing that is recorded changed")


@pytest.mark.parametrize("name", ["data", "protocol", "shape", "rule"])
def test_another_question_is_not_comparable(name: str) -> None:
    case = compare(scored(network="n2", **{name: "other"}), scored())
    assert (case.outcome, case.comparable) == (CaseOutcome.NOT_COMPARABLE, False)
    assert case.sentence.startswith(f"{name} changed, so")
    assert [change.name for change in case.inputs] == ["network", name]
    assert (case.before, case.now, case.comparison) == (32.0, 32.0, None)


def test_all_reasons_against_a_comparison_are_named() -> None:
    case = compare(scored(data="d2", protocol="e2"), scored())
    assert case.sentence.startswith("data and protocol changed")


@pytest.mark.parametrize(("which", "message"), [(0, "this run"), (1, "the earlier run")])
def test_a_run_that_does_not_record_its_inputs_is_not_comparable(which: int, message: str) -> None:
    pair = [scored(fingerprint="a"), scored(fingerprint="b")]
    pair[which] = replace(pair[which], inputs={})
    case = compare(pair[0], pair[1])
    assert case.outcome is CaseOutcome.NOT_COMPARABLE
    assert case.sentence.startswith(f"{message} does not record")


def test_equal_fingerprints_make_up_for_inputs_that_are_not_recorded() -> None:
    old, new = (replace(scored(v), inputs={}, fingerprint="f") for v in (VALUES, lowered(0.05)))
    assert compare(new, old).outcome is CaseOutcome.LOSS
    unknown = replace(old, fingerprint="")
    assert compare(unknown, unknown).outcome is CaseOutcome.NOT_COMPARABLE


def test_images_without_a_partner_are_undecided_or_not_comparable() -> None:
    fewer = scored(VALUES[:3], fingerprint="b")
    assert compare(fewer, scored(fingerprint="a")).outcome is CaseOutcome.UNDECIDED
    assert fewer.measurement is not None
    others = tuple(ImageScore("x" + score.image, score.value) for score in fewer.measurement.images)
    strange = replace(fewer, measurement=replace(fewer.measurement, images=others))
    assert compare(strange, scored(fingerprint="a")).outcome is CaseOutcome.NOT_COMPARABLE


def test_new_and_vanished_cases_are_listed_in_order() -> None:
    a, b, c = (replace(scored(), model=name) for name in "abc")
    cases = compare_runs(of_session(c, a), of_session(a, b), LossLimits())
    assert [(case.model, case.outcome) for case in cases] == [
        ("c", CaseOutcome.NEW),
        ("a", CaseOutcome.SAME),
        ("b", CaseOutcome.VANISHED),
    ]
    assert [(case.before, case.now) for case in cases] == [(None, 32.0), (32.0, 32.0), (32.0, None)]
    assert cases[0].sentence == "no value before: the case is not in the earlier run"
    assert cases[2].sentence == "no value any more: the case is not in this run"
    assert [case.bad for case in cases] == [False, False, True]


def test_a_value_that_is_gone_says_why() -> None:
    unmeasured = without_value(scored(), "the weights are absent")
    case = compare(unmeasured, scored())
    assert (case.outcome, case.device) == (CaseOutcome.VANISHED, "cpu")
    assert case.sentence == "no value any more: the weights are absent"
    assert compare(scored(), unmeasured).sentence == "no value before: the weights are absent"


def test_what_neither_run_measured_is_left_out() -> None:
    unmeasured = without_value(scored())
    assert compare_runs(of_session(unmeasured), of_session(unmeasured), LossLimits()) == ()
    assert compare_runs(of_session(unmeasured), of_session(), LossLimits()) == ()


@pytest.mark.parametrize(
    "field", ["family", "model", "metric", "precision", "dataset", "protocol", "backend"]
)
def test_cases_that_differ_in_anything_are_different_cases(field: str) -> None:
    cases = compare_runs(
        of_session(replace(scored(), **{field: "ssim"})), of_session(scored()), LossLimits()
    )
    assert [case.outcome for case in cases] == [CaseOutcome.NEW, CaseOutcome.VANISHED]


def test_of_two_records_of_a_case_the_one_with_a_value_counts() -> None:
    unmeasured = without_value(scored())
    for pair in ((unmeasured, scored()), (scored(), unmeasured)):
        (case,) = compare_runs(of_session(*pair), of_session(scored()), LossLimits())
        assert case.outcome is CaseOutcome.SAME
    other = scored(lowered(1.0), network="n2")
    (case,) = compare_runs(of_session(scored(), other), of_session(scored()), LossLimits())
    assert case.outcome is CaseOutcome.SAME


def cost(exact: int, **changes: str) -> Record:
    measurement = Measurement("flops", "G", exact / 1e9, exact=exact)
    base = replace(record(None, 1.0, metric="flops"), measurement=measurement)
    return replace(base, inputs={"network": str(exact)}, fingerprint=str(exact), **changes)


def test_costs_are_equal_or_not_whatever_the_backend() -> None:
    assert compare(cost(10**12), cost(10**12, backend="torch")).outcome is CaseOutcome.SAME
    case = compare(cost(10**12 + 1), cost(10**12))
    assert (case.outcome, case.sentence) == (CaseOutcome.LOSS, "1 more; changed: network")
    assert compare(cost(10**12 - 1), cost(10**12)).outcome is CaseOutcome.GAIN


def test_costs_without_an_exact_count_are_compared_by_value() -> None:
    first = cost(10**9)
    assert first.measurement is not None
    rounded = replace(first.measurement, exact=None, value=2.0)
    before = replace(first, measurement=replace(rounded, value=1.5), fingerprint="x")
    assert compare(replace(first, measurement=rounded), before).outcome is CaseOutcome.LOSS


def latency(ms: float, *, iqr_ms: float = 0.0, device: str = "cpu") -> Record:
    measurement = Measurement("latency", "ms", ms, notes={"iqr_ms": iqr_ms})
    base = replace(record(None, ms, metric="latency"), measurement=measurement, device=device)
    return replace(base, inputs=INPUTS | {"device": device}, fingerprint=device)


@pytest.mark.parametrize(
    ("ms", "iqr_ms", "outcome"),
    [
        (109.0, 0.0, CaseOutcome.WITHIN),
        (112.0, 0.0, CaseOutcome.LOSS),
        (112.0, 6.0, CaseOutcome.WITHIN),
        (112.0, 5.9, CaseOutcome.LOSS),
        (91.0, 0.0, CaseOutcome.WITHIN),
        (88.0, 0.0, CaseOutcome.GAIN),
        (inf, 0.0, CaseOutcome.NOT_COMPARABLE),
        (0.0, 0.0, CaseOutcome.NOT_COMPARABLE),
    ],
)
def test_latency_is_judged_beyond_the_limit_and_the_noise(
    ms: float, iqr_ms: float, outcome: CaseOutcome
) -> None:
    case = compare(latency(ms, iqr_ms=iqr_ms), latency(100.0, iqr_ms=iqr_ms))
    assert case.outcome is outcome


def test_the_limit_of_latency_can_be_chosen() -> None:
    assert compare(latency(140), latency(100), latency_percent=50).outcome is CaseOutcome.WITHIN
    assert compare(latency(140), latency(100), latency_percent=5).outcome is CaseOutcome.LOSS
    assert compare(latency(140), latency(0)).outcome is CaseOutcome.NOT_COMPARABLE


@pytest.mark.parametrize("change", [{"cpu": "another"}, {"cores": 4}])
def test_latency_of_another_machine_is_not_comparable(change: dict[str, object]) -> None:
    now = of_session(latency(150.0), environment=replace(ENVIRONMENT, **change))
    (case,) = compare_runs(now, of_session(latency(100.0)), LossLimits())
    assert case.outcome is CaseOutcome.NOT_COMPARABLE
    assert case.sentence.startswith(f"measured on another {next(iter(change))}")


def test_latency_of_another_device_is_not_comparable() -> None:
    case = compare(latency(150.0, device="cuda"), latency(100.0))
    assert case.sentence.startswith("measured on another device")
    assert case.outcome is CaseOutcome.NOT_COMPARABLE


@pytest.mark.parametrize(("by", "outcome"), [(-1, CaseOutcome.LOSS), (1, CaseOutcome.GAIN)])
def test_a_rise_is_a_loss_where_lower_is_better(by, outcome) -> None:
    case = compare(scored(lowered(by), metric="mae", fingerprint="a"), scored(metric="mae"))
    assert case.outcome is outcome
    assert f"MAE rises by {-by}.0000 levels on average" in case.sentence


def test_a_score_that_is_not_a_number_is_named() -> None:
    with pytest.raises(MetricError, match="m_x2 fp32 psnr: expected a score of each image"):
        compare(scored([float("nan"), 1, 2, 3, 4], fingerprint="a"), scored(fingerprint="b"))


def test_a_result_survives_as_json() -> None:
    case = compare(scored(lowered(0.05), network="n2"), scored())
    assert decode(Compared, encode(case)) == case
