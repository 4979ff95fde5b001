"""Steps that leave no value in the middle of two levels."""

import numpy as np
import pytest

from sr_bench.precision.qdq.steps import common_unit, odd_fractions, odd_multiple, unit_below


def test_the_unit_is_a_power_of_two_of_which_the_largest_step_has_8191() -> None:
    unit = common_unit([0.3, 0.02])
    assert np.log2(unit) == round(np.log2(unit))
    assert 4096 < 0.3 / unit <= 8191
    assert common_unit([]) == common_unit([1.0])


@pytest.mark.parametrize("step", [0.3, 0.299, 0.02, 1e-4, 1e-12, 0.25])
def test_a_step_grows_by_three_percent_at_most_to_an_odd_multiple(step: float) -> None:
    unit = common_unit([0.3])
    multiple = float(odd_multiple(step, unit)) / unit_below(unit, step)
    assert multiple % 2 == 1
    assert step <= odd_multiple(step, unit) <= step * 1.032


def test_a_fraction_is_odd_below_and_near() -> None:
    factors = np.geomspace(2e-4, 3.0, 400)
    fractions = odd_fractions(factors, terms=1)
    np.testing.assert_allclose(fractions, factors, rtol=1e-3)
    denominators = np.arange(1, 8192, 2)
    whole = fractions[:, np.newaxis] * denominators
    assert (np.abs(whole - np.rint(whole)).min(axis=1) < 1e-9).all()


def test_a_sum_of_more_terms_stays_further_from_the_middle() -> None:
    factors = np.geomspace(1e-3, 0.1, 50)
    nearest = []
    for terms in (27, 1728):
        fractions = odd_fractions(factors, terms)
        np.testing.assert_allclose(fractions, factors, rtol=6e-4)
        sums = np.arange(1, 10000) * fractions[:, np.newaxis]
        nearest.append(np.abs(sums % 1 - 0.5).min())
    assert nearest[0] < 1e-4 < 2.4e-4 < nearest[1]


def test_a_small_factor_has_a_fraction_too() -> None:
    assert 1 / odd_fractions(np.array([1e-5, 0.5]), terms=9)[0] in (99999, 100001)
