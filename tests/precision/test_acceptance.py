"""A clip range is accepted where no calibration image loses by it; else it is widened as needed."""

import numpy as np
import pytest

from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.precision.acceptance import (
    CLIPPING_WEIGHT,
    STRESS_WEIGHT,
    Images,
    Widened,
    widened,
)
from sr_bench.precision.histogram import Histogram
from sr_bench.precision.statistics.tails import Tails

NAMES = ("flat", "rough")
PLAN = Int8Plan()


def _tails(*images: np.ndarray) -> Tails:
    # One value of four is counted.
    arrays = (np.repeat(image.astype(np.float32), 4) for image in images)
    return Tails.joined([Tails.of(Histogram.of(array, where="t")) for array in arrays])


def _image(few: int, value: float) -> np.ndarray:
    """Return 100,000 values up to 1, of which `few` are `value`."""
    array = np.linspace(0, 1, 100_000)
    array[:few] = value
    return array


def _judged(
    tails: Tails,
    asked: float,
    whole: float,
    *,
    stress: tuple[str, ...] = (),
    plan: Int8Plan = PLAN,
) -> Widened | None:
    clip, widest = {"t": ClipRange(0.0, asked)}, {"t": ClipRange(0.0, whole)}
    return widened(clip, widest, {"t": tails}, Images(NAMES, stress), plan).get("t")


def _harm(array: np.ndarray, high: float, whole: float) -> float:
    """Return the error of a range as a part of that of the whole one."""
    clipping = np.mean(np.maximum(array - high, 0) ** 2)
    return float((CLIPPING_WEIGHT * clipping + (high / 255) ** 2 / 12) / ((whole / 255) ** 2 / 12))


def test_a_range_that_clips_next_to_nothing_of_each_image_is_accepted() -> None:
    rough = _image(1, 1.005)
    assert _harm(rough, 1.0, 1.005) < 1
    assert _judged(_tails(_image(0, 0), rough), 1.0, 1.005) is None


def test_a_range_that_harms_one_image_is_widened_for_it_as_far_as_needed() -> None:
    rough = _image(1, 2.0)
    change = _judged(_tails(_image(0, 0), rough), 1.0, 2.0)
    assert change is not None
    assert (change.image, change.asked) == ("rough", ClipRange(0.0, 1.0))
    # What less would do is not wide enough, and this is.
    assert _harm(rough, change.clip.high, 2.0) <= 1.0 < _harm(rough, change.clip.high - 0.02, 2.0)
    assert 1.9 < change.clip.high < 2.0


def test_the_worst_image_decides_and_not_the_mean() -> None:
    rough, flat = _image(1, 2.0), _image(0, 0)
    assert _harm(np.concatenate([rough, *(flat,) * 20]), 1.8, 2.0) < 1 < _harm(rough, 1.8, 2.0)
    change = _judged(_tails(flat, rough), 1.8, 2.0)
    assert change is not None
    assert change.image == "rough"


def test_both_ends_are_widened() -> None:
    array = _image(60, 2.0)
    tails = _tails(_image(0, 0), np.concatenate([array, -array]))
    clip, whole = {"t": ClipRange(-1.0, 1.0)}, {"t": ClipRange(-2.0, 2.0)}
    change = widened(clip, whole, {"t": tails}, Images(NAMES, ()), PLAN)["t"]
    assert change.clip.low == -change.clip.high < -1.9


def _sum(array: np.ndarray, high: float) -> float:
    """Return the error of rounding by a range, and what counts of clipping an image that stresses.

    As a part of the error of rounding by a range of 1.
    """
    clipping = np.mean(np.maximum(array - high, 0) ** 2)
    return float(high**2 + STRESS_WEIGHT * clipping * 12 * 255**2)


@pytest.mark.parametrize("far", [2.0, 50.0])
def test_an_image_that_stresses_widens_by_half_of_the_error_of_rounding_at_most(far: float) -> None:
    change = _judged(_tails(_image(0, 0), _image(300, far)), 1.0, 1.0, stress=("rough",))
    assert change is not None
    assert change.clip.high == pytest.approx(np.sqrt(1.5), rel=far * 1e-4)


@pytest.mark.parametrize(("many", "far"), [(300, 1.3), (500, 1.25)])
def test_for_an_image_that_stresses_a_range_is_widened_to_where_rounding_and_clipping_balance(
    many: int, far: float
) -> None:
    rough = _image(many, far)
    change = _judged(_tails(_image(0, 0), rough), 1.0, 1.0, stress=("rough",))
    assert change is not None
    assert change.image == "rough"
    high = change.clip.high
    assert 1.0 < high < far
    assert _sum(rough, high) <= min(_sum(rough, high + step) for step in (-0.02, 0.02))
    strict = _judged(_tails(_image(0, 0), rough), 1.0, far)
    assert strict is not None
    assert high < strict.clip.high


def test_an_image_that_stresses_next_to_nothing_widens_nothing() -> None:
    mild = _tails(_image(0, 0), _image(60, 1.05))
    assert _harm(_image(60, 1.05), 1.0, 1.0) > 10
    assert _judged(mild, 1.0, 1.0, stress=("rough",)) is None
    assert _judged(mild, 1.0, 1.05) is not None


def test_where_a_network_needs_no_more_images_that_stress_widen_nothing() -> None:
    tails, clip = _tails(_image(0, 0), _image(300, 2.0)), {"t": ClipRange(0.0, 1.0)}
    images = Images(NAMES, ("rough",), stress_weight=0.0)
    assert widened(clip, clip, {"t": tails}, images, PLAN) == {}


def test_symmetric_steps_are_those_of_the_longer_side() -> None:
    symmetric = Int8Plan(activations="symmetric")
    tails = _tails(_image(0, 0), _image(1, 2.0))
    fine, coarse = (_judged(tails, 1.0, 2.0, plan=plan) for plan in (PLAN, symmetric))
    assert fine is not None
    assert coarse is not None
    assert coarse.clip.high < fine.clip.high  # coarser steps allow more clipping


def test_a_tensor_of_which_nothing_is_known_keeps_its_range() -> None:
    assert widened({"t": ClipRange(0, 1)}, {"t": ClipRange(0, 2)}, {}, Images((), ()), PLAN) == {}
    assert _judged(_tails(np.zeros(9), np.zeros(9)), 0.0, 0.0) is None
