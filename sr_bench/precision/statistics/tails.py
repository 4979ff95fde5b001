"""What calibration keeps of each image's largest values: the error that a clip range makes on it.

A mean over images hides the one whose strong texture is clipped. So of every image by itself the
values beyond its 98th percentile of ``|x|`` are kept, as counts in the bins of its histogram, and
its exact extremes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.int8 import ClipRange
from sr_bench.precision.histogram import Histogram

TAIL = 1 / 50
"""Part of an image's values that is kept; a clip range keeps the rest of each image whole.

A thousandth told too little of drawn texture, whose error then counted as infinite.
"""


@dataclass(frozen=True)
class Tails:
    """The largest values of one tensor, image by image."""

    totals: NDArray[np.int64]
    """Counted values of each image."""
    starts: NDArray[np.float64]
    """The magnitude that the tail of each image starts at."""
    values: NDArray[np.float32]
    """Of all tails, one image after the other."""
    counts: NDArray[np.int32]
    """How often each of them was counted."""
    owners: NDArray[np.int32]
    """The position of the image of each."""

    @classmethod
    def of(cls, histogram: Histogram) -> "Tails":
        """Return the tail of the one image whose histogram is given."""
        middles = histogram.middles
        beyond = np.cumsum(histogram.magnitudes()[::-1])[::-1]
        start = int((beyond > TAIL * beyond[0]).sum()) * histogram.bin_width
        kept = (histogram.counts > 0) & (np.abs(middles) > start)
        # The middle of a bin may lie beyond all values. Not all are counted: extremes may not be.
        values = np.clip(middles[kept], histogram.low, histogram.high)
        extremes = np.array((histogram.low, histogram.high))
        first = np.floor(extremes / histogram.bin_width).astype(np.int64)
        places = first + len(histogram.counts) // 2
        missing = histogram.counts[places] == 0
        return cls(
            np.array([beyond[0]]),
            np.array([min(start, histogram.largest)]),
            np.append(values, extremes).astype(np.float32),
            np.append(histogram.counts[kept], missing).astype(np.int32),
            np.zeros(len(values) + 2, np.int32),
        )

    @classmethod
    def joined(cls, parts: "Sequence[Tails]") -> "Tails":
        """Return the tails of all images of `parts`, in that order."""
        firsts = np.cumsum([0, *(len(part.totals) for part in parts)])
        owners = (part.owners + first for part, first in zip(parts, firsts, strict=False))
        return cls(
            np.concatenate([part.totals for part in parts]),
            np.concatenate([part.starts for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.counts for part in parts]),
            np.concatenate(list(owners)).astype(np.int32),
        )

    def only(self, images: NDArray[np.bool_]) -> "Tails":
        """Return the tails of some `images`: whether of each, by position."""
        kept, numbers = images[self.owners], np.cumsum(images, dtype=np.int32) - 1
        owners = numbers[self.owners[kept]]
        parts = (self.totals[images], self.starts[images], self.values[kept], self.counts[kept])
        return Tails(*parts, owners)

    @property
    def extremes(self) -> ClipRange:
        """The smallest range that holds all values of all images, and 0."""
        return ClipRange(min(0.0, float(self.values.min())), max(0.0, float(self.values.max())))

    def clipping(self, clip: ClipRange) -> NDArray[np.float64]:
        """Return the mean squared error of clipping on each image; inf below what is kept of it."""
        beyond = self.values - np.clip(self.values, clip.low, clip.high).astype(np.float64)
        sums = np.bincount(self.owners, self.counts * beyond**2, len(self.totals))
        reach = max(-clip.low, clip.high)
        return np.where(self.starts > reach, np.inf, sums / self.totals)
