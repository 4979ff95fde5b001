"""The least squared error: against values that are really rounded and clipped."""

import numpy as np
import pytest

from sr_bench.core.int8 import Int8Plan
from sr_bench.precision.histogram import Histogram
from sr_bench.precision.observers import mse
from tests.precision.observers.distributions import SAMPLES

PLANS = (Int8Plan(), Int8Plan(activations="symmetric"))


def _rounded(array: np.ndarray, threshold: float, plan: Int8Plan) -> np.ndarray:
    """Return `array` in 8 bits, as the ONNX operators define it."""
    low = min(0.0, max(float(array.min()), -threshold))
    high = max(0.0, min(float(array.max()), threshold))
    if plan.activations == "symmetric":
        step = max(-low, high) / 127
        levels = np.clip(np.rint(array / step), -127, 127)  # -128 lies beyond the range
    else:
        step = (high - low) / 255
        zero = np.rint(-low / step)
        levels = np.clip(np.rint(array / step) + zero, 0, 255) - zero
    return levels * step


def _true_error(array: np.ndarray, threshold: float, plan: Int8Plan) -> float:
    counted = array.astype(np.float64)
    return float(np.mean((_rounded(counted, threshold, plan) - counted) ** 2))


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.activations)
@pytest.mark.parametrize("kind", SAMPLES)
def test_the_expected_error_is_the_true_one(kind: str, plan: Int8Plan) -> None:
    array = SAMPLES[kind]
    histogram = Histogram.of(array.repeat(4), where="tensor")
    largest = float(np.abs(array).max())
    width = 2.0**histogram.exponent / 2048
    edges = np.floor(np.array([0.3, 0.6, 0.8]) * largest / width) * width
    thresholds = np.append(edges, largest)
    errors = mse.squared_errors(histogram, thresholds, plan)
    expected = [_true_error(array, threshold, plan) for threshold in thresholds]
    # Where a step is as wide as the distribution, its values are not spread evenly over it.
    rel = 0.45 if kind == "one_outlier" else 0.06
    assert errors == pytest.approx(expected, rel=rel)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.activations)
@pytest.mark.parametrize("kind", sorted(set(SAMPLES) - {"one_outlier"}))
def test_no_other_threshold_is_much_better(kind: str, plan: Int8Plan) -> None:
    array = SAMPLES[kind]
    clip = mse.clip_range(Histogram.of(array.repeat(4), where="tensor"), plan)
    chosen = _true_error(array, max(-clip.low, clip.high), plan)
    largest = np.abs(array).max()
    best = min(_true_error(array, part * largest, plan) for part in np.linspace(0.05, 1, 60))
    assert chosen <= best * 1.03


def test_symmetric_levels_clip_more_of_a_tensor_with_one_sign() -> None:
    histogram = Histogram.of(SAMPLES["half_laplace"], where="tensor")
    fine, coarse = (mse.clip_range(histogram, plan).high for plan in PLANS)
    assert coarse < fine - 0.05
