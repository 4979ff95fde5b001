"""Arrays of numpy in a pickle, whose values stand in it."""

import re
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sr_bench.zoo.checkpoints.objects import StandIn

_MADE_EMPTY = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
_OF_BUFFER = ("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer")


def array_of(made: StandIn) -> Tensor | None:
    """Return the array that `made` stands for; None if it stands for something else.

    Raises:
        ValueError: Its values are no numbers, or not as many as its shape says.
    """
    match made:
        case StandIn(kind, _, (_, tuple(shape), StandIn() as values, fortran, bytes(data))):
            return (
                _array(data, values, shape, "F" if fortran else "C")
                if kind in _MADE_EMPTY
                else None
            )
        case StandIn(
            kind, (bytes() | bytearray() as data, StandIn() as values, tuple(shape), order)
        ):
            return _array(data, values, shape, order) if kind in _OF_BUFFER else None
    return None


def _array(data: bytes | bytearray, values: StandIn, shape: Any, order: Any) -> Tensor:
    match values:
        case StandIn("numpy.dtype", (str(code), *_), (_, "<" | ">" | "|" | "=" as endian, *_)) if (
            re.fullmatch("[fiu][1248]|b1", code)
        ):
            numbers = np.frombuffer(data, np.dtype(code).newbyteorder(endian))
            native = numbers.reshape(shape, order=order).astype(code)
            return torch.from_numpy(np.ascontiguousarray(native))
    msg = "its values are no numbers"
    raise ValueError(msg)
