"""Tails tell what clipping costs on each image by itself, as the values themselves would."""

from dataclasses import fields

import numpy as np
import pytest

from sr_bench.core.int8 import ClipRange
from sr_bench.precision.histogram import Histogram
from sr_bench.precision.statistics.tails import TAIL, Tails
from tests.precision.observers.distributions import SAMPLES


def _histogram(array: np.ndarray) -> Histogram:
    # All are counted: one value of four is.
    return Histogram.of(np.repeat(array.astype(np.float32), 4), where="tensor")


@pytest.mark.parametrize("kind", ["normal", "half_laplace", "lopsided", "negative"])
@pytest.mark.parametrize("part", [0.93, 0.97, 1.0])
def test_the_error_of_clipping_is_that_of_the_values(kind: str, part: float) -> None:
    array = SAMPLES[kind]
    tails = Tails.of(_histogram(array))
    kept = np.quantile(np.abs(array), 1 - TAIL * (1 - part) / 0.1)
    clip = ClipRange(-float(kept), float(kept))
    expected = np.mean(np.maximum(np.abs(array) - kept, 0.0) ** 2)
    # A value is known to a bin.
    assert tails.clipping(clip)[0] == pytest.approx(expected, rel=0.05, abs=1e-12)


def test_nothing_is_lost_where_nothing_is_clipped() -> None:
    tails = Tails.of(_histogram(SAMPLES["lopsided"]))
    assert tails.clipping(tails.extremes)[0] == 0
    assert tails.extremes == ClipRange(
        float(np.float32(SAMPLES["lopsided"].min())), float(np.float32(SAMPLES["lopsided"].max()))
    )


def test_an_extreme_that_was_not_counted_is_known() -> None:
    array = np.zeros(4000, np.float32)
    array[1] = 2.0
    tails = Tails.of(Histogram.of(array, where="tensor"))
    assert tails.clipping(ClipRange(0.0, 1.0))[0] == pytest.approx(1 / 1000)


def test_a_range_that_cuts_more_than_the_tail_is_never_accepted() -> None:
    tails = Tails.of(_histogram(np.linspace(0, 1, 100_000)))
    assert tails.clipping(ClipRange(0.0, 1 - TAIL / 2))[0] < TAIL**3
    assert tails.clipping(ClipRange(0.0, 1 - 2 * TAIL))[0] == np.inf


def test_joined_tails_keep_images_apart() -> None:
    strong, weak = _histogram(SAMPLES["normal"]), _histogram(SAMPLES["normal"] / 2)
    parts = [Tails.of(weak), Tails.of(strong), Tails.of(weak)]
    joined = Tails.joined(parts)
    clip = ClipRange(*(0.95 * np.array([parts[1].extremes.low, parts[1].extremes.high])))
    errors = joined.clipping(clip)
    assert errors[1] > 0
    assert (errors[0], errors[2]) == (0, 0)
    assert errors[1] == parts[1].clipping(clip)[0]
    again = Tails.joined([Tails.joined(parts[:2]), parts[2]])
    for field in fields(Tails):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(joined, field.name))


def test_the_tails_of_some_images_are_those_that_were_joined() -> None:
    parts = [Tails.of(_histogram(SAMPLES["normal"] * size)) for size in (1, 3, 2)]
    some = Tails.joined(parts).only(np.array([True, False, True]))
    joined = Tails.joined([parts[0], parts[2]])
    for field in fields(Tails):
        np.testing.assert_array_equal(getattr(some, field.name), getattr(joined, field.name))
    assert not len(joined.only(np.array([False, False])).values)


def test_a_tail_is_kept_and_all_of_a_flat_image() -> None:
    assert Tails.of(_histogram(SAMPLES["normal"])).counts.sum() <= TAIL * SAMPLES["normal"].size
    flat = Tails.of(_histogram(np.full(100, -3.0)))
    assert flat.clipping(ClipRange(-3.0, 0.0))[0] == 0
    assert Tails.of(_histogram(np.zeros(100))).clipping(ClipRange(0.0, 0.0))[0] == 0
