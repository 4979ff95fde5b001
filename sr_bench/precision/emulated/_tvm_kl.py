"""The threshold that TVM's ``kl_divergence`` search finds, from a histogram of ours.

TVM counts a tensor in 8001 bins between -max|x| and max|x|. It tries ranges around 0 of 255 bins
and more, and merges the bins of each into 255 levels of equally many; what is left over joins the
last level. P is the bins of the range, with what lies outside added to the first and last; Q
spreads each level evenly over those of its bins that P fills. The range of the least KL(P || Q) is
chosen. Our ``kl`` has levels of one width and another first bin: for VDSR its ranges are up to a
fifth wider or narrower, which alone moves the PSNR by 0.07 dB.

Source: apache/tvm v0.18.0, src/relay/quantize/calibrate.cc (``MinimizeKL``), whose arithmetic this
equals but for its rounding to float32.
"""

import numpy as np
from numpy.typing import NDArray

from sr_bench.precision.histogram import Histogram
from sr_bench.precision.observers.kl import running_sums, x_log_x

_TVM_BINS = 8001
_LEVELS = 255
_ABSENT = 1e-4  # count that Q has where it lacks what P has
_BLOCK = 256  # candidates worked on at once


def kl_threshold(histogram: Histogram) -> float:
    """Return T, which is at most the largest magnitude."""
    if not histogram.largest:
        return 0.0
    bins = 2 * kept_bins(_as_tvm_counts(histogram)) + 1
    return bins / _TVM_BINS * histogram.largest


def kept_bins(counts: NDArray[np.float64]) -> int:
    """Return how many bins the best range has on each side of the middle one.

    `counts` are in an odd number of equal bins around 0, not all empty.
    """
    widest = len(counts) // 2
    halves = np.arange(_LEVELS // 2, widest + 1)
    blocks = [halves[at : at + _BLOCK] for at in range(0, len(halves), _BLOCK)]
    return int(halves[np.argmin(np.concatenate([_divergences(counts, each) for each in blocks]))])


def _divergences(counts: NDArray[np.float64], halves: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return KL(P || Q) in nats of the ranges with so many bins on each side; inf of empty ones.

    The sums over a range's bins are differences of running sums over all.
    """
    first, end = len(counts) // 2 - halves, len(counts) // 2 + halves + 1
    edges = first[:, None] + np.arange(_LEVELS + 1) * ((2 * halves + 1) // _LEVELS)[:, None]
    edges[:, -1] = end
    edges[:, 0] += 1  # TVM counts the first bin in P alone
    sums, filled = running_sums(counts), running_sums(counts > 0)
    p_log_ps = running_sums(x_log_x(counts))
    inside, many = np.diff(sums[edges]), np.diff(filled[edges])
    below, above, last = sums[first + 1], sums[-1] - sums[end], counts[end - 1]
    q = np.where(many > 0, inside / np.maximum(many, 1), _ABSENT)
    q_sum = inside.sum(axis=1) + np.where(below > 0, q[:, 0], 0)
    q_sum += np.where((last == 0) & (above > 0), q[:, -1], 0)
    p_log_p = p_log_ps[end - 1] - p_log_ps[first + 1] + x_log_x(below) + x_log_x(last + above)
    log_q = np.log(q)
    p_log_q = np.einsum("ij,ij->i", inside, log_q) + below * log_q[:, 0] + above * log_q[:, -1]
    scales = np.log(np.maximum(q_sum, _ABSENT)) - np.log(sums[-1])
    divergences = (p_log_p - p_log_q) / sums[-1] + scales
    return np.where(inside.any(axis=1), divergences, np.inf)


def _as_tvm_counts(histogram: Histogram) -> NDArray[np.float64]:
    """Return the counts in TVM's bins, as if each of ours were filled evenly.

    But zeros, of which a ReLU makes many, all lie in the middle: what the first bin from 0 on has
    more than its neighbour.
    """
    counts, largest = histogram.counts.astype(np.float64), histogram.largest
    half = len(counts) // 2
    zeros = max(counts[half] - counts[half + 1], 0.0)
    counts[half] -= zeros
    ends = np.arange(-half, half + 1) * histogram.bin_width
    ends = ends.clip(-largest, largest)  # the outermost ones are filled no further
    edges = np.linspace(-largest, largest, _TVM_BINS + 1)
    spread = np.diff(np.interp(edges, ends, running_sums(counts)))
    spread[_TVM_BINS // 2] += zeros
    return spread
