"""TVM's KL search against a bin-by-bin reading of its definition, and on histograms of ours."""

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sr_bench.precision.emulated._tvm_kl import kept_bins, kl_threshold
from sr_bench.precision.emulated.device import COUNTING
from sr_bench.precision.histogram import Histogram

_SMALL = 1e-4


def _smooth(parts: list[float]) -> list[float]:
    """Move a ten-thousandth to each empty bin, as MXNet and TVM do."""
    empty = sum(not part for part in parts)
    taken = _SMALL * empty / (len(parts) - empty)
    return [part - taken if part else _SMALL for part in parts]


def _divergence(counts: list[int], half: int) -> float:
    middle = len(counts) // 2
    first, end = middle - half, middle + half + 1
    p = [float(count) for count in counts[first:end]]
    p[0], p[-1] = float(sum(counts[: first + 1])), float(sum(counts[end - 1 :]))
    inside = [0, *counts[first + 1 : end]]
    merged = len(inside) // 255
    q = [0.0] * len(inside)
    for level in range(255):
        start, stop = level * merged, len(inside) if level == 254 else (level + 1) * merged
        filled = sum(count > 0 for count in inside[start:stop])
        for k in range(start, stop):
            if filled and p[k]:
                q[k] = sum(inside[start:stop]) / filled
    if not any(q):
        return inf
    p, q = _smooth(p), _smooth(q)
    return sum(a / sum(p) * np.log(a / sum(p) / (b / sum(q))) for a, b in zip(p, q, strict=True))


def _counts(seed: int, *, one_sided: bool) -> NDArray[np.int64]:
    """Return counts of many values of a peaked distribution, in 331 bins."""
    values = np.random.default_rng(seed).laplace(0, 0.2, 40_000)
    values = np.abs(values) if one_sided else values
    return np.histogram(values, bins=331, range=(-2.5, 2.5))[0]


@pytest.mark.parametrize("one_sided", [False, True])
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_range_is_that_of_the_definition(one_sided: bool, seed: int) -> None:
    counts = _counts(seed, one_sided=one_sided)
    each = {half: _divergence(counts.tolist(), half) for half in range(127, 166)}
    found = kept_bins(counts.astype(np.float64))
    assert each[found] <= min(each.values()) + 1e-6


@pytest.mark.parametrize("zeros", [0, 900_000])
def test_a_histogram_of_ours_leads_to_the_range_of_tvm_s_own_bins(zeros: int) -> None:
    values = np.abs(np.random.default_rng(3).laplace(0, 0.2, 1_000_000)).astype(np.float32)
    values[:zeros] = 0
    values = np.random.default_rng(4).permutation(values)
    largest = float(values.max())
    exact = np.histogram(values, bins=8001, range=(-largest, largest))[0]
    expected = (2 * kept_bins(exact.astype(np.float64)) + 1) / 8001 * largest
    histogram = Histogram.of(values, where="x", counting=COUNTING)
    assert kl_threshold(histogram) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_one_value_alone_is_kept_whole(value: float) -> None:
    histogram = Histogram.of(np.full(64, value, np.float32), where="x")
    assert kl_threshold(histogram) == pytest.approx(value, rel=0.05)
