"""The percentile of |x|: the sorted values', up to a bin; exact at 100 percent."""

import math
from fractions import Fraction

import numpy as np
import pytest

from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.precision.histogram import Histogram
from sr_bench.precision.observers.percentile import clip_range
from tests.precision.observers.distributions import SAMPLES


def _range(array: np.ndarray, percent: float) -> ClipRange:
    histogram = Histogram.of(array, where="tensor")
    return clip_range(histogram, Int8Plan(percentile=percent))


@pytest.mark.parametrize("percent", [60.0, 90.0, 99.0, 99.9])
@pytest.mark.parametrize("kind", SAMPLES)
def test_the_threshold_is_that_of_the_sorted_values_up_to_a_bin(kind: str, percent: float) -> None:
    array = SAMPLES[kind]
    clip = _range(array, percent)
    magnitudes = np.abs(array[::4])
    rank = math.ceil(Fraction(str(percent)) / 100 * len(magnitudes))
    expected = np.sort(magnitudes)[rank - 1]
    width = 2.0 ** np.ceil(np.log2(float(np.abs(array).max()))) / 2048
    assert max(-clip.low, clip.high) == pytest.approx(expected, abs=width)


def test_it_is_interpolated_inside_a_bin() -> None:
    # 300 equal steps inside of one bin, which is 1/256 wide.
    array = np.append(np.repeat(1 + np.arange(300) / 300 / 256, 4), [7.0] * 4).astype(np.float32)
    for part in (0.25, 0.5, 0.75):
        clip = _range(array, 100 * part * 300 / 301)
        assert clip.high == pytest.approx(1 + part / 256, abs=1e-5)


@pytest.mark.parametrize("kind", SAMPLES)
def test_hundred_percent_clips_nothing(kind: str) -> None:
    array = SAMPLES[kind]
    array = np.append(array, [0.0, 3 * array[np.abs(array).argmax()]])  # not counted: the 4th is
    assert np.abs(array[::4]).max() < np.abs(array).max()
    clip = _range(array.astype(np.float32), 100)
    assert (clip.low, clip.high) == (min(0, array.min()), max(0, array.max()))


def test_more_percent_keep_more() -> None:
    reaches = [_range(SAMPLES["laplace"], p).high for p in np.linspace(50.5, 100, 200)]
    assert reaches == sorted(reaches)
    assert reaches[0] < reaches[-1]
