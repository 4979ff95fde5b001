"""A gate distinguishes a loss from noise: intervals against scipy and simulation, every outcome."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import starmap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sr_bench.core.codec import decode, encode
from sr_bench.core.gate import Comparison, Drop, GateVerdict
from sr_bench.core.int8 import Gate
from sr_bench.core.record import ImageScore, Measurement, Record, Status
from sr_bench.engine.judge.gate import compare_records, drop_status, judge_gate, worst_status
from sr_bench.engine.judge.interval import paired_drop
from sr_bench.engine.score.fidelity import Fidelity
from sr_bench.errors import MetricError
from tests.report.records import record

LIMITS = Gate(min_fidelity_db=52.0, max_drop_db=0.1, max_drop_ssim=0.002)
NAMES = ("baby", "bird", "butterfly", "head", "woman")
CLOSE = {name: Fidelity(53.0 + i, 54.0 + i, 52.5 + i) for i, name in enumerate(NAMES)}
RNG = np.random.default_rng(11)
REFERENCE = RNG.normal(32, 3, 14)
LOW = REFERENCE - RNG.normal(0.08, 0.05, 14)

DROPS = st.lists(st.integers(-3000, 3000).map(lambda n: n / 1000), min_size=2, max_size=12)


def drop_of(values: Sequence[float]) -> Drop:
    return paired_drop([0.0] * len(values), list(values))


def around(mean: float, spread: float = 0.01) -> Drop:
    """Return the drop of five images, symmetric around `mean`."""
    return drop_of([mean + spread * step for step in (-1, -0.5, 0, 0.5, 1)])


NO_DROP = around(0.0, 0.0)


# The interval of a mean drop.


def test_a_drop_is_the_reference_minus_the_low_precision() -> None:
    drop = paired_drop([30.0, 31.5, 29.0], [30.5, 31.0, 31.0])
    assert drop.values == (0.5, -0.5, 2.0)
    assert drop.mean == pytest.approx(2 / 3)
    assert (drop.worst, drop.worst_index, drop.count) == (2.0, 2, 3)


def test_it_reaches_as_far_as_student_and_the_bootstrap_at_each_end() -> None:
    for draws in (REFERENCE - LOW, RNG.exponential(1, 30), -RNG.exponential(1, 8)):
        drop = drop_of(draws.tolist())
        student = stats.ttest_1samp(draws, 0).confidence_interval(0.95)
        boot = stats.bootstrap(
            (draws,), np.mean, n_resamples=20000, method="BCa", rng=np.random.default_rng(1)
        ).confidence_interval
        width = student.high - student.low
        ends = (min(student.low, boot.low), max(student.high, boot.high))
        assert (drop.low95, drop.high95) == pytest.approx(ends, abs=0.02 * width)


def test_where_few_images_decide_it_is_that_of_the_paired_t_test() -> None:
    few = slice(0, 4)
    drop = paired_drop(LOW[few].tolist(), REFERENCE[few].tolist())
    student = stats.ttest_rel(REFERENCE[few], LOW[few]).confidence_interval(0.95)
    assert (drop.low95, drop.high95) == pytest.approx((student.low, student.high), abs=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
def test_one_image_that_differs_much_stretches_it_on_its_side(sign: int) -> None:
    drop = drop_of([0.0] * 19 + [1.0 * sign])
    above, below = drop.high95 - drop.mean, drop.mean - drop.low95
    assert (above / below) ** sign > 1.3


@pytest.mark.parametrize("shape", ["normal", "skewed"])
def test_it_holds_the_true_mean_in_about_95_of_100_cases(shape: str) -> None:
    generator = np.random.default_rng(3)
    draws = generator.normal(0.1, 0.05, (400, 14))
    if shape == "skewed":
        draws = generator.gamma(2.0, 0.05, (400, 14))
    held = [drop.low95 <= 0.1 <= drop.high95 for drop in map(drop_of, draws.tolist())]
    assert 0.92 <= np.mean(held) <= 0.99


@pytest.mark.parametrize("count", [5, 14])
def test_the_detectable_drop_is_detected_in_about_80_of_100_cases(count: int) -> None:
    generator = np.random.default_rng(4)
    noise = generator.normal(0, 1, (400, count))
    detectable = np.mean([drop_of(row).detectable ** 2 for row in noise.tolist()]) ** 0.5
    detected = [drop_of(row).low95 > 0 for row in (noise + detectable).tolist()]
    assert 0.74 <= np.mean(detected) <= 0.86


def test_the_detectable_drop_follows_the_formula() -> None:
    draws = REFERENCE - LOW
    factor = stats.t.ppf(0.975, 13) + stats.t.ppf(0.8, 13)
    expected = factor * draws.std(ddof=1) / math.sqrt(14)
    assert drop_of(draws.tolist()).detectable == pytest.approx(expected, rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(DROPS, st.randoms())
def test_the_order_of_the_images_changes_nothing(values: list[float], random: object) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert replace(drop_of(values), values=()) == replace(drop_of(shuffled), values=())


@settings(max_examples=30, deadline=None)
@given(DROPS, st.integers(-5000, 5000).map(lambda n: n / 1000))
def test_a_constant_loss_shifts_the_interval(values: list[float], loss: float) -> None:
    before, after = drop_of(values), drop_of([value + loss for value in values])
    ends = (before.mean + loss, before.low95 + loss, before.high95 + loss, before.detectable)
    assert (after.mean, after.low95, after.high95, after.detectable) == pytest.approx(
        ends, abs=1e-9
    )


@settings(max_examples=30, deadline=None)
@given(DROPS, st.integers(1, 1000))
def test_the_unit_scales_the_interval(values: list[float], factor: int) -> None:
    before, after = drop_of(values), drop_of([value * factor for value in values])
    ends = (before.low95 * factor, before.high95 * factor, before.detectable * factor)
    assert (after.low95, after.high95, after.detectable) == pytest.approx(ends, rel=1e-9, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(DROPS)
def test_the_mean_lies_in_its_interval(values: list[float]) -> None:
    drop = drop_of(values)
    assert drop.low95 <= drop.mean <= drop.high95
    assert drop.detectable >= 0


def test_it_is_the_same_each_time() -> None:
    assert drop_of(LOW.tolist()) == drop_of(LOW.tolist())


def test_many_images_are_resampled_in_blocks() -> None:
    draws = np.random.default_rng(5).normal(0.1, 1.0, 2000)
    student = stats.ttest_1samp(draws, 0).confidence_interval(0.95)
    drop = drop_of(draws.tolist())
    assert (drop.low95, drop.high95) == pytest.approx((student.low, student.high), abs=0.01)


def test_one_image_says_nothing_about_the_mean() -> None:
    drop = paired_drop([30.0], [30.25])
    assert (drop.mean, drop.low95, drop.high95) == (0.25, -math.inf, math.inf)
    assert drop.detectable == math.inf


@pytest.mark.parametrize("values", [[0.1] * 3, [0.1] * 50, [-7.3] * 2, [0.0] * 5])
def test_equal_drops_leave_no_doubt(values: list[float]) -> None:
    drop = drop_of(values)
    assert drop.low95 == drop.high95 == drop.mean == pytest.approx(values[0], abs=1e-12)
    assert drop.detectable == 0


def test_drops_that_differ_by_rounding_alone_are_equal() -> None:
    step = math.ulp(0.1)
    drop = drop_of([0.1] * 25 + [0.1 + step] * 25)
    assert drop.low95 == drop.high95


def test_an_image_that_is_perfect_in_both_drops_by_nothing() -> None:
    assert paired_drop([math.inf, 30.0], [math.inf, 30.5]).values == (0.0, 0.5)


def test_an_image_that_was_perfect_drops_without_bound() -> None:
    drop = paired_drop([60.0, 30.0], [math.inf, 30.0])
    assert (drop.mean, drop.low95, drop.worst_index) == (math.inf, math.inf, 0)
    assert (drop.high95, drop.detectable) == (math.inf, math.inf)
    assert drop_status(drop, 0.1) is Status.LOSS


def test_an_image_that_became_perfect_hides_no_loss() -> None:
    drop = paired_drop([math.inf, 30.0, 30.0], [60.0, 33.0, 33.0])
    assert drop.values == (0.0, 3.0, 3.0)
    assert drop.mean == 2.0


@pytest.mark.parametrize(
    ("low", "reference", "message"),
    [
        ([], [], "two values for each image, got 0 and 0"),
        ([1.0, 2.0], [1.0], "got 2 and 1"),
        ([1.0, math.nan], [1.0, 2.0], "a score of each image, got nan and 2.0"),
        ([1.0], [math.nan], "got 1.0 and nan"),
        ([-math.inf], [1.0], "got -inf and 1.0"),
    ],
)
def test_what_is_not_a_pair_of_scores_is_refused(
    low: list[float], reference: list[float], message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        paired_drop(low, reference)


def test_what_rises_is_lost_where_lower_is_better() -> None:
    assert paired_drop([2.5, 0.0], [2.0, 1.0], higher_is_better=False).values == (0.5, -1.0)
    with pytest.raises(MetricError, match="a score of each image"):
        paired_drop([math.inf], [1.0], higher_is_better=False)


# The three outcomes of a limit.


@pytest.mark.parametrize(
    ("mean", "spread", "status"),
    [
        (0.05, 0.01, Status.WITHIN),
        (-0.5, 0.01, Status.WITHIN),
        (0.15, 0.01, Status.LOSS),
        (0.1, 0.01, Status.UNDECIDED),
        (0.05, 0.2, Status.UNDECIDED),
        (0.15, 0.2, Status.UNDECIDED),
        (0.1, 0.0, Status.WITHIN),
        (0.1001, 0.0, Status.LOSS),
    ],
)
def test_a_drop_is_judged_by_its_whole_interval(mean: float, spread: float, status: Status) -> None:
    assert drop_status(around(mean, spread), 0.1) is status


def test_a_limit_of_zero_is_a_limit() -> None:
    assert drop_status(NO_DROP, 0.0) is Status.WITHIN
    assert drop_status(around(0.001, 0.0), 0.0) is Status.LOSS
    assert drop_status(around(0.001, 0.01), 0.0) is Status.UNDECIDED


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ([Status.WITHIN, Status.UNDECIDED, Status.LOSS], Status.LOSS),
        ([Status.WITHIN, Status.UNDECIDED], Status.UNDECIDED),
        ([Status.WITHIN], Status.WITHIN),
    ],
)
def test_a_loss_outweighs_doubt_and_doubt_what_is_within(
    statuses: list[Status], worst: Status
) -> None:
    assert worst_status(statuses) is worst


# The gate.


def close_but(image: str, all_db: float, inside_db: float, ring_db: float) -> dict[str, Fidelity]:
    return CLOSE | {image: Fidelity(all_db, inside_db, ring_db)}


def test_what_keeps_to_all_limits_is_within_and_says_by_how_much() -> None:
    verdict = judge_gate(LIMITS, CLOSE, around(0.05), NO_DROP)
    assert verdict.status is Status.WITHIN
    assert [finding.status for finding in verdict.findings] == [Status.WITHIN] * 3
    assert verdict.sentence == (
        "the output is faithful to fp32: at least 53.00 dB ('baby'), in the border ring 52.50 dB"
        " ('baby'), where 52 dB are required; PSNR drops by 0.050 dB on average (95 % interval"
        " 0.040 dB to 0.060 dB), within the budget of 0.1 dB; SSIM drops by 0.00000 on average"
        " (95 % interval 0.00000 to 0.00000), within the budget of 0.002"
    )


def test_one_unfaithful_image_is_a_loss_by_name() -> None:
    verdict = judge_gate(LIMITS, close_but("head", 44.1, 44.1, 52.0), NO_DROP, NO_DROP)
    assert verdict.status is Status.LOSS
    assert verdict.sentence == (
        "less faithful to fp32 than 52 dB: 1 of 5 images; 'head' is at 44.10 dB, 7.9 dB short"
    )


def test_a_damaged_border_ring_is_a_loss_by_name() -> None:
    verdict = judge_gate(LIMITS, close_but("butterfly", 52.2, 53.3, 44.2), NO_DROP, NO_DROP)
    assert verdict.status is Status.LOSS
    assert verdict.sentence == (
        "less faithful to fp32 than 52 dB: 1 of 5 images; the border ring (outer 4 px) of"
        " 'butterfly' is at 44.20 dB, 9.1 dB below the inside and 7.8 dB short"
    )


def test_a_ring_that_is_better_than_the_inside_says_so() -> None:
    verdict = judge_gate(LIMITS, close_but("bird", 48.0, 47.5, 50.0), NO_DROP, NO_DROP)
    assert "'bird' is at 48.00 dB, 4 dB short; the border ring" in verdict.sentence
    assert "is at 50.00 dB, 2.5 dB above the inside and 2 dB short" in verdict.sentence


def test_fidelity_on_the_limit_reaches_it() -> None:
    limit = LIMITS.min_fidelity_db
    fidelities = {name: Fidelity(limit, limit, limit) for name in NAMES}
    assert judge_gate(LIMITS, fidelities, NO_DROP, NO_DROP).status is Status.WITHIN


def test_a_hair_below_the_limit_is_not_shown_as_the_limit() -> None:
    verdict = judge_gate(LIMITS, close_but("baby", 51.9999, 55, 52.5), NO_DROP, NO_DROP)
    assert "'baby' is at 52.00 dB, 0.0001 dB short" in verdict.sentence


@pytest.mark.parametrize("question", ["psnr", "ssim"])
def test_a_drop_beyond_its_limit_is_a_loss(question: str) -> None:
    drops = {"psnr": NO_DROP, "ssim": NO_DROP} | {question: around(0.3)}
    verdict = judge_gate(LIMITS, CLOSE, drops["psnr"], drops["ssim"])
    assert verdict.status is Status.LOSS
    assert verdict.sentence.startswith(f"{question.upper()} drops by 0.300")
    assert "above the budget of 0." in verdict.sentence
    assert "most on 'woman' by 0.310" in verdict.sentence


def test_too_few_images_are_reported_with_what_they_can_detect() -> None:
    psnr = around(0.05, 0.2)
    verdict = judge_gate(LIMITS, CLOSE, psnr, NO_DROP)
    assert verdict.status is Status.UNDECIDED
    assert verdict.sentence == (
        "too few images to tell: PSNR drops by 0.050 dB on average (95 % interval -0.146 dB to"
        f" 0.246 dB); these 5 images detect drops of {psnr.detectable:.3f} dB, and the budget of"
        " 0.1 dB lies in the interval"
    )


def test_a_drop_at_the_limit_does_not_ask_for_more_images() -> None:
    verdict = judge_gate(LIMITS, CLOSE, around(0.1), NO_DROP)
    assert verdict.sentence.startswith("too close to the budget to tell: PSNR")


def test_a_single_image_is_undecided() -> None:
    baby = {"baby": CLOSE["baby"]}
    verdict = judge_gate(LIMITS, baby, drop_of([0.02]), drop_of([0.0]))
    assert verdict.status is Status.UNDECIDED
    assert "too few images to tell: one image, 'baby' by 0.020 dB in PSNR" in verdict.sentence


def test_a_loss_of_fidelity_outweighs_a_drop_that_is_undecided() -> None:
    verdict = judge_gate(LIMITS, close_but("head", 40, 40, 40), around(0.05, 0.2), NO_DROP)
    assert verdict.status is Status.LOSS
    assert "too few" not in verdict.sentence
    assert [finding.status for finding in verdict.findings] == ["loss", "undecided", "within"]


def test_identical_outputs_are_within() -> None:
    equal = {name: Fidelity(math.inf, math.inf, math.inf) for name in NAMES}
    verdict = judge_gate(replace(LIMITS, max_drop_db=0, max_drop_ssim=0), equal, NO_DROP, NO_DROP)
    assert verdict.status is Status.WITHIN


def test_a_verdict_names_the_same_images_in_any_order() -> None:
    same = {name: Fidelity(40.0, 41.0, 39.0) for name in NAMES}
    turned = dict(reversed(same.items()))
    sentences = {judge_gate(LIMITS, f, NO_DROP, NO_DROP).sentence for f in (same, turned)}
    assert len(sentences) == 1


def test_each_image_keeps_its_numbers() -> None:
    psnr, ssim = drop_of([0.1, 0.2, 0.3, 0.4, 0.5]), drop_of([1.0, 2.0, 3.0, 4.0, 5.0])
    image = judge_gate(LIMITS, CLOSE, psnr, ssim).images[3]
    assert (image.image, image.drop_db, image.drop_ssim) == ("head", 0.4, 4.0)
    assert (image.all_db, image.inside_db, image.ring_db) == (56.0, 57.0, 55.5)
    assert image.lowest_db == 55.5


@pytest.mark.parametrize("count", [1, 5])
def test_a_verdict_survives_a_record(count: int) -> None:
    close = dict(list(CLOSE.items())[:count]) | {"baby": Fidelity(math.inf, math.inf, math.inf)}
    drop = drop_of([0.01 * i for i in range(count)])
    verdict = judge_gate(LIMITS, close, drop, drop)
    assert decode(GateVerdict, encode(verdict)) == verdict


def test_questions_about_different_images_are_refused() -> None:
    with pytest.raises(MetricError, match="got 5, 4 and 5 images"):
        judge_gate(LIMITS, CLOSE, drop_of([0.0] * 4), NO_DROP)


# Against an earlier record.


def scored(scores: dict[str, float], metric: str = "psnr", **changes: str) -> Record:
    images = tuple(starmap(ImageScore, scores.items()))
    base = replace(record(None, 30.0, metric=metric), precision="int8_kl")
    return replace(base, measurement=Measurement(metric, "dB", 30.0, images, 5), **changes)


BEFORE = {name: 30.0 + i for i, name in enumerate(NAMES)}


def lowered(by: float, spread: float = 0.01) -> dict[str, float]:
    steps = (-1, -0.5, 0, 0.5, 1)
    return {
        name: value - by - spread * step
        for (name, value), step in zip(BEFORE.items(), steps, strict=True)
    }


@pytest.mark.parametrize(
    ("by", "spread", "status"),
    [
        (0.05, 0.01, Status.WITHIN),
        (-1.0, 0.01, Status.WITHIN),
        (0.3, 0.01, Status.LOSS),
        (0.1, 0.2, Status.UNDECIDED),
    ],
)
def test_a_run_is_compared_with_an_earlier_one(by: float, spread: float, status: Status) -> None:
    compared = compare_records(scored(lowered(by, spread)), scored(BEFORE), limit=0.1)
    assert compared.status is status
    assert compared.images == NAMES
    assert compared.drop is not None
    assert compared.drop.mean == pytest.approx(by)


def test_images_are_matched_by_name() -> None:
    turned = dict(reversed(lowered(0.3).items()))
    compared = compare_records(scored(turned), scored(BEFORE), limit=0.1)
    assert compared.drop is not None
    drops = dict(zip(compared.images, compared.drop.values, strict=True))
    assert drops["baby"] == pytest.approx(0.29)
    assert compared.sentence.startswith("against the earlier record: PSNR drops by 0.300 dB")
    assert "most on 'woman' by 0.310 dB" in compared.sentence


def test_an_unchanged_run_is_within_any_limit() -> None:
    assert compare_records(scored(BEFORE), scored(BEFORE), limit=0.0).status is Status.WITHIN


def test_missing_images_leave_it_undecided_and_are_named() -> None:
    now = {name: value for name, value in BEFORE.items() if name != "head"} | {"zebra": 20.0}
    compared = compare_records(scored(now), scored(BEFORE), limit=0.1)
    assert compared.status is Status.UNDECIDED
    assert (compared.missing, compared.added) == (("head",), ("zebra",))
    tail = "; missing in this run: head; not in the earlier record: zebra"
    assert compared.sentence.endswith(tail)
    assert "zebra" not in compared.images


def test_missing_images_do_not_hide_a_loss() -> None:
    now = {name: value - 1 for name, value in BEFORE.items() if name != "head"}
    assert compare_records(scored(now), scored(BEFORE), limit=0.1).status is Status.LOSS


def test_new_images_alone_change_no_verdict() -> None:
    compared = compare_records(scored(BEFORE | {"zebra": 1.0}), scored(BEFORE), limit=0.1)
    assert compared.status is Status.WITHIN


def test_many_missing_images_are_counted() -> None:
    before = BEFORE | {f"{i:02}": 30.0 for i in range(20)}
    compared = compare_records(scored(BEFORE), scored(before), limit=0.1)
    assert "missing in this run: 00, 01, 02, 03, 04 and 15 more" in compared.sentence
    assert len(compared.missing) == 20


def test_nothing_in_common_is_not_run() -> None:
    empty = replace(scored(BEFORE), measurement=None)
    for before in (scored({"zebra": 1.0}), empty):
        compared = compare_records(scored(BEFORE), before, limit=0.1)
        assert compared.status is Status.NOT_RUN
        assert compared.drop is None
        assert compared.sentence.startswith("no image is in both records")


def test_fidelity_can_be_compared_too() -> None:
    records = (scored(lowered(0.3), "fidelity"), scored(BEFORE, "fidelity"))
    compared = compare_records(*records, limit=0.1)
    assert "fidelity drops by 0.30 dB on average" in compared.sentence


def test_another_backend_is_named() -> None:
    before = scored(BEFORE, backend="vacc", device="emulated")
    compared = compare_records(scored(BEFORE), before, limit=0.1)
    assert compared.sentence.startswith("against the earlier record of vacc (emulated): ")


@pytest.mark.parametrize("field", ["model", "precision", "dataset", "metric", "protocol"])
def test_another_question_is_refused(field: str) -> None:
    before = replace(scored(BEFORE), **{field: "other"})
    with pytest.raises(MetricError, match=f"of the same {field}, got 'other' for "):
        compare_records(scored(BEFORE), before, limit=0.1)


def test_a_comparison_survives_a_record() -> None:
    for now in (BEFORE, {"zebra": 1.0}):
        compared = compare_records(scored(now), scored(BEFORE), limit=0.1)
        assert decode(Comparison, encode(compared)) == compared
