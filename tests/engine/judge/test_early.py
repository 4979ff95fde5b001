"""A run is judged early only where what was measured decides, however the rest turns out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from sr_bench.core.card import Evaluation, KnownGap, ModelCard, Tolerance
from sr_bench.core.case import Case
from sr_bench.core.claim import Claim, Source
from sr_bench.core.int8 import Gate
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.record import ImageScore, Measurement, Record, Status, Verdict
from sr_bench.engine.job import ImageResult
from sr_bench.engine.judge.early import (
    Look,
    confidence,
    enough,
    fewest,
    look_at_claim,
    look_at_gate,
    measuring_order,
    planned_looks,
    verdict_early,
)
from sr_bench.engine.judge.interval import mean_interval
from sr_bench.engine.measure.baseline import baseline_of
from sr_bench.engine.score.fidelity import Fidelity
from sr_bench.errors import MetricError

IMAGES = 100
SOURCE = Source("README.md", 9, 30)
CLAIM = Claim("psnr", "30.000", "M", "", Precision.FP32, "", "", "", SOURCE)
SLACK = Tolerance(0.0005, "summation order")
"""The band is 29.999 to 30.001 dB."""

GENERATOR = np.random.default_rng(2)
BEFORE = GENERATOR.normal(0, 4, IMAGES)
BEFORE += 30.0 - BEFORE.mean()
BASELINE = {str(i): float(value) for i, value in enumerate(BEFORE)}
NOISE = GENERATOR.normal(0, 1, IMAGES)


def results(moved: Sequence[float] | np.ndarray, n: int = IMAGES) -> list[ImageResult]:
    """Return `n` images, in order, that moved since the baseline."""
    return [ImageResult(str(i), {"psnr": BEFORE[i] + moved[i]}) for i in range(n)]


def look(moved: Sequence[float] | np.ndarray, n: int, tolerance: Tolerance = SLACK) -> Look:
    return look_at_claim(CLAIM, tolerance, results(moved, n), BASELINE, IMAGES)


# When and in which order.


@pytest.mark.parametrize(
    ("planned", "sizes"),
    [(1, ()), (8, ()), (9, (8,)), (16, (8,)), (17, (8, 16)), (100, (8, 16, 32, 64))],
)
def test_looks_are_at_8_images_and_each_doubling_below_all(
    planned: int, sizes: tuple[int, ...]
) -> None:
    assert planned_looks(planned) == sizes


def test_all_looks_together_may_miss_in_a_fortieth_of_cases() -> None:
    for planned in (9, 100, 1000):
        missed = [1 - confidence(planned) for _ in planned_looks(planned)]
        assert sum(missed) == pytest.approx(0.025)


@pytest.mark.parametrize("planned", [1, 12, 40, 100, 109, 500])
def test_nothing_is_cleared_before_one_of_a_twentieth_is_drawn_but_for_a_fortieth(
    planned: int,
) -> None:
    hidden = math.ceil(planned / 20)

    def missed(n: int) -> float:
        return math.comb(planned - hidden, n) / math.comb(planned, n)

    assert missed(fewest(planned)) <= 0.025 < missed(fewest(planned) - 1)


def test_the_order_depends_on_the_seed_alone_and_holds_each_image_once() -> None:
    order = measuring_order(IMAGES, "a")
    assert sorted(order) == list(range(IMAGES))
    assert order == measuring_order(IMAGES, "a") != measuring_order(IMAGES, "b")
    assert measuring_order(5, "a") == (3, 4, 1, 2, 0)  # on any machine, in any version


def test_every_image_is_as_likely_to_be_left_out() -> None:
    drawn = np.zeros(20)
    for seed in range(2000):
        drawn[list(measuring_order(20, str(seed))[:8])] += 1
    assert (abs(drawn / 2000 - 0.4) < 0.05).all()


# Claims.


def test_images_that_did_not_move_clear_only_when_few_can_hide_others() -> None:
    still = np.zeros(IMAGES)
    assert [look(still, n).decided for n in (8, 32, 63, 64, 99)] == [*["open"] * 3, *["clears"] * 2]
    assert look(still, 64).interval == pytest.approx((30.0, 30.0), abs=1e-12)


def test_what_was_wrong_and_did_not_move_is_not_broken_before_either() -> None:
    shifted = np.full(IMAGES, -0.01)
    assert [look(shifted, n).decided for n in (8, 32, 64)] == ["open", "open", "breaks"]


def test_images_that_all_moved_break_at_the_first_look() -> None:
    found = look(-0.02 + 0.005 * NOISE, 8)
    assert (found.n, found.planned, found.decided) == (8, IMAGES, "breaks")
    assert verdict_early(CLAIM, SLACK, found).status is Status.DIFFERS
    better = look(0.02 + 0.005 * NOISE, 8)
    assert verdict_early(CLAIM, SLACK, better).status is Status.BETTER


def test_the_decision_follows_the_document_way_of_cutting_numbers() -> None:
    up = np.full(IMAGES, 0.0009)
    assert look(up, 64, Tolerance(digits="truncated")).decided == "clears"
    assert look(up, 64, Tolerance()).decided == "breaks"
    down = np.full(IMAGES, -0.0001)
    assert look(down, 64, Tolerance(digits="truncated")).decided == "breaks"


def test_an_interval_that_reaches_over_the_edge_of_the_band_decides_nothing() -> None:
    for mean in (-0.001, 0.0, 0.001):
        assert look(mean + 0.02 * NOISE, 64).decided == "open"
    assert look(-0.001 + 0.0005 * (NOISE - NOISE[:64].mean()), 64).decided == "open"


def test_a_single_broken_image_that_was_drawn_keeps_it_open() -> None:
    moved = np.zeros(IMAGES)
    moved[10] = -1.0
    assert [look(moved, n).decided for n in (16, 32, 64)] == ["open"] * 3


@pytest.mark.parametrize("n", [8, 64])
def test_the_estimate_counts_what_is_left_as_moved_like_what_was_measured(n: int) -> None:
    moved = 0.01 * NOISE
    rest = BEFORE[n:] + moved[:n].mean()
    expected = ((BEFORE + moved)[:n].sum() + rest.sum()) / IMAGES
    assert look(moved, n).estimate == pytest.approx(expected, abs=1e-12)


def test_the_interval_shrinks_with_the_rest_and_allows_for_extremes_among_it() -> None:
    moved = 0.01 * NOISE
    drawn = mean_interval(moved[:64].tolist(), 1 - 0.025 / 4)
    estimate, extreme = 30.0 + drawn.mean, 0.36 * 3 / 64
    low = estimate - 0.6 * (drawn.mean - drawn.low) - extreme * (drawn.mean - moved[:64].min())
    high = estimate + 0.6 * (drawn.high - drawn.mean) + extreme * (moved[:64].max() - drawn.mean)
    assert look(moved, 64).interval == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize("confident", [0.8, 0.99])
def test_an_interval_of_any_confidence_is_the_wider_of_student_and_the_bootstrap(
    confident: float,
) -> None:
    for values in (NOISE[:4], np.random.default_rng(7).exponential(1, 30)):
        found = mean_interval(values.tolist(), confident)
        student = stats.ttest_1samp(values, 0).confidence_interval(confident)
        boot = stats.bootstrap(
            (values,),
            np.mean,
            n_resamples=20000,
            confidence_level=confident,
            rng=np.random.default_rng(1),
        ).confidence_interval
        ends = (min(student.low, boot.low), max(student.high, boot.high))
        width = student.high - student.low
        assert (found.low, found.high) == pytest.approx(ends, abs=0.06 * width)


def test_between_looks_the_last_look_stands() -> None:
    moved = -0.02 + 0.005 * NOISE
    assert look(moved, 15) == look(moved, 8) != look(moved, 16)
    assert look(moved, 7).decided == "open"
    assert look(moved, 7).sentence == "7 of 100 images: the first look is after 8"


def test_a_later_look_that_is_open_does_not_undo_a_decision() -> None:
    moved = -0.02 + 0.005 * NOISE
    moved[20:] += 3 * NOISE[20:]
    assert (look(moved, 64).n, look(moved, 64).decided) == (16, "breaks")


def test_of_two_looks_that_decide_the_later_one_counts() -> None:
    assert look(-0.02 + 0.005 * NOISE, 99).n == 64


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_a_value_without_distance_to_others_leaves_it_open(value: float) -> None:
    moved = np.zeros(IMAGES)
    moved[3] = value
    found = look(moved, 64)
    assert (found.decided, found.interval) == ("open", (-math.inf, math.inf))


def test_without_a_baseline_it_is_never_early() -> None:
    found = look_at_claim(CLAIM, SLACK, results(np.zeros(IMAGES), 64), None, IMAGES)
    assert (found.decided, found.estimate) == ("open", None)
    assert "64 of 100 images: no earlier whole record" in found.sentence
    assert verdict_early(CLAIM, SLACK, found).status is Status.NOT_RUN


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ({"0": 30.0}, "the same 100 images, got one of 1 that knows 1 of the 9 measured"),
        (BASELINE | {"more": 30.0}, "got one of 101 that knows 9 of the 9 measured"),
        ({f"x{name}": 30.0 for name in BASELINE}, "got one of 100 that knows 0 of the 9"),
    ],
)
def test_a_baseline_of_other_images_is_refused(baseline: dict[str, float], message: str) -> None:
    with pytest.raises(MetricError, match=message):
        look_at_claim(CLAIM, SLACK, results(np.zeros(IMAGES), 9), baseline, IMAGES)


def test_decisions_are_rarely_wrong_where_the_mean_lies_just_over_the_edge() -> None:
    wrong = 0
    for seed in range(150):
        moved = np.random.default_rng(seed).normal(0, 0.002, IMAGES)
        moved += -0.00105 - moved.mean()
        wrong += look(moved, 64).decided == "clears"
    assert wrong <= 7


# The verdict.


def test_the_verdict_says_that_it_was_early_and_on_what() -> None:
    verdict = verdict_early(CLAIM, SLACK, look(2e-4 * NOISE, 64))
    assert (verdict.status, verdict.claimed) == (Status.MATCH, 30.0)
    assert (verdict.tolerance, verdict.digits) == (pytest.approx(0.001), "rounded")
    assert verdict.measured == look(2e-4 * NOISE, 64).estimate
    assert verdict.sentence == (
        "agrees with the document to its printed digits; judged early: 64 of 100 images, paired"
        " with an earlier record, put the value of all between 29.99995 dB and 30.00004 dB (99.4 %)"
    )


def test_it_is_told_with_two_digits_more_than_the_claim() -> None:
    coarse = replace(CLAIM, text="30")
    found = look_at_claim(coarse, SLACK, results(np.zeros(IMAGES), 64), BASELINE, IMAGES)
    assert "between 30.00 dB and 30.00 dB (99.4 %)" in found.sentence


@pytest.mark.parametrize("moved", [0.0, -0.01])
def test_a_known_gap_stays_one(moved: float) -> None:
    gap = KnownGap("psnr", Precision.FP32, "rows swapped")
    verdict = verdict_early(CLAIM, SLACK, look(np.full(IMAGES, moved), 64), gap)
    assert verdict.status is Status.KNOWN_GAP
    assert verdict.sentence.startswith("rows swapped; judged early: 64 of 100 images")


def test_an_open_look_is_not_run_for_the_budget() -> None:
    verdict = verdict_early(CLAIM, SLACK, look(np.zeros(IMAGES), 32))
    assert (verdict.status, verdict.measured, verdict.tolerance) == (
        Status.NOT_RUN,
        pytest.approx(30.0),
        None,
    )
    assert verdict.sentence.startswith("budget: 32 of 100 images")
    assert verdict.sentence.endswith("which decides nothing")


# Ending a run.


def asked(decided: str) -> Callable[[Sequence[ImageResult]], Look]:
    return lambda done: Look(len(done), IMAGES, (0, 0), decided, "")  # type: ignore[arg-type]


def test_a_run_ends_at_a_look_that_decides_all_that_is_asked() -> None:
    done = results(np.zeros(IMAGES))
    for asks, ends in (
        ([asked("clears"), asked("breaks")], True),
        ([asked("clears"), asked("open")], False),
        ([], False),
    ):
        assert enough(asks, IMAGES)(done[:16]) is ends
    assert not any(enough([asked("clears")], IMAGES)(done[:n]) for n in (7, 9, 15, 17, 100))


# What a run is paired with.


CARD = ModelCard("m_x2", "zoo", Path(), "", "", 2, "edsr")
CASE = Case(
    CARD, "psnr", Precision.FP32, "torch", Evaluation("set5", EvalProtocol("paper_y")), CLAIM
)
INPUTS = {"data": "d" * 64, "protocol": "p" * 64, "weights": "w" * 64}


def measured(*values: float, planned: int = 2, value: float | None = None) -> Measurement:
    scores = tuple(ImageScore(str(i), one) for i, one in enumerate(values))
    mean = sum(values) / len(values) if value is None else value
    return Measurement("psnr", "dB", mean, scores, planned)


def earlier(measurement: Measurement | None = None, **changes: object) -> Record:
    texts = ("psnr", "fp32", "set5_x2", "torch", "cpu", "paper_y", "")
    base = Record(CASE.id, "", "zoo", "m_x2", *texts, Verdict(Status.MATCH, ""), inputs=INPUTS)
    return replace(base, measurement=measurement or measured(30.0, 31.0), **changes)


def test_it_is_the_first_record_that_is_whole_and_about_the_same() -> None:
    records = [
        earlier(measured(1.0)),
        earlier(measured(math.inf, 31.0)),
        earlier(measured(30.0, 31.0, value=31.0)),  # the SSIM of the last image
        replace(earlier(), measurement=None),
        earlier(case_id="other"),
        earlier(family="other"),
        earlier(backend="vacc"),
        earlier(inputs={}),
        earlier(inputs={**INPUTS, "data": "e" * 64}),
        earlier(inputs={**INPUTS, "protocol": "q" * 64}),
        earlier(measured(30.0, 31.0), inputs={**INPUTS, "weights": "v" * 64}),
        earlier(measured(0.0, 0.0)),
    ]
    assert baseline_of(CASE, records, INPUTS) == {"0": 30.0, "1": 31.0}
    assert baseline_of(CASE, records[:-2], INPUTS) is None


def test_older_records_are_not_read_once_one_is_found() -> None:
    records = iter([earlier(), earlier(case_id="unread")])
    assert baseline_of(CASE, records, INPUTS)
    assert next(records).case_id == "unread"


# Gates.

LIMITS = Gate(min_fidelity_db=40.0, max_drop_db=0.1, max_drop_ssim=0.002)
CLOSE = Fidelity(50.0, 51.0, 49.0)
FULL = [ImageResult(str(i), {"psnr": BEFORE[i], "ssim": 0.9}) for i in range(IMAGES)]


def lowered(
    drops: np.ndarray, ssim: np.ndarray | None = None, unlike: Sequence[int] = ()
) -> list[ImageResult]:
    """Return the images in a low precision; `unlike` ones are unfaithful."""
    lost = np.zeros(IMAGES) if ssim is None else ssim
    poor = Fidelity(30.0, 30.0, 30.0)
    return [
        ImageResult(
            str(i),
            {"psnr": BEFORE[i] - drops[i], "ssim": 0.9 - lost[i]},
            poor if i in unlike else CLOSE,
        )
        for i in range(IMAGES)
    ]


def gate(low: Sequence[ImageResult], n: int) -> Look:
    return look_at_gate(LIMITS, low[:n], FULL[::-1], IMAGES)


def test_a_gate_clears_only_when_few_images_can_hide_a_loss() -> None:
    low = lowered(0.03 + 0.01 * NOISE)
    assert [gate(low, n).decided for n in (8, 32, 64)] == ["open", "open", "clears"]
    found = gate(low, 64)
    assert found.found is not None
    assert (found.found.status, found.found.sentence) == (Status.WITHIN, found.sentence)
    assert found.sentence.endswith("; judged early, on 64 of 100 images")
    assert found.estimate == pytest.approx(np.mean(0.03 + 0.01 * NOISE[:64]))


def test_a_gate_breaks_at_the_first_look_where_either_metric_surely_loses() -> None:
    for low in (
        lowered(0.2 + 0.01 * NOISE),
        lowered(0.01 * NOISE, 0.01 + 0.001 * NOISE),
    ):
        assert (gate(low, 8).decided, gate(low, 8).n) == ("breaks", 8)


def test_a_gate_stays_open_where_either_drop_is_close_to_its_limit() -> None:
    close = 0.1 + 0.05 * (NOISE - NOISE[:64].mean())
    assert gate(lowered(close), 64).decided == "open"
    assert gate(lowered(0.01 * NOISE, 0.02 * close), 64).decided == "open"


def test_one_unfaithful_image_breaks_a_gate_at_the_look_after_it() -> None:
    low = lowered(0.01 * NOISE, unlike=[9])
    assert [gate(low, n).decided for n in (8, 15, 16)] == ["open", "open", "breaks"]


def test_a_gate_needs_more_confidence_than_a_whole_run() -> None:
    at_95 = mean_interval(NOISE[:64].tolist())
    edge = 0.1 - 0.05 * (at_95.high + 0.02)
    found = gate(lowered(edge + 0.05 * NOISE), 64)
    assert found.decided == "open"
    assert found.found is not None
    assert found.found.status is Status.WITHIN
    assert found.interval[1] > 0.1 > found.found.psnr.high95


def test_a_gate_is_looked_at_as_far_as_fp32_has_the_same_images() -> None:
    low = lowered(0.2 + 0.01 * NOISE)
    missing_one = [item for item in FULL if item.image != "20"]
    assert look_at_gate(LIMITS, low, missing_one, IMAGES).n == 16
    assert look_at_gate(LIMITS, low, FULL[1:], IMAGES).decided == "open"


@pytest.mark.parametrize("count", [1, 8])
def test_images_that_were_perfect_in_fp32_alone_break_a_gate(count: int) -> None:
    perfect = {"psnr": math.inf, "ssim": 0.9}
    full = [*(replace(item, scores=perfect) for item in FULL[:count]), *FULL[count:]]
    found = look_at_gate(LIMITS, lowered(np.zeros(IMAGES))[:8], full, IMAGES)
    assert (found.decided, found.estimate) == ("breaks", math.inf)
