"""Clip so that the mean squared error of 8 bits is smallest: what rounding adds, what clipping.

The candidates are the edges of the histogram's bins of |x|, and the exact largest value. A value
inside of a range is off by a twelfth of the squared step, as the error of rounding is spread
evenly over the step; one in the first bin by nothing, since 0 has a level; one outside by its
distance to the range.
"""

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.precision.histogram import Histogram
from sr_bench.precision.observers._threshold import around_zero

_STEPS = {"asymmetric": 255, "symmetric": 127}  # of the whole range, or from 0 to its end


def clip_range(histogram: Histogram, plan: Int8Plan) -> ClipRange:
    """Return the range of least error."""
    width, end = histogram.bin_width, histogram.largest
    bins = np.arange(1, len(histogram.magnitudes()) + 1)
    thresholds = np.append(bins[bins * width < end] * width, end)
    errors = squared_errors(histogram, thresholds, plan)
    return around_zero(histogram, float(thresholds[np.argmin(errors)]))


def squared_errors(
    histogram: Histogram, thresholds: NDArray[np.float64], plan: Int8Plan
) -> NDArray[np.float64]:
    """Return the expected mean squared error of clipping at each of `thresholds`.

    These are on |x|: edges of bins, or the largest value. `plan` says whether the steps cover the
    range, or as much on both sides of 0.
    """
    counts, width = histogram.magnitudes(), histogram.bin_width
    centres = (np.arange(len(counts)) + 0.5) * width
    first = np.minimum(np.ceil(thresholds / width), len(counts)).astype(np.int64)
    many, sums, squares = (_beyond(counts * centres**power)[first] for power in range(3))
    outside = squares - 2 * thresholds * sums + thresholds**2 * many
    total = float(counts.sum())
    inside = total - float(counts[0]) - many
    low = np.minimum(0.0, np.maximum(histogram.low, -thresholds))
    high = np.maximum(0.0, np.minimum(histogram.high, thresholds))
    reach = high - low if plan.activations == "asymmetric" else np.maximum(-low, high)
    step = reach / _STEPS[plan.activations]
    return (outside + inside * step**2 / 12) / total


def _beyond(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums of all values, of all but the first, ... and of none."""
    return np.append(np.cumsum(values[::-1])[::-1], 0.0)
