"""How much a fit says: which part of the numbers nearby would be given by a way as simple."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Digits: TypeAlias = Literal["rounded", "truncated", ""]
ROUND_OFF = 1e-9

WIDE: Mapping[str, float] = {"psnr": 0.6, "ssim": 0.012}
"""How far around a number values are counted, in the metric's unit, on each side; at least 20 of
its last digit."""
_NEAR_STEPS = 50
"""And closer, in units of the last digit: near the right value ways that differ little crowd."""


@dataclass(frozen=True)
class Number:
    """A printed number with its digits."""

    value: float
    step: float
    """One unit of the last digit."""

    @classmethod
    def of(cls, text: str) -> "Number":
        """Return the number that `text` prints."""
        return cls(float(text), 10.0 ** int(Decimal(text).as_tuple().exponent))

    def digits(self, value: float) -> Digits:
        """Return how `value` becomes the printed number."""
        beyond = (value - self.value) * (-1.0 if self.value < 0 else 1.0)
        if abs(beyond) <= self.step / 2 + ROUND_OFF:
            return "rounded"
        return "truncated" if 0 <= beyond < self.step - ROUND_OFF else ""


def covered(values: NDArray[np.float64], printed: Number, metric: str) -> float:
    """Return which part of the numbers around `printed` at least one of `values` would give.

    Counted where ways crowd most: widely, or closely and without those that give `printed`.
    """
    wide = max(20 * printed.step, WIDE[metric])
    others = values[[not printed.digits(value) for value in values.tolist()]]
    near = _NEAR_STEPS * printed.step
    return max(_part(values, printed, wide), _part(others, printed, near))


def _part(values: NDArray[np.float64], printed: Number, reach: float) -> float:
    """Return the part of the numbers within `reach` that `values` give, rounded or cut off."""
    low, high = printed.value - reach, printed.value + reach
    starts = np.clip(np.sort(values) - printed.step, low, high)
    ends = np.clip(np.sort(values) + printed.step / 2, low, high)
    # Intervals are of one length: each adds what lies beyond the end of the one before.
    before = np.concatenate([[low], ends[:-1]])
    return float(np.maximum(ends - np.maximum(starts, before), 0.0).sum() / (high - low))
