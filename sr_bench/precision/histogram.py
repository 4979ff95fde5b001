"""What calibration keeps of a tensor: exact extremes, and counts in bins that grow without loss.

The bins are equally wide and cover -2**exponent up to 2**exponent. A value that lies outside
raises the exponent; then two neighbouring bins become one, which is exact, as every edge of the
wide bins is an edge of the narrow ones. So a histogram of many arrays does not depend on their
order, and merging the histograms of two halves gives the histogram of the whole.
"""

from dataclasses import dataclass, replace
from math import frexp

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.int8 import ClipRange
from sr_bench.errors import BackendError

_MIN_EXPONENT = -60  # bins do not get narrower than this allows: smaller values count as 0
_AT_ONCE = 2**18  # values counted at a time: what that takes of memory is small


@dataclass(frozen=True)
class Counting:
    """How finely values are counted, and how many of them."""

    bins: int
    """An even number; half of them are for |x|."""
    stride: int
    """One value of so many is counted."""


USUAL = Counting(bins=4096, stride=4)
"""KL tries all ranges in 2 to 7 ms, and int8 stays within 0.015 dB of counting all (measured)."""


def binary_exponent(largest: float) -> int:
    """Return the least exponent, from -60 on, of a power of two above the magnitude `largest`."""
    # Zeros take the finest bins: merged with others they must not coarsen theirs.
    return max(frexp(largest)[1], _MIN_EXPONENT) if largest else _MIN_EXPONENT


@dataclass(frozen=True)
class Histogram:
    """The distribution of a tensor's values."""

    low: float
    """The smallest value, exactly."""
    high: float
    """The largest value, exactly."""
    exponent: int
    """The bins cover -2**exponent up to 2**exponent."""
    counts: NDArray[np.int64]
    """Of the counted values, by bin."""

    @property
    def largest(self) -> float:
        """The largest magnitude, exactly."""
        return max(-self.low, self.high)

    @property
    def bin_width(self) -> float:
        """Width of a bin."""
        return 2.0**self.exponent / self._half

    @property
    def middles(self) -> NDArray[np.float64]:
        """The middle of each bin."""
        indices = np.arange(-self._half, self._half, dtype=np.float64)
        return (indices + 0.5) * self.bin_width

    @property
    def _half(self) -> int:
        """Bins of one sign."""
        return len(self.counts) // 2

    @classmethod
    def of(
        cls, array: NDArray[np.float32], *, where: str, counting: Counting = USUAL
    ) -> "Histogram":
        """Return the histogram of `array`, of any shape; `where` is the tensor's name for errors.

        All values are searched for the extremes, whatever part of them is counted.

        Raises:
            BackendError: `array` is empty, or holds NaN or inf.
        """
        values = array.reshape(-1)
        low, high = (float(values.min()), float(values.max())) if values.size else (0.0, np.nan)
        if not np.isfinite(high - low):
            got = f"values from {low:g} to {high:g}" if values.size else "no value"
            msg = f"the tensor {where!r} holds {got}; expected finite numbers to calibrate with"
            raise BackendError(msg)
        exponent = binary_exponent(max(-low, high))
        counts = np.zeros(counting.bins, np.int64)
        counted, per_unit = values[:: counting.stride], 2.0 ** (-exponent) * (counting.bins // 2)
        for start in range(0, len(counted), _AT_ONCE):
            scaled = counted[start : start + _AT_ONCE] * np.float32(per_unit)
            np.floor(scaled, out=scaled)  # exact so far, as 2**exponent is a power of two
            scaled += counting.bins // 2
            counts += np.bincount(scaled.astype(np.int64), minlength=counting.bins)
        # A sum with 0.0, as the sign of a zero extreme would depend on the order of the values.
        return cls(low + 0.0, high + 0.0, exponent, counts)

    def merged(self, other: "Histogram") -> "Histogram":
        """Return the histogram of the values of both."""
        exponent = max(self.exponent, other.exponent)
        counts = self._widened(exponent).counts + other._widened(exponent).counts
        return Histogram(min(self.low, other.low), max(self.high, other.high), exponent, counts)

    def relu(self) -> "Histogram":
        """Return the histogram of the values after a ReLU."""
        counts = self.counts.copy()
        counts[self._half] += counts[: self._half].sum()
        counts[: self._half] = 0
        return replace(self, low=max(self.low, 0.0), high=max(self.high, 0.0), counts=counts)

    def magnitudes(self) -> NDArray[np.int64]:
        """Return the counts of |x|, in half as many bins from 0 up to 2**exponent."""
        return self.counts[self._half :] + self.counts[: self._half][::-1]

    def noise(self, clip: ClipRange) -> float:
        """Return the mean square of what `clip` and 256 levels change, as a part of the values'."""
        middles = self.middles
        power = float(self.counts @ middles**2)
        if not power:
            return 0.0
        outside = middles - np.clip(middles, clip.low, clip.high)
        rounding = ((clip.high - clip.low) / 255) ** 2 / 12 * float(self.counts.sum())
        return (float(self.counts @ outside**2) + rounding) / power

    def _widened(self, exponent: int) -> "Histogram":
        """Return the same counts in the bins of a larger exponent."""
        counts = self.counts
        for _ in range(exponent - self.exponent):
            wide = np.zeros_like(counts)
            wide[self._half // 2 : -self._half // 2] = counts.reshape(-1, 2).sum(axis=1)
            counts = wide
        return replace(self, exponent=exponent, counts=counts)
