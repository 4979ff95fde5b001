"""What a metric drops by between two runs of the same images, with its interval: pure functions."""

import math
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.gate import Drop
from sr_bench.errors import MetricError

_TAIL = 0.025
"""How often each end of the 95 % interval of a mean drop may miss."""

RARE = 0.1
"""The share of images that lose much, which a set has to be large enough to show."""

FEWEST = math.ceil(math.log(_TAIL) / math.log(1 - RARE))
"""Images from which on all that is rarer than `RARE` is missed no more often than `_TAIL`."""

_REACH = 2.0
"""How many times as far from the mean as the furthest image the one lies that nobody saw."""

_POWER = 0.8
"""With which the smallest detectable drop would be detected."""

_DRAWS = 4000
_SEED = 0
_BLOCK = 2**20
"""Weights that are drawn at a time; bounds the memory for large data sets."""


def paired_drop(
    low: Sequence[float],
    reference: Sequence[float],
    *,
    higher_is_better: bool = True,
    left_out: Collection[int] = (),
    worst: float | None = None,
) -> Drop:
    """Return what `low` loses against `reference`, image by image.

    Args:
        low: One value per image; inf for a perfect image, if higher is better.
        reference: The same images in the same order.
        higher_is_better: If not, a rise is a loss.
        left_out: Which images do not count, as `nearly_perfect` says; not all of them.
        worst: The most that any image is declared to lose; None: not declared.

    Returns:
        The drops `reference` - `low`, or the rises if lower is better. An image that is perfect in
        both drops by 0, one that is so in the reference alone by inf, and in `low` alone by 0: a
        gain without bound would hide what the others lose.

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
    out = tuple(sorted(left_out))
    counted = [value for index, value in enumerate(values) if index not in out]
    if math.inf in counted:  # no spread, so no interval
        return Drop(math.inf, math.inf, math.inf, math.inf, values, out)
    if len(counted) == 1:
        return Drop(counted[0], -math.inf, math.inf, math.inf, values, out)
    mean = math.fsum(counted) / len(counted)  # exact: the images' order must not show
    rows = np.sort(np.array([counted], np.float64)) - mean
    ends = interval_ends(rows, None if worst is None else np.array([[worst - mean]]))
    below, above = (float(end[0]) for end in ends)
    error = float(rows.std(ddof=1)) / math.sqrt(len(counted))
    detectable = error * _student(len(counted), _POWER) - below
    return Drop(mean, mean + below, mean + above, detectable, values, out)


def interval_ends(
    ordered: NDArray[np.float64], worst: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of the 95 % interval of the mean of each row of `ordered`.

    Each end is a quantile of the means that one image more could give: the images and the one
    nobody saw are weighted at random, all weightings being equally likely. For values of which
    none is above that one, this is Gaffke's bound; for two values it is Clopper and Pearson's.
    The one nobody saw loses `worst`, if that is declared. Otherwise it lies `_REACH` times as far
    from the mean as the furthest image, and a row of less than `FEWEST` values has no upper end.

    Args:
        ordered: Rows of at least two values, ascending, less their mean.
        worst: What an image loses at most, less the mean; one column.

    Returns:
        For each row the lower end and the upper one, less the mean.

    Source: Gaffke, Three test statistics for a nonparametric one-sided hypothesis on the mean of
    a nonnegative variable, Mathematical Methods of Statistics 14 (2005).
    """
    least, most = ordered[:, :1], ordered[:, -1:]
    unseen = _REACH * most if worst is None else np.maximum(most, worst)
    # The lower end is the upper one of the same images, seen from below.
    mirrored = np.concatenate([-ordered[:, ::-1], -_REACH * least], axis=1)
    ends = _upper(np.concatenate([np.concatenate([ordered, unseen], axis=1), mirrored]))
    above, below = np.split(ends, 2)
    if worst is None and ordered.shape[1] < FEWEST:
        above = np.full_like(above, math.inf)
    return np.minimum(-below, 0.0), np.maximum(above, 0.0)  # which rounding may cross


def nearly_perfect(
    low: Sequence[float],
    reference: Sequence[float],
    *,
    higher_is_better: bool = True,
    perfect: float | None = None,
) -> tuple[int, ...]:
    """Return which images say nothing about a mean drop, as one of their two values is perfect.

    A small error turns perfection into a drop of any size. One that is worse in `low` than the
    worst of the others does count, and where there are no others, all do.

    Args:
        low: As of `paired_drop`.
        reference: As of `paired_drop`.
        higher_is_better: If not, values below `perfect` are the perfect ones.
        perfect: From which value on an image counts as perfect; None: from an infinite one on.
    """
    sign = 1 if higher_is_better else -1
    edge = math.inf if perfect is None else sign * perfect
    pairs = [(sign * a, sign * b) for a, b in zip(low, reference, strict=False)]
    others = [a for a, b in pairs if max(a, b) < edge]
    return tuple(
        index
        for index, (a, b) in enumerate(pairs)
        if others and max(a, b) >= edge and a >= min(others)
    )


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


def _upper(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what randomly weighted means of each of `rows` exceed in `_TAIL` of cases.

    The weights are uniform among all whose sum is 1, and the same each time.
    """
    count = rows.shape[1]
    columns = np.concatenate([rows, np.ones((1, count))]).T  # the ones add up the weights
    generator, size = np.random.default_rng(_SEED), max(1, _BLOCK // count)
    means = []
    for start in range(0, _DRAWS, size):
        drawn = generator.standard_exponential((min(size, _DRAWS - start), count)) @ columns
        means.append(drawn[:, :-1] / drawn[:, -1:])
    return np.asarray(np.quantile(np.concatenate(means), 1 - _TAIL, axis=0))
