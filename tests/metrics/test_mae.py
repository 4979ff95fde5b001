"""Mean absolute error in levels, whatever the white level."""

import numpy as np
import pytest

from sr_bench.errors import MetricError
from sr_bench.metrics import mae

RNG = np.random.default_rng(3)
HR = RNG.integers(0, 256, (13, 17, 3)).astype(np.uint8)
SR = RNG.integers(0, 256, HR.shape).astype(np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_it_is_the_mean_of_the_absolute_differences(dtype: type) -> None:
    pairs = zip(SR.ravel().tolist(), HR.ravel().tolist(), strict=True)
    expected = sum(abs(a - b) for a, b in pairs) / HR.size
    assert mae.score(SR.astype(dtype), HR.astype(dtype)) == pytest.approx(expected, abs=1e-12)


def test_it_is_in_levels_of_255_and_0_for_identical_images() -> None:
    ones = np.ones((4, 4, 1))
    assert mae.score(0.25 * ones, 0.5 * ones, data_range=1.0) == 63.75
    assert mae.score(HR, HR.copy()) == 0.0


def test_it_refuses_what_has_no_score() -> None:
    with pytest.raises(MetricError, match="one shape"):
        mae.score(SR[1:], HR)
    with pytest.raises(MetricError, match="SR holds 1 values that are NaN"):
        mae.score(np.where(np.arange(HR.size).reshape(HR.shape) == 5, np.nan, SR), HR)
