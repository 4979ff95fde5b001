"""The fewest layers in float: found in few trials, from errors that are predicted well or badly."""

import math

import pytest

from sr_bench.precision.noise.fewest import enough, fewest

LEFT = [2.0 ** -(count / 4) for count in range(101)]  # of 100 layers; four take away 3 dB


@pytest.mark.parametrize("needed", [0, 1, 7, 50, 99, 100])
@pytest.mark.parametrize("optimism_db", [-3.0, 0.0, 0.4, 5.0])
def test_the_fewest_that_pass_are_found(needed: int, optimism_db: float) -> None:
    goal = 40.0
    tried: list[int] = []

    def trial(count: int) -> tuple[float, bool]:
        tried.append(count)
        lost = 10 * math.log10(LEFT[count] / LEFT[needed])
        wrong = optimism_db * (count > 0)  # by what the first measured is off for all others
        return goal - lost - (wrong if count < needed else 0), count >= needed

    assert fewest(trial, LEFT, goal, {}, lambda: True) == needed
    assert len(set(tried)) == len(tried) <= 12


def test_what_does_not_pass_is_none_and_time_ends_trials() -> None:
    assert fewest(lambda _: (1.0, False), LEFT[:3], 40.0, {}, lambda: True) is None
    assert fewest(lambda _: (50.0, True), LEFT, 40.0, {0: 30.0}, lambda: False) is None


def test_enough_is_what_errors_predict() -> None:
    assert enough(LEFT, 0, -3.0) == 4
    assert enough(LEFT, 10, -3.0) == 14
    assert enough(LEFT, 0, -300.0) == 100
