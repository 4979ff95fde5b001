"""A clip range is accepted where no calibration image loses by it; else it is widened as needed."""

import numpy as np
import pytest

from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.precision.acceptance import (
    CLIPPING_WEIGHT,
    STRESS_COST,
    STRESS_MARGIN,
    Images,
    Widened,
    widened,
)
from sr_bench.precision.histogram import Histogram
from sr_bench.precision.tails import Tails

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


def test_of_an_image_that_stresses_more_may_be_clipped() -> None:
    tails = _tails(_image(0, 0), _image(60, 2.0))
    strict = _judged(tails, 1.0, 2.0)
    lenient = _judged(tails, 1.0, 1.0, stress=("rough",))
    assert strict is not None
    assert lenient is not None
    assert lenient.image == "rough"
    # Beyond what clips nothing of the others.
    assert 1.0 < lenient.clip.high < strict.clip.high - 0.1
    # What clips a hundredth of a level more of few values of text is accepted as it is.
    mild = _tails(_image(0, 0), _image(60, 1.05))
    assert _harm(_image(60, 1.05), 1.0, 1.0) > 10
    assert _judged(mild, 1.0, 1.0, stress=("rough",)) is None
    assert _judged(mild, 1.0, 1.05) is not None


@pytest.mark.parametrize("far", [2.0, 1000.0])
def test_what_an_image_that_stresses_may_cost_is_limited(far: float) -> None:
    change = _judged(_tails(_image(0, 0), _image(60, far)), 1.0, 1.0, stress=("rough",))
    assert change is not None
    # Steps that hold the rough image would be too coarse for the flat one.
    assert 1.2 < change.clip.high <= STRESS_COST**0.5
    assert _harm(_image(60, far), change.clip.high, 1.0) > STRESS_MARGIN


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
