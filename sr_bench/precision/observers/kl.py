"""Clip so that the distribution of |x| in 8 bits diverges least from the one in float.

The divergence is Kullback and Leibler's. For each number of bins that could be kept, from as many
as there are levels to all: P is the kept bins, with all that is clipped added to the last; Q is
the same bins without that, merged into the levels, and each level spread evenly over those of its
bins where P holds something. Levels are equally wide; a bin belongs to that which its lower edge
lies in. If all of the last level is clipped values, Q has a ten-thousandth of a value there. The
kept part that gives the smallest KL(P || Q) is chosen.

There are 2048 bins of |x|. The first takes the count of its neighbour: zeros have a level of their
own, and after a ReLU they would outweigh everything. A tensor with both signs has 128 levels for
|x|; one with a single sign has 255, unless activations are symmetric.

Source: S. Migacz, 8-bit inference with TensorRT, GTC 2017; NVIDIA's pytorch-quantization, which
replaces the first bin; TVM's relay.quantize, which smooths Q, and has 255 levels for both signs.
"""

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.precision.histogram import Histogram
from sr_bench.precision.observers._threshold import around_zero

SYNONYMS = ("kl_divergence", "entropy")

_LEVELS_ONE_SIDED = 255
_LEVELS_OF_A_SIDE = 128
_ABSENT = 1e-4  # count that Q has where it lacks what P has
_BLOCK = 128  # candidates worked on at once: as much as a processor's cache holds


def clip_range(histogram: Histogram, plan: Int8Plan) -> ClipRange:
    """Return the range of least divergence."""
    counts = histogram.magnitudes()
    counts[0] = counts[1]
    one_sided = histogram.low >= 0 or histogram.high <= 0
    # Levels for a sign that is not there are lost: by onnxruntime's rule LESRCNN x2 fell 12.5 dB.
    whole = one_sided and plan.activations == "asymmetric"
    levels = _LEVELS_ONE_SIDED if whole else _LEVELS_OF_A_SIDE
    kept = kept_bins(counts, levels)
    if not counts[kept:].any():  # also the largest value, which may not have been counted
        return around_zero(histogram, histogram.largest)
    return around_zero(histogram, kept * histogram.bin_width)


def kept_bins(counts: NDArray[np.int64], levels: int) -> int:
    """Return how many bins of |x| the rule merges into `levels`: the candidate of least divergence.

    `counts` are in equal bins from 0.
    """
    filled = np.flatnonzero(counts)
    end = int(filled[-1]) + 1 if filled.size else 0
    if levels >= end:
        return end
    return levels + int(np.argmin(divergences(counts, levels, np.arange(levels, end + 1))))


def divergences(
    counts: NDArray[np.int64], levels: int, candidates: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return KL(P || Q) in nats for each number of kept bins; inf where those are all empty.

    `counts` are of |x| in equal bins from 0, not all zero; each of `candidates` is a number of kept
    bins, from `levels` to the number of bins.

    KL(P || Q) is the sum of p log p less the sum of p log q, and q is the same in all bins of a
    level: what varies with the bin are the sums of p log p, which candidates share. Running sums
    over the bins make a level cost the same for any number of bins.
    """
    bins = counts.astype(np.float64)
    sums, filled_bins = running_sums(bins), running_sums(bins > 0)
    p_log_ps = running_sums(x_log_x(bins))
    blocks = []
    for start in range(0, len(candidates), _BLOCK):
        kept = candidates[start : start + _BLOCK]
        # Bin j is in level floor(j * levels / kept): a level starts at the edge rounded up.
        edges = -(np.arange(levels + 1) * -kept[:, None] // levels)
        inside, filled = np.diff(sums[edges]), np.diff(filled_bins[edges])
        all_inside, last = sums[kept], bins[kept - 1]
        clipped = sums[-1] - all_inside
        # P's last bin holds what is clipped, even where it was empty itself.
        filled[:, -1] += (last == 0) & (clipped > 0)
        log_q = np.log(np.maximum(inside, _ABSENT) / np.maximum(filled, 1))
        p_log_p = p_log_ps[kept - 1] + x_log_x(last + clipped)
        p_log_q = np.einsum("ij,ij->i", inside, log_q) + clipped * log_q[:, -1]
        scales = np.log(np.maximum(all_inside, 1)) - np.log(sums[-1])
        divergence = (p_log_p - p_log_q) / sums[-1] + scales
        blocks.append(np.where(all_inside > 0, divergence, np.inf))
    return np.concatenate(blocks)


def running_sums(values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return the sums of the first 0, 1, ... values."""
    return np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))


def x_log_x(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return x log x of counts; 0 of 0."""
    return values * np.log(np.maximum(values, 1))
