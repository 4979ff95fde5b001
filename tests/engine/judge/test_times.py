"""A time is judged in percent, by rounds that the tests make up."""

from dataclasses import replace

import pytest

from sr_bench.core.card import KnownGap
from sr_bench.core.precision import Precision
from sr_bench.core.record import Measurement, Status, Verdict
from sr_bench.engine.judge.times import judge_time
from tests.engine.judge.test_claim import claim

CALM = {"spread_percent": 2.0, "rounds": 20.0, "waited_percent": 4.9}


def timed(value: float, metric: str = "latency", **notes: float) -> Measurement:
    return Measurement.of(metric, value, notes=CALM | notes)


def judged(text: str, value: float, metric: str = "latency", **notes: float) -> Verdict:
    return judge_time(claim(text, metric), timed(value, metric, **notes), 10)


@pytest.mark.parametrize(
    ("ms", "status"),
    [
        (100.0, Status.MATCH),
        (109.9, Status.MATCH),
        (91.0, Status.MATCH),
        (110.2, Status.DIFFERS),
        (90.8, Status.BETTER),
    ],
)
def test_ms_and_fps_of_one_time_have_one_verdict(ms: float, status: Status) -> None:
    assert judged("100.0", ms).status is status
    assert judged("10.000", 1000 / ms, "fps").status is status


def test_half_the_last_printed_digit_comes_on_top() -> None:
    assert judged("100", 110.4).status is Status.MATCH
    assert judged("100", 90.5).status is Status.MATCH
    assert judged("3", 3.7).status is Status.MATCH


def test_a_verdict_says_how_far_it_is_and_how_close_the_rounds_are() -> None:
    verdict = judged("100", 120.0)
    assert verdict.sentence == (
        "20.0 % slower than printed, with 10 % allowed; the middle half of 20 rounds spans 2.0 %"
    )
    assert verdict.tolerance == pytest.approx(10.5)
    assert judged("50", 60.0, "fps").sentence.startswith("20.0 % faster than printed")
    assert judged("60", 50.0, "fps").sentence.startswith("20.0 % slower than printed")
    assert judged("60", 20.0, "fps").sentence.startswith("3.0 times slower than printed, with")


@pytest.mark.parametrize(
    ("metric", "text", "value", "status", "said"),
    [
        ("latency", "0", 3.0, Status.DIFFERS, "slower than printed, with"),
        ("fps", "0.0", 30.0, Status.BETTER, "faster than printed, with"),
        ("memory", "120", 0.0, Status.BETTER, "less than printed, with"),
        ("memory", "0", 0.0, Status.MATCH, "as printed, with"),
    ],
)
def test_of_nothing_there_is_no_percent(
    metric: str, text: str, value: float, status: Status, said: str
) -> None:
    verdict = judged(text, value, metric)
    assert verdict.status is status
    assert verdict.sentence.startswith(said)


@pytest.mark.parametrize(
    ("notes", "words"),
    [
        ({"spread_percent": 10.1}, "20 rounds spans 10.1 % of their median, more than the 10 %"),
        ({"waited_percent": 6.0}, "for a core for 6 % of the time, more than half of the 10 %"),
    ],
)
@pytest.mark.parametrize("ms", [100.0, 300.0])
def test_a_busy_machine_decides_nothing(notes: dict[str, float], words: str, ms: float) -> None:
    verdict = judged("100", ms, **notes)
    assert (verdict.status, verdict.measured, verdict.claimed) == (Status.UNDECIDED, ms, 100)
    assert words in verdict.sentence
    assert verdict.tolerance is None  # so no update writes it


def test_a_blank_cell_gets_a_number_of_a_calm_machine_only() -> None:
    assert judge_time(None, timed(5.0), 10).status is Status.NEW
    assert judge_time(None, timed(5.0, spread_percent=11), 10).status is Status.UNDECIDED


def test_memory_has_no_rounds() -> None:
    verdict = judged("100", 130.0, "memory", spread_percent=50)
    assert (verdict.status, verdict.sentence) == (
        Status.DIFFERS,
        "30.0 % more than printed, with 10 % allowed",
    )
    assert judged("100", 80.0, "memory").status is Status.BETTER


def test_a_known_gap_is_one_until_the_time_agrees() -> None:
    gap = KnownGap("latency", Precision.FP32, "of the old board")
    late = judge_time(claim("100", "latency"), timed(200), 10, gap)
    assert (late.status, late.sentence) == (Status.KNOWN_GAP, "of the old board")
    closed = judge_time(claim("100", "latency"), timed(101), 10, gap)
    assert closed.status is Status.GAP_CLOSED
    late = judge_time(claim("100", "latency"), replace(timed(200), notes={}), 10)
    assert late.status is Status.DIFFERS
