"""Histograms of tensors: equal to numpy's, exact under any order and grouping, honest on NaN."""

from collections.abc import Sequence
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sr_bench.errors import BackendError
from sr_bench.precision.emulated.device import COUNTING
from sr_bench.precision.histogram import USUAL, Counting, Histogram

_SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)

_VALUES = st.floats(-(2.0**20), 2.0**20, width=32, allow_subnormal=False) | st.sampled_from(
    (0.0, -0.0, 1.0, -1.0, 2.0**-70, -(2.0**-70))
)
# Lengths that the sampling divides, so that it takes the same values from the arrays joined.
_ARRAYS = st.lists(
    st.integers(1, 5).flatmap(lambda n: arrays(np.float32, 4 * n, elements=_VALUES)),
    min_size=1,
    max_size=6,
)


def _of(array: np.ndarray, counting: Counting = USUAL) -> Histogram:
    return Histogram.of(array, where="tensor", counting=counting)


def _merged(parts: Sequence[np.ndarray]) -> Histogram:
    return reduce(Histogram.merged, [_of(part) for part in parts])


def _content(histogram: Histogram) -> tuple[str, str, int, bytes]:
    """Return all bits; ``repr`` distinguishes 0.0 from -0.0."""
    return (
        repr(histogram.low),
        repr(histogram.high),
        histogram.exponent,
        histogram.counts.tobytes(),
    )


def _expected_counts(values: np.ndarray, exponent: int, bins: int = USUAL.bins) -> np.ndarray:
    edges = np.arange(-bins // 2, bins // 2 + 1) * (2.0**exponent / (bins // 2))
    return np.histogram(values.astype(np.float64), edges)[0]


@pytest.mark.parametrize("scale", [1e-12, 0.003, 1.0, 0.99999994, 700.0, 1e35])
@pytest.mark.parametrize("kind", ["normal", "positive", "negative", "integers"])
def test_counts_are_those_of_numpy_for_every_fourth_value(scale: float, kind: str) -> None:
    values = np.random.default_rng(0).normal(size=(3, 4, 50, 7))
    if kind == "integers":  # on edges of bins
        values = np.rint(values * 64)
    elif kind != "normal":
        values = np.abs(values) * (1 if kind == "positive" else -1)
    array = (values * scale).astype(np.float32)
    hist = _of(array)
    assert (hist.low, hist.high) == (array.min(), array.max())
    assert 2.0 ** (hist.exponent - 1) <= np.abs(array).max() < 2.0**hist.exponent
    assert hist.counts.dtype == np.int64
    assert np.array_equal(hist.counts, _expected_counts(array.reshape(-1)[::4], hist.exponent))


@_SETTINGS
@given(_ARRAYS, st.randoms(use_true_random=False))
def test_neither_the_order_nor_the_grouping_of_arrays_matters(
    parts: list[np.ndarray], random: object
) -> None:
    whole = _of(np.concatenate(parts))
    shuffled = random.sample(parts, len(parts))  # type: ignore[attr-defined]
    half = len(parts) // 2
    assert _content(_merged(parts)) == _content(whole)
    assert _content(_merged(shuffled)) == _content(whole)
    if half:
        halves = _merged(shuffled[:half]).merged(_merged(shuffled[half:]))
        assert _content(halves) == _content(whole)


@pytest.mark.parametrize("counting", [USUAL, COUNTING])
def test_a_range_that_grows_a_lot_loses_no_value(counting: Counting) -> None:
    small = np.random.default_rng(1).normal(size=400).astype(np.float32)
    big = small * np.float32(2.0**40)
    hist = _of(small, counting).merged(_of(big, counting))
    both = np.concatenate([small, big])[:: counting.stride]
    assert np.array_equal(hist.counts, _expected_counts(both, hist.exponent, counting.bins))
    assert hist.magnitudes().sum() == len(both) == hist.relu().magnitudes().sum()


def test_all_of_many_values_are_counted_where_a_device_counts() -> None:
    values = np.random.default_rng(2).normal(size=600_000).astype(np.float32)
    hist = _of(values, COUNTING)
    assert np.array_equal(hist.counts, _expected_counts(values, hist.exponent, COUNTING.bins))


def test_a_black_image_does_not_coarsen_the_bins_of_others() -> None:
    rest = np.full(8, 0.001, np.float32)
    hist = _of(np.zeros(400, np.float32)).merged(_of(rest))
    assert hist.exponent == _of(rest).exponent
    assert (hist.low, hist.high, hist.counts[USUAL.bins // 2]) == (0.0, np.float32(0.001), 100)


@pytest.mark.parametrize("value", [0.0, -0.0, 5.0, -5.0, 1e-30, -1e-30, 1e-45, 3.4e38, -3.4e38])
def test_constant_arrays_are_counted_in_one_bin(value: float) -> None:
    array = np.full((1, 2, 8, 8), value, np.float32)
    hist = _of(array)
    assert (hist.low, hist.high) == (array.min(), array.max())
    assert sorted(hist.counts)[-2:] == [0, 32]
    negative = hist.counts[: USUAL.bins // 2].sum()
    assert negative == (32 if value < 0 else 0)


def test_the_extremes_are_found_among_the_values_that_are_not_counted() -> None:
    array = np.zeros(16, np.float32)
    array[1], array[3] = -7.25, 9.5
    hist = _of(array)
    assert (hist.low, hist.high, hist.counts.sum()) == (-7.25, 9.5, 4)


@_SETTINGS
@given(arrays(np.float32, 40, elements=_VALUES))
def test_relu_returns_the_histogram_of_what_a_relu_outputs(array: np.ndarray) -> None:
    after = np.maximum(array, 0)
    hist = _of(array).relu()
    assert (hist.low, hist.high) == (after.min(), after.max())
    assert np.array_equal(hist.counts, _expected_counts(after[::4], hist.exponent))
    if array.max() >= -array.min() and array.max() > 0:
        assert _content(hist) == _content(_of(after))


@_SETTINGS
@given(arrays(np.float32, 40, elements=_VALUES))
def test_magnitudes_hold_both_signs(array: np.ndarray) -> None:
    hist = _of(array)
    counts = hist.magnitudes()
    width = 2.0**hist.exponent / len(counts)
    # A negative value on an edge counts below it.
    both = np.abs(array[::4].astype(np.float64)) / width
    nearest_zero = np.where((array[::4] < 0) & (both % 1 == 0), both - 1, both).astype(int)
    assert np.array_equal(counts, np.bincount(nearest_zero, minlength=len(counts)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, 399])
def test_a_value_that_is_not_finite_is_an_error_that_names_the_tensor(
    bad: float, place: int
) -> None:
    array = np.ones(400, np.float32)
    array[place] = bad
    with pytest.raises(BackendError, match=r"'body\.3'.*(nan|inf).*expected finite"):
        Histogram.of(array, where="body.3")


def test_an_empty_tensor_is_an_error_that_names_it() -> None:
    with pytest.raises(BackendError, match=r"'body\.3' holds no value"):
        Histogram.of(np.empty((1, 3, 0, 4), np.float32), where="body.3")
