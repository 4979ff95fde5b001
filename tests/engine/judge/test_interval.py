"""The interval of a mean drop is honest for skewed drops and few images, and deterministic."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from sr_bench.core.gate import Drop
from sr_bench.engine.judge.interval import FEWEST, interval_ends, nearly_perfect, paired_drop
from sr_bench.errors import MetricError

RNG = np.random.default_rng(11)
LOW = RNG.normal(32, 3, 14)
DROPS = st.lists(st.integers(-3000, 3000).map(lambda n: n / 1000), min_size=2, max_size=12)
PAIRED: dict[str, Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float64]]] = {
    "normal": lambda rng, shape: rng.normal(0.1, 0.05, shape),
    "exponential": lambda rng, shape: rng.exponential(0.1, shape),
    "lognormal": lambda rng, shape: 0.1 * rng.lognormal(-0.5, 1.0, shape),
    "one in ten": lambda rng, shape: np.where(rng.random(shape) < 0.1, 0.91, 0.01),
}
"""Kinds of drops whose mean is 0.1."""


def drop_of(values: Sequence[float], worst: float | None = None) -> Drop:
    return paired_drop([0.0] * len(values), list(values), worst=worst)


def ends(draws: NDArray[np.float64], worst: float | None = None) -> tuple[NDArray[np.float64], ...]:
    means = draws.mean(axis=1, keepdims=True)
    spread = np.sort(draws, axis=1) - means
    below, above = interval_ends(spread, None if worst is None else worst - means)
    return means[:, 0] + below, means[:, 0] + above


def test_a_drop_is_the_reference_minus_the_low_precision() -> None:
    drop = paired_drop([30.0, 31.5, 29.0], [30.5, 31.0, 31.0])
    assert drop.values == (0.5, -0.5, 2.0)
    assert drop.mean == pytest.approx(2 / 3)
    assert (drop.worst, drop.worst_index, drop.count) == (2.0, 2, 3)


# Honest: seeded, so that these bounds are either kept or not.


@pytest.mark.parametrize("kind", PAIRED)
@pytest.mark.parametrize("count", [12, FEWEST, 100])
def test_it_holds_the_true_mean_in_at_least_93_of_100_cases(kind: str, count: int) -> None:
    low, high = ends(PAIRED[kind](np.random.default_rng(3), (600, count)))
    assert np.mean((low <= 0.1) & (high >= 0.1)) >= 0.93


@pytest.mark.parametrize("kind", PAIRED)
@pytest.mark.parametrize("count", [5, 12, FEWEST, 50])
def test_a_mean_on_the_limit_is_within_in_at_most_5_of_100_cases(kind: str, count: int) -> None:
    _, high = ends(PAIRED[kind](np.random.default_rng(4), (600, count)))
    assert np.mean(high <= 0.1) <= 0.05


@pytest.mark.parametrize("count", [FEWEST, 60])
def test_a_mean_of_half_the_limit_is_mostly_within(count: int) -> None:
    _, high = ends(PAIRED["normal"](np.random.default_rng(5), (200, count)))
    assert np.mean(high <= 0.2) > 0.9


def test_12_images_suffice_if_a_limit_of_each_is_declared() -> None:
    _, high = ends(PAIRED["normal"](np.random.default_rng(5), (200, 12)), worst=0.4)
    assert np.mean(high <= 0.2) > 0.9


def test_fewer_images_than_show_one_in_ten_have_no_upper_end() -> None:
    assert 0.9**FEWEST <= 0.025 < 0.9 ** (FEWEST - 1)
    for count in (2, 12, FEWEST - 1):
        assert drop_of([0.0, 0.1] * (count // 2) + [0.1] * (count % 2)).high95 == math.inf
    assert drop_of([0.0, 0.1] * (FEWEST // 2)).high95 < 0.1


def test_images_that_lose_all_or_nothing_have_the_exact_binomial_end() -> None:
    for bad in (0, 1, 4):
        drop = drop_of([1.0] * bad + [0.0] * (20 - bad), worst=1.0)
        exact = stats.beta.ppf(0.975, bad + 1, 20 - bad)
        assert drop.high95 == pytest.approx(exact, abs=0.012)


@pytest.mark.parametrize("sign", [1, -1])
def test_one_image_that_differs_much_stretches_it_on_its_side(sign: int) -> None:
    drop = drop_of([0.0] * 39 + [1.0 * sign])
    above, below = drop.high95 - drop.mean, drop.mean - drop.low95
    assert (above / below) ** sign > 1.3


def test_it_looks_the_same_from_both_sides() -> None:
    values = RNG.exponential(1, FEWEST)
    drop, turned = drop_of(values.tolist()), drop_of((-values).tolist())
    assert (turned.low95, turned.high95) == pytest.approx((-drop.high95, -drop.low95), abs=1e-12)


def test_a_higher_limit_of_each_image_leaves_more_open() -> None:
    values = [0.01 * i for i in range(12)]
    highs = [drop_of(values, worst).high95 for worst in (0.11, 0.2, 0.4, 1.0)]
    assert highs == sorted(highs)
    assert drop_of(values, 0.05).high95 == drop_of(values, 0.11).high95  # an image lost 0.11


@pytest.mark.parametrize("count", [5, 14])
def test_the_detectable_drop_is_detected_in_about_80_of_100_cases(count: int) -> None:
    noise = np.random.default_rng(4).normal(0, 1, (300, count)).tolist()
    detectable = np.mean([drop_of(row).detectable ** 2 for row in noise]) ** 0.5
    detected = [drop_of(row).low95 + detectable > 0 for row in noise]
    assert 0.74 <= np.mean(detected) <= 0.9


# Deterministic, and indifferent to units and order.


@settings(max_examples=30, deadline=None)
@given(DROPS, st.randoms())
def test_the_order_of_the_images_changes_nothing(values: list[float], random: object) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = drop_of(values, 4.0), drop_of(shuffled, 4.0)
    assert replace(one, values=()) == replace(other, values=())


@settings(max_examples=30, deadline=None)
@given(DROPS, st.integers(-5000, 5000).map(lambda n: n / 1000))
def test_a_constant_loss_shifts_the_interval(values: list[float], loss: float) -> None:
    before, after = drop_of(values, 4.0), drop_of([value + loss for value in values], 4.0 + loss)
    assert (after.mean, after.low95, after.high95, after.detectable) == pytest.approx(
        (before.mean + loss, before.low95 + loss, before.high95 + loss, before.detectable), abs=1e-9
    )


@settings(max_examples=30, deadline=None)
@given(DROPS, st.integers(1, 1000))
def test_the_unit_scales_the_interval(values: list[float], factor: int) -> None:
    before, after = drop_of(values, 4.0), drop_of([v * factor for v in values], 4.0 * factor)
    scaled = (before.low95 * factor, before.high95 * factor, before.detectable * factor)
    assert (after.low95, after.high95, after.detectable) == pytest.approx(
        scaled, rel=1e-9, abs=1e-9
    )


@settings(max_examples=50, deadline=None)
@given(DROPS, st.none() | st.just(3.0))
def test_the_mean_lies_in_its_interval(values: list[float], worst: float | None) -> None:
    drop = drop_of(values, worst)
    assert drop.low95 <= drop.mean <= drop.high95
    assert drop.detectable >= 0


def test_it_is_the_same_each_time() -> None:
    assert drop_of(LOW.tolist(), 40.0) == drop_of(LOW.tolist(), 40.0)


def test_many_images_are_weighted_in_blocks() -> None:
    draws = np.random.default_rng(5).normal(0.1, 1.0, 2000)
    student = stats.ttest_1samp(draws, 0).confidence_interval(0.95)
    drop = drop_of(draws.tolist())
    assert (drop.low95, drop.high95) == pytest.approx((student.low, student.high), abs=0.01)


def test_one_image_says_nothing_about_the_mean() -> None:
    drop = paired_drop([30.0], [30.25])
    assert (drop.mean, drop.low95, drop.high95) == (0.25, -math.inf, math.inf)
    assert drop.detectable == math.inf


@pytest.mark.parametrize("values", [[0.1] * 36, [-7.3] * 50, [0.0] * 40])
def test_equal_drops_of_enough_images_leave_no_doubt(values: list[float]) -> None:
    drop = drop_of(values)
    assert (drop.low95, drop.high95) == pytest.approx((values[0], values[0]), abs=1e-12)


# Images that are perfect in one of the two.


def without_flat(low: Sequence[float], reference: Sequence[float], **how: object) -> Drop:
    return paired_drop(low, reference, left_out=nearly_perfect(low, reference, **how))


def test_an_image_that_is_perfect_in_both_drops_by_nothing_and_is_left_out() -> None:
    drop = without_flat([math.inf, 30.0], [math.inf, 30.5])
    assert (drop.values, drop.left_out, drop.mean) == ((0.0, 0.5), (0,), 0.5)


def test_a_nearly_perfect_image_that_loses_much_does_not_carry_the_mean() -> None:
    photos = [30.0 + i for i in range(12)]
    low, reference = [44.4, *(value - 0.01 for value in photos)], [70.0, *photos]
    drop = without_flat(low, reference, perfect=48.13)
    assert drop.left_out == (0,)
    assert drop.values[0] == pytest.approx(25.6)
    assert (drop.mean, drop.worst) == pytest.approx((0.01, 0.01))
    assert paired_drop(low, reference).mean == pytest.approx(1.978, abs=0.001)


def test_a_perfect_image_that_is_now_worse_than_the_others_counts() -> None:
    assert nearly_perfect([29.0, 30.0], [70.0, 30.0], perfect=48.13) == ()
    broken = without_flat([29.0, 30.0], [math.inf, 30.0])
    assert (broken.mean, broken.low95, broken.worst_index) == (math.inf, math.inf, 0)


def test_an_image_that_became_perfect_hides_no_loss() -> None:
    drop = without_flat([math.inf, 30.0, 30.0], [60.0, 33.0, 33.0])
    assert (drop.left_out, drop.mean) == ((0,), 3.0)
    assert paired_drop([math.inf, 30.0], [60.0, 33.0]).mean == 1.5


def test_images_that_are_all_perfect_all_count() -> None:
    assert nearly_perfect([61.0, 62.0], [62.0, 64.0], perfect=48.13) == ()


def test_where_lower_is_better_the_perfect_ones_are_the_low_ones() -> None:
    low, reference = [0.2, 2.5], [0.1, 2.0]
    assert nearly_perfect(low, reference, higher_is_better=False, perfect=0.25) == (0,)
    assert nearly_perfect(low, reference, higher_is_better=False) == ()


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
