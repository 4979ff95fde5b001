"""Choose steps by which the last bit of a float never decides which level a value becomes.

Runtimes multiply and add in unlike order, so a value in the middle of two levels becomes the lower
in one and the upper in the other. One such level in a million grows to a tenth of them within
twenty layers: two runtimes that are both right then give pictures 57 dB apart. With these steps
what is rounded never comes nearer to a middle than `_MULTIPLES` allow, ten times a float32's error.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_MULTIPLES = 8191
"""Largest denominator: a middle is at least 1/16382 of a level away, and 255 levels in float32,
multiplied thrice, are off by 1/22000."""
_FEWEST = 64  # multiples of the unit in the smallest step: a step grows by 3 % at most
_TRIED = 64  # numerators
_NEAR = 5 * 2.0**-24
"""By how much of itself a step of weights may move for each product that a sum has. Runtimes that
sum in float32 are off by some of their last bits: 6e-5 of a level was seen with 1152 products."""


def common_unit(steps: Iterable[float]) -> float:
    """Return the power of two of which all `steps` become odd multiples, `_MULTIPLES` at most."""
    return float(2.0 ** np.ceil(np.log2(max(steps, default=1.0) / _MULTIPLES)))


def unit_below(unit: float, step: float) -> float:
    """Return `unit`, or the power of two that is fine enough for so small a `step`."""
    return min(unit, float(2.0 ** np.floor(np.log2(step / _FEWEST))))


def odd_multiple(step: float, unit: float) -> np.float32:
    """Return the smallest odd multiple of `unit`, or of `unit_below` it, that is not below `step`.

    Values that are whole multiples of the unit, and their sums, are then never in the middle of
    two levels.
    """
    unit = unit_below(unit, step)
    whole = np.ceil(step / unit)
    return np.float32((whole + (whole % 2 == 0)) * unit)


def odd_fractions(factors: NDArray[np.float64], terms: int) -> NDArray[np.float64]:
    """Return a fraction with an odd denominator near each of `factors`, all above 0, shape (n,).

    An integer times such a fraction is never in the middle of two integers, and the further away
    the smaller the denominator. So the first that is near enough is taken, by how far a float32
    sum of as many `terms` may be off, and else the nearest.
    """
    column = factors[:, np.newaxis]
    numerators = np.floor(column * _MULTIPLES * np.arange(1, _TRIED + 1) / _TRIED).clip(1)
    denominators = 2 * np.rint((numerators / column - 1) / 2).clip(0) + 1
    fractions = numerators / denominators
    apart = np.abs(fractions / column - 1)
    near = apart <= terms * _NEAR
    chosen = np.where(near.any(axis=1), near.argmax(axis=1), apart.argmin(axis=1))
    return np.take_along_axis(fractions, chosen[:, np.newaxis], axis=1)[:, 0]
