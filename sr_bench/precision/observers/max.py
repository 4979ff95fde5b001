"""Clip nothing: the range is what the calibration set reaches."""

from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.precision.histogram import Histogram
from sr_bench.precision.observers._threshold import around_zero

SYNONYMS = ("minmax",)


def clip_range(histogram: Histogram, plan: Int8Plan) -> ClipRange:
    """Return the exact extremes, and 0. Nothing of `plan` matters."""
    return around_zero(histogram, histogram.largest)
