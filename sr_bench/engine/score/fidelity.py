"""Fidelity: how close a low precision's output is to the fp32 output, in dB."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.int8 import RING_PX
from sr_bench.errors import MetricError

_INSIDE = slice(RING_PX, -RING_PX)


@dataclass(frozen=True)
class Fidelity:
    """PSNR of one image's low-precision output against its fp32 output; inf where equal."""

    all_db: float
    """Over all pixels and channels."""
    inside_db: float
    """Over what the border ring leaves; `all_db` where it leaves nothing."""
    ring_db: float
    """Over the border ring alone: what a protocol that crops the border does not see."""


def fidelity(low: NDArray[np.float32], reference: NDArray[np.float32], *, white: float) -> Fidelity:
    """Return the fidelity of the raw network output `low` to `reference`, summed in float64.

    An image that is no larger than two rings is all ring: the three values are then equal.

    Args:
        low: Of the low precision, float32 NCHW; neither clipped nor rounded.
        reference: Of fp32, same shape.
        white: The network's white level, 1.0 or 255.0: the peak of the PSNR.

    Raises:
        MetricError: The shapes differ, are not NCHW or hold no pixel; a value is NaN or infinite;
            or `white` is not above 0.
    """
    _check(low, reference, white)
    squares = np.subtract(low, reference, dtype=np.float64)
    np.square(squares, out=squares)  # in place: outputs may be large
    inside = squares[..., _INSIDE, _INSIDE]
    if not inside.size:
        whole = _db(float(squares.sum()), squares.size, white)
        return Fidelity(whole, whole, whole)
    ring_sum = _ring_sum(squares)
    inside_sum = float(inside.sum())
    return Fidelity(
        all_db=_db(ring_sum + inside_sum, squares.size, white),
        inside_db=_db(inside_sum, inside.size, white),
        ring_db=_db(ring_sum, squares.size - inside.size, white),
    )


def _ring_sum(squares: NDArray[np.float64]) -> float:
    """Return the sum of the border ring: by itself, so that it is 0 where the outputs are equal."""
    middle = squares[..., _INSIDE, :]
    sides = (middle[..., :RING_PX], middle[..., -RING_PX:])
    ends = (squares[..., :RING_PX, :], squares[..., -RING_PX:, :])
    return math.fsum(float(part.sum()) for part in (*ends, *sides))


def _db(squares: float, count: int, white: float) -> float:
    """Return the PSNR of `count` values whose squared errors add up to `squares`."""
    return 10 * math.log10(white**2 * count / squares) if squares else math.inf


def _check(low: NDArray[np.float32], reference: NDArray[np.float32], white: float) -> None:
    """Raise MetricError unless the two outputs can be compared."""
    if low.shape != reference.shape or low.ndim != 4 or not low.size:
        msg = (
            "fidelity expects two outputs of one shape N x C x H x W,"
            f" got {low.shape} in low precision and {reference.shape} in fp32"
        )
        raise MetricError(msg)
    if not white > 0:  # nor NaN
        msg = f"fidelity expects a white level above 0, got {white}"
        raise MetricError(msg)
    for name, output in (("low-precision", low), ("fp32", reference)):
        bad = output.size - int(np.isfinite(output).sum())
        if bad:
            msg = (
                f"expected finite outputs, but {bad} values of the {name} one are NaN or infinite;"
                " check its weights and scales"
            )
            raise MetricError(msg)
