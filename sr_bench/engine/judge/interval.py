"""What a metric drops by between two runs of the same images, with its interval: pure functions."""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.gate import Drop
from sr_bench.errors import MetricError

_CONFIDENCE = 0.95
"""Of the interval of a mean drop."""

_POWER = 0.8
"""With which the smallest detectable drop would be detected."""

_RESAMPLES = 4000
_SEED = 0
_BLOCK = 2**20
"""Values that are resampled at a time; bounds the memory for large data sets."""

_EQUAL = 1e-12
"""Spread of values that differ by the rounding of floats alone: relative, below 1 absolute."""


def paired_drop(
    low: Sequence[float], reference: Sequence[float], *, higher_is_better: bool = True
) -> Drop:
    """Return what `low` loses against `reference`, image by image.

    Args:
        low: One value per image; inf for a perfect image, if higher is better.
        reference: The same images in the same order.
        higher_is_better: If not, a rise is a loss.

    Returns:
        The drops `reference` - `low`, or the rises if lower is better. An image that is perfect in
        both drops by 0. One that is perfect in the reference alone drops by inf, and so does the
        mean. One that is perfect in `low` alone counts as 0: a gain without bound would hide what
        the others lose.

    Raises:
        MetricError: There is no image, the numbers of images differ, or a value is NaN or
            infinitely bad.
    """
    if len(low) != len(reference) or not low:
        msg = f"expected two values for each image, got {len(low)} and {len(reference)}"
        raise MetricError(msg)
    if not higher_is_better:
        low, reference = [-value for value in low], [-value for value in reference]
    values = tuple(map(_difference, low, reference))
    if math.inf in values:  # no spread, so no interval
        return Drop(math.inf, math.inf, math.inf, math.inf, values)
    mean, low95, high95, error = _mean_interval(values)
    detectable = math.inf
    if len(values) > 1:
        far = _student(len(values), (1 + _CONFIDENCE) / 2)
        detectable = error * (far + _student(len(values), _POWER))
    return Drop(mean, low95, high95, detectable, values)


def _mean_interval(values: Sequence[float]) -> tuple[float, float, float, float]:
    """Return the mean of finite `values`, the ends of its interval and its standard error.

    For a single value the interval and the error are infinite; for equal values they are empty.

    The interval is Student's t and the bias-corrected, accelerated bootstrap, at each end the one
    that reaches further: t is too narrow where few values are large and most are nothing, the
    bootstrap where there are few values. It depends on neither their order nor chance.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, section 14.3.
    """
    # In one order, and summed exactly: the images' order must not show in the last digit.
    ordered = np.sort(np.array(values, np.float64))
    count, mean = len(values), math.fsum(values) / len(values)
    if count == 1:
        return mean, -math.inf, math.inf, math.inf
    if ordered[-1] - ordered[0] <= _EQUAL * max(1.0, abs(mean)):
        return mean, mean, mean, 0.0
    error = float(ordered.std(ddof=1)) / math.sqrt(count)
    far = _student(count, (1 + _CONFIDENCE) / 2)
    below, above = _bootstrap((ordered - mean) / error)
    low, high = mean - error * max(far, -below), mean + error * max(far, above)
    return mean, low, high, error


def _difference(low: float, reference: float) -> float:
    if math.isnan(low) or math.isnan(reference) or -math.inf in (low, reference):
        msg = f"expected a score of each image, got {low} and {reference}"
        raise MetricError(msg)
    return 0.0 if low == math.inf else reference - low


def _student(count: int, probability: float) -> float:
    """Return the quantile of Student's t for the mean of `count` values."""
    # Of this module alone: scipy.stats takes a second to import.
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    return float(stdtrit(count - 1, probability))


def _bootstrap(centred: NDArray[np.float64]) -> tuple[float, float]:
    """Return the ends of the BCa interval of the mean of `centred`, whose mean is 0."""
    count, normal, generator = len(centred), NormalDist(), np.random.default_rng(_SEED)
    rows = max(1, _BLOCK // count)
    blocks = [min(rows, _RESAMPLES - start) for start in range(0, _RESAMPLES, rows)]
    draws = (centred[generator.integers(0, count, (size, count))] for size in blocks)
    means = np.concatenate([drawn.mean(axis=1) for drawn in draws])
    # Half of those that meet the mean but for rounding: with two images every other one does.
    tie = _EQUAL * count
    bias = normal.inv_cdf(float((means < -tie).mean() + (abs(means) <= tie).mean() / 2))
    skew = float((centred**3).sum() / (6 * (centred**2).sum() ** 1.5))
    far = normal.inv_cdf((1 + _CONFIDENCE) / 2)
    shifted = (bias - far, bias + far)
    levels = [normal.cdf(bias + at / (1 - skew * at)) for at in shifted]
    below, above = np.quantile(means, levels)
    return float(below), float(above)
