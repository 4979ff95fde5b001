"""Read the signs in an output's error: where it is, and what it looks like."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.int8 import RING_PX
from sr_bench.engine.score.fidelity import Fidelity, fidelity

Array = NDArray[np.float32]

_SWAP_GAIN_DB = 6.0
"""What swapping the channels back must gain before they count as swapped."""

_RING_BEHIND_DB = 3.0
_OFFSET_PART = 0.5
"""Part of the squared error that a constant must explain to be reported."""


def signs(
    low: Array, reference: Array, lr: Array, compute: Callable[[Array], Array], *, white: float
) -> Iterator[str]:
    """Yield what the error of `low` looks like, in sentences.

    `low` and `reference` are the outputs of the low precision and of fp32 for the input `lr`, all
    NCHW; `compute` is the fp32 network and `white` its white level.
    """
    plain = fidelity(low, reference, white=white)
    if swapped := _swapped(low, reference, lr, compute, white, plain.all_db):
        yield swapped  # all other signs follow from that
        return
    yield from _ring(low, reference, white, plain)
    yield from _offset(low, reference, white)


def _swapped(
    low: Array,
    reference: Array,
    lr: Array,
    compute: Callable[[Array], Array],
    white: float,
    plain: float,
) -> str:
    of_swapped = compute(np.ascontiguousarray(lr[:, ::-1]))
    others = {
        "its input": of_swapped,
        "its output": reference[:, ::-1],
        "its input and output": of_swapped[:, ::-1],
    }
    gained = {what: fidelity(low, other, white=white).all_db for what, other in others.items()}
    what = max(gained, key=lambda name: gained[name])
    if gained[what] <= plain + _SWAP_GAIN_DB:
        return ""
    return (
        f"the low precision takes BGR for RGB in {what}: compared with an fp32 network"
        f" that does so too, its fidelity is {gained[what]:.1f} dB instead of {plain:.1f} dB"
    )


def _ring(low: Array, reference: Array, white: float, plain: Fidelity) -> Iterator[str]:
    if plain.inside_db - plain.ring_db < _RING_BEHIND_DB:
        return
    squares = np.square(np.subtract(low, reference, dtype=np.float64))
    usual = white**2 * 10 ** (-plain.inside_db / 10)
    limit = usual * 10 ** (_RING_BEHIND_DB / 10)
    depth = max(
        (at + 1 for at in range(RING_PX) if _at_distance(squares, at).mean() > limit), default=1
    )
    yield (
        f"the error is in the outer {depth} px: the border ring is at {plain.ring_db:.1f} dB,"
        f" the inside at {plain.inside_db:.1f} dB; look at how the layers pad"
    )


def _at_distance(squares: NDArray[np.float64], distance: int) -> NDArray[np.float64]:
    """Return the values that lie `distance` pixels away from the nearest border."""
    height, width = squares.shape[-2:]
    frame = squares[..., distance : height - distance, distance : width - distance]
    sides = (frame[..., 0, :], frame[..., -1, :], frame[..., 1:-1, 0], frame[..., 1:-1, -1])
    return np.concatenate([side.reshape(-1) for side in sides])


def _offset(low: Array, reference: Array, white: float) -> Iterator[str]:
    error = np.subtract(low, reference, dtype=np.float64)
    constant = error.mean(axis=(0, 2, 3))
    power = float(np.square(error).mean())
    if power and float(np.square(constant).mean()) > _OFFSET_PART * power:
        levels = ", ".join(f"{255 * value / white:+.2f}" for value in constant)
        yield f"most of the error is an offset of the channels, by {levels} of 255 levels"
