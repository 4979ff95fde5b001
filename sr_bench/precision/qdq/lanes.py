"""Compute a layer that gives the image several times over, each time rounded in another way.

Kernels of integers work on 16 output channels at a time, so a layer of 3 costs what one of 16 does
(in onnxruntime more, where the number is no multiple of 16). Here the idle lanes hold the same
layer again, with weights and biases that are rounded up in some lanes and down in others. Their
mean is a layer of finer weights, whose result has more than 256 levels.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from sr_bench.precision.qdq.rounding import LARGEST

_WIDTH = 16
_COPIES, _ROWS = 8, 48
"""As many are made, as long as they take no more rows than a layer of the trunk has."""


@dataclass(frozen=True)
class Lanes:
    """A layer of O outputs as one of R outputs, of which the mean is taken."""

    values: NDArray[np.int8]
    """Shape (R, I, kh, kw): copy after copy, then zeros."""
    q_scale: NDArray[np.float32]
    """Shape (R,)."""
    bias: NDArray[np.float64]
    """Shape (R,), in the layer's unit."""
    mean: NDArray[np.float32]
    """Shape (O, R, 1, 1): weights of a convolution."""


def copies_of(count: int) -> int:
    """Return how often a layer of `count` outputs is computed."""
    return _rows(count) // count


def _rows(count: int) -> int:
    return min(_ROWS, _WIDTH * ceil(_COPIES * count / _WIDTH))


def lanes(
    weight: NDArray[np.generic],
    bias: NDArray[np.generic] | None,
    q_scale: NDArray[np.float32],
    level: np.float32,
) -> Lanes:
    """Return the layer of `weight`, shape (O, I, kh, kw), in lanes.

    Args:
        weight: Of the fp32 network.
        bias: Shape (O,); None if it has none.
        q_scale: What one level of each output channel's weights stands for, shape (O,).
        level: What one level of its result stands for.
    """
    count = len(weight)
    rows, copies = _rows(count), copies_of(count)
    # From just above -1/2 to just below 1/2 of a level, 0 on average.
    parts = (np.arange(copies) + 0.5) / copies - 0.5
    steps = weight.astype(np.float64) / q_scale[:, None, None, None]
    # Each lane rounds some weights up and others down, or it would give another mean brightness.
    turn = np.arange(copies)[:, None] + np.arange(weight[0].size)
    whole = np.rint(steps + parts[turn % copies].reshape(copies, 1, *weight.shape[1:]))
    used = copies * count
    values = np.zeros((rows, *weight.shape[1:]), np.int8)
    values[:used] = np.clip(whole, -LARGEST, LARGEST).reshape(used, *weight.shape[1:])
    scale = np.resize(q_scale, rows)  # repeats
    own = np.zeros(count) if bias is None else bias.astype(np.float64)
    offsets = np.zeros(rows)
    # Reversed, so that a lane whose weights are rounded up has its result rounded down.
    offsets[:used] = (own + level * parts[::-1, None]).reshape(used)
    mean = np.zeros((count, rows, 1, 1), np.float32)
    mean[:, :used, 0, 0] = np.tile(np.eye(count) / copies, copies)
    return Lanes(values, scale, offsets, mean)
