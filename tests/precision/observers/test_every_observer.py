"""For each observer: its range lies within the values and holds 0."""

import numpy as np
import pytest

from sr_bench import discovery
from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.core.precision import OBSERVERS, Precision
from sr_bench.precision.histogram import Histogram
from tests.precision.observers.distributions import SAMPLES

NAMES = discovery.names(OBSERVERS)
PLANS = (Int8Plan(), Int8Plan(activations="symmetric"))


def _observe(name: str, array: np.ndarray, plan: Int8Plan = PLANS[0]) -> ClipRange:
    histogram = Histogram.of(np.asarray(array, np.float32), where="tensor")
    clip: ClipRange = discovery.load(OBSERVERS, name).clip_range(histogram, plan)
    return clip


def test_each_int8_precision_has_its_observer() -> None:
    assert set(NAMES) == {precision.calibration for precision in Precision.all()} - {""}


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.activations)
@pytest.mark.parametrize("kind", SAMPLES)
@pytest.mark.parametrize("name", NAMES)
def test_a_range_holds_zero_and_lies_within_the_values(
    name: str, kind: str, plan: Int8Plan
) -> None:
    array = SAMPLES[kind]
    clip = _observe(name, array, plan)
    low, high = min(0.0, float(array.min())), max(0.0, float(array.max()))
    assert low <= clip.low <= 0 <= clip.high <= high
    assert type(clip.low) is type(clip.high) is float
    # What is clipped on one side lies further out than all that is kept on the other.
    reach = max(-clip.low, clip.high)
    assert clip == ClipRange(max(low, -reach), min(high, reach))


@pytest.mark.parametrize("value", [0.0, -0.0, 3.0, -3.0, 1e-30, 3e38])
@pytest.mark.parametrize("name", NAMES)
def test_a_constant_tensor_is_kept_exactly(name: str, value: float) -> None:
    clip = _observe(name, np.full(64, value))
    exact = float(np.float32(value))
    # All but a hundred-thousandth of the one bin, for the percentile; what is clipped is its end's
    # level exactly, and so nearer for mse than inside.
    rel = 3e-3 if name == "mse" else 1e-7
    assert clip.low == pytest.approx(min(0.0, exact), rel=rel)
    assert clip.high == pytest.approx(max(0.0, exact), rel=rel)
    assert repr(clip.low) != "-0.0"
    assert repr(clip.high) != "-0.0"


@pytest.mark.parametrize("name", NAMES)
def test_one_value_is_enough(name: str) -> None:
    clip = _observe(name, np.array([-0.75]))
    assert (clip.low, clip.high) == (pytest.approx(-0.75, rel=3e-3), 0.0)


@pytest.mark.parametrize(("name", "limit"), [("kl", 65), ("mse", 800), ("percentile", 16)])
def test_a_few_absurd_values_of_a_million_are_clipped(name: str, limit: float) -> None:
    array = np.random.default_rng(5).laplace(size=4_000_000).astype(np.float32)
    array[[8, 400, 4000]] = 900
    clip = _observe(name, array)
    assert 10 < clip.high < limit


def test_max_keeps_the_exact_extremes() -> None:
    array = SAMPLES["lopsided"]
    assert _observe("max", array) == ClipRange(float(array.min()), float(array.max()))
