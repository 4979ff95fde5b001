"""The verdict follows from the printed digits, the declared slack and the declared gaps."""

import math
from dataclasses import replace

import pytest

from sr_bench.core.card import KnownGap, Tolerance
from sr_bench.core.claim import Claim, Source
from sr_bench.core.precision import Precision
from sr_bench.core.record import ImageScore, Measurement, Status
from sr_bench.engine.judge.claim import judge
from sr_bench.errors import MetricError

GAP = KnownGap("psnr", Precision.FP32, "rows swapped")


def claim(text: str, metric: str = "psnr") -> Claim:
    source = Source("README.md", 9, 30)
    return Claim(metric, text, "M", "", Precision.FP32, "", "3x8x8", "", source)


def measured(value: float, metric: str = "psnr", *, done: int = 2, planned: int = 2) -> Measurement:
    images = tuple(ImageScore(f"{i}.png", value) for i in range(done))
    return Measurement(metric, "dB", value, images, planned)


@pytest.mark.parametrize(
    ("text", "value", "status"),
    [
        ("30.00", 30.0049, Status.MATCH),
        ("30.00", 29.9951, Status.MATCH),
        ("30.00", 30.005, Status.MATCH),
        ("30.00", 30.0051, Status.BETTER),
        ("30.00", 29.9949, Status.DIFFERS),
        ("0.7740", 0.77404, Status.MATCH),
        ("0.7740", 0.77406, Status.BETTER),
        ("30", 30.4, Status.MATCH),
    ],
)
def test_the_band_is_half_a_unit_of_the_last_printed_digit(
    text: str, value: float, status: Status
) -> None:
    assert judge(claim(text), measured(value), tolerance=Tolerance()).status is status


def test_slack_widens_the_band_on_both_sides() -> None:
    slack = Tolerance(0.01, "rounding of two libraries")
    assert judge(claim("30.00"), measured(29.986), tolerance=slack).status is Status.MATCH
    assert judge(claim("30.00"), measured(29.984), tolerance=slack).status is Status.DIFFERS


def test_a_cost_metric_above_the_claim_is_not_better() -> None:
    verdict = judge(claim("1.0", "flops"), measured(1.2, "flops"), tolerance=Tolerance())
    assert verdict.status is Status.DIFFERS


@pytest.mark.parametrize(
    ("value", "status"), [(2.0049, "match"), (1.99, "better"), (2.01, "differs")]
)
def test_a_value_below_the_claim_is_better_where_lower_is(value: float, status: str) -> None:
    verdict = judge(claim("2.00", "mae"), measured(value, "mae"), tolerance=Tolerance())
    assert verdict.status == status


@pytest.mark.parametrize(("value", "status"), [(0.29772, "match"), (0.2969, "differs")])
def test_a_truncated_number_stands_for_the_step_above_it(value: float, status: str) -> None:
    tolerance = Tolerance(digits="truncated")
    verdict = judge(claim("0.297", "params"), measured(value, "params"), tolerance=tolerance)
    assert verdict.status == status


@pytest.mark.parametrize(("value", "status"), [(1.5924, "match"), (1.5926, "differs")])
def test_a_number_in_another_unit_is_judged_in_the_metrics(value: float, status: str) -> None:
    thousands = replace(claim("1592", "params"), unit="K", exponent=-3)
    verdict = judge(thousands, measured(value, "params"), tolerance=Tolerance())
    assert verdict.status == status
    assert verdict.claimed == 1.592
    slack = judge(thousands, measured(value, "params"), tolerance=Tolerance(0.001, "reason"))
    assert slack.status == "match"  # slack is in M


def test_a_known_gap_excuses_a_difference_and_reports_when_it_closes() -> None:
    still = judge(claim("30.00"), measured(28.0), tolerance=Tolerance(), gap=GAP)
    closed = judge(claim("30.00"), measured(30.0), tolerance=Tolerance(), gap=GAP)
    assert (still.status, still.sentence) == (Status.KNOWN_GAP, "rows swapped")
    assert closed.status is Status.GAP_CLOSED


def test_a_measurement_of_some_images_is_shown_and_never_judged() -> None:
    verdict = judge(claim("30.00"), measured(30.0, planned=5), tolerance=Tolerance())
    assert verdict.status is Status.NOT_RUN
    assert verdict.measured == 30.0
    assert "2 of 5 images" in verdict.sentence


def test_without_a_claim_the_value_is_new() -> None:
    verdict = judge(None, measured(30.0), tolerance=Tolerance())
    assert (verdict.status, verdict.measured) == (Status.NEW, 30.0)


def test_identical_images_are_better_than_any_printed_number() -> None:
    assert judge(claim("30.00"), measured(math.inf), tolerance=Tolerance()).status == "better"


def test_nan_is_a_defect() -> None:
    with pytest.raises(MetricError, match="NaN"):
        judge(claim("30.00"), measured(math.nan), tolerance=Tolerance())
