"""Turn a convolution's weights into 8-bit integers, with or without knowing what they multiply."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sr_bench.precision.network import Network

LARGEST = 127
"""Integers are symmetric: -127 to 127, and -128 is not used."""

_LARGEST_BIAS = 2**30  # leaves as much room again for the sum that the bias is added to
_SMALLEST = 1e-15  # a channel with less holds 0: a step must have a reciprocal
_DAMPING = 0.01  # share of the mean second moment added to each, for moments from few positions
_BLOCK = 64  # rows passed on one by one: 64 x 576 weights take 35 ms, all at once 99


@dataclass(frozen=True)
class IntegerWeights:
    """Weights as integers with one scale for each output channel."""

    values: NDArray[np.int8]
    """Shape (O, I, kh, kw)."""
    q_scale: NDArray[np.float32]
    """Shape (O,); the weights are about ``values * q_scale``."""

    def with_room_for(
        self, bias: NDArray[np.generic], read: np.float32 | NDArray[np.float32]
    ) -> "IntegerWeights":
        """Return them in wider steps where `bias`, shape (O,), would not fit an int32.

        `read` is what one level of what they multiply stands for.
        """
        step = self.q_scale * np.float64(read)
        wider = np.maximum(1.0, np.abs(bias).astype(np.float64) / (step * _LARGEST_BIAS))
        if (wider == 1).all():
            return self
        values = np.rint(self.values / wider[:, None, None, None])
        return IntegerWeights(values.astype(np.int8), (self.q_scale * wider).astype(np.float32))


def integer_weights(
    network: Network, moments: Mapping[str, NDArray[np.float64]], *, workers: int = 1
) -> dict[str, IntegerWeights]:
    """Return the integers of every layer's weights, by the name of the constant.

    Weights with `moments` get `round_learned`; others are rounded to nearest. So many `workers`
    take a layer each.
    """

    def rounded(name: str) -> IntegerWeights:
        weight = network.constants[name].astype(np.float32)
        known = moments.get(name)
        return round_nearest(weight) if known is None else round_learned(weight, known)

    names = dict.fromkeys(layer.weight for layer in network.layers)
    # BLAS' threads wait for each other at full speed: three times the CPU for the same.
    one_each = threadpool_limits(limits=1, user_api="blas")
    with one_each, ThreadPoolExecutor(workers, thread_name_prefix="round") as executor:
        return dict(zip(names, executor.map(rounded, names), strict=True))


def round_nearest(
    weight: NDArray[np.float32], *, levels: int = LARGEST, per_channel: bool = True
) -> IntegerWeights:
    """Return each weight as the nearest integer, half to even.

    Args:
        weight: Shape (O, I, kh, kw).
        levels: What the largest magnitude becomes, before it is cut to 127.
        per_channel: Whether that is the largest of each output channel, or of all.
    """
    scale = _scales(weight, levels=levels, per_channel=per_channel)
    integers = np.rint(weight / scale[:, None, None, None])
    return IntegerWeights(np.clip(integers, -LARGEST, LARGEST).astype(np.int8), scale)


def round_learned(weight: NDArray[np.float32], moments: NDArray[np.float64]) -> IntegerWeights:
    """Return integers that change what the layer gives as little as possible.

    The weights of an output channel are rounded one after the other; what each loses is made up
    for by those that are left, as far as the inputs that they multiply go together (GPTQ). That
    starts with the weight whose input is strongest.

    Args:
        weight: Shape (O, I, kh, kw).
        moments: Second moments ``E[x x^T]`` of what the weights of a channel multiply, up to a
            factor: shape (K, K), or (groups, K, K), where K = I * kh * kw.

    Source: E. Frantar, S. Ashkboos, T. Hoefler, D. Alistarh: GPTQ, ICLR 2023, algorithm 1.
    """
    scale = _scales(weight)
    rows = (weight.reshape(len(weight), -1) / scale[:, None]).astype(np.float64)
    groups = moments.reshape(-1, *moments.shape[-2:])
    parts = [
        _rounded_in_turn(part, moment)
        for part, moment in zip(np.split(rows, len(groups)), groups, strict=True)
    ]
    return IntegerWeights(np.concatenate(parts).reshape(weight.shape).astype(np.int8), scale)


def _rounded_in_turn(rows: NDArray[np.float64], moment: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `rows`, shape (O, K) in units of a level, as whole numbers."""
    strength = np.diag(moment)
    if not strength.any():  # the inputs were 0: any rounding gives the same
        return np.rint(rows)
    # Stable, so that inputs of equal strength have the same order everywhere. The strongest comes
    # last, as LAPACK's factor starts at the other end.
    order = np.argsort(-strength, kind="stable")[::-1]
    damped = moment[np.ix_(order, order)]
    damped[np.diag_indices_from(damped)] += _DAMPING * strength.mean()
    whole = np.empty_like(rows)
    # Of the transposed, which is the same: so LAPACK, whose matrices lie so, gets a plain copy.
    lower = np.linalg.cholesky(damped.T)
    whole[:, order] = _in_turn(np.ascontiguousarray(rows[:, order].T), lower).T
    return whole


def _in_turn(rows: NDArray[np.float64], lower: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return `rows`, shape (K, O), as whole numbers, each made up for the losses of those behind.

    A channel's error is the sum of squares of ``lower.T @ losses``, whose term k has the losses
    from k on alone: from the last row up, row k is rounded where its own term is least. That is
    GPTQ, without the inverse that it passes losses on by: a seventh of the work.

    Source: J. Chen and others: The Geometry of LLM Quantization, 2025, which shows that both agree.
    """
    own = np.diag(lower)[:, np.newaxis]
    made_up, losses, whole = rows.copy(), np.empty_like(rows), np.empty_like(rows)
    for end in range(len(rows), 0, -_BLOCK):
        start = max(end - _BLOCK, 0)
        shares = np.divide(lower[start:end, start:end].T, own[start:end], order="C")
        for k in range(end - 1, start - 1, -1):
            wanted = made_up[k] + shares[k - start, k - start + 1 :] @ losses[k + 1 : end]
            np.rint(wanted, out=wanted)
            np.minimum(np.maximum(wanted, -LARGEST, out=wanted), LARGEST, out=whole[k])
            np.subtract(rows[k], whole[k], out=losses[k])
        # What lies beyond the block gets the losses of all its rows at once.
        made_up[:start] += lower[start:end, :start].T @ losses[start:end] / own[:start]
    return whole


def _scales(
    weight: NDArray[np.float32], *, levels: int = LARGEST, per_channel: bool = True
) -> NDArray[np.float32]:
    """Return what one level of each output channel stands for; 1 where all weights are 0."""
    largest = np.abs(weight.reshape(len(weight), -1)).max(axis=1)
    # As a device may want it: with symmetric activations LESRCNN x2 loses 1.7 dB for 0.8.
    if not per_channel:
        largest = np.full_like(largest, largest.max())
    return np.where(largest >= _SMALLEST, largest / np.float32(levels), np.float32(1))
