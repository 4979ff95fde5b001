"""What observers share: ranges between -t and t, and the percentile of |x|."""

import numpy as np

from sr_bench.core.int8 import ClipRange
from sr_bench.precision.histogram import Histogram


def around_zero(histogram: Histogram, threshold: float) -> ClipRange:
    """Return the range from -`threshold` to `threshold`, cut to the values there are, and 0."""
    low = min(0.0, max(histogram.low, -threshold))
    high = max(0.0, min(histogram.high, threshold))
    return ClipRange(low, high)


def magnitude_percentile(histogram: Histogram, percent: float) -> float:
    """Return what `percent` of |x| do not exceed, interpolated inside a bin.

    100 percent is the exact largest |x|, also where that was not among the counted values.
    """
    counts = histogram.magnitudes()
    reached = np.cumsum(counts)
    rank = percent * reached[-1] / 100
    index = int(np.searchsorted(reached, rank))
    width, end = histogram.bin_width, histogram.largest
    lower = index * width
    upper = (index + 1) * width if reached[index] < reached[-1] else end
    part = 1 - (reached[index] - rank) / counts[index]
    return min(lower + float(part) * (upper - lower), end)
