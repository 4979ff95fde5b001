"""Convolve integers that float32 carries, so that every sum is the one of an int32 kernel.

Integers up to 2**24 are float32 numbers: sums of products that stay below are exact, in whatever
order and with whatever instructions they are added. A layer whose sums may grow larger becomes
several convolutions of the same image, each with a part of the weights and 0 for the others; their
sums are added in float64. A part costs as much as the whole; a second one is needed only with more
than 1040 weights for each output channel, and then only if many of them are large.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from sr_bench.precision.qdq.rounding import LARGEST

_EXACT = 2**24  # all integers up to this one are float32 numbers


def exact_parts(weights: NDArray[np.int8]) -> list[NDArray[np.float32]]:
    """Return weights that add up to `weights`, each of sums that are exact in float32.

    They are from -127 to 127, shape (O, I, kh, kw); the image holds integers of that range too.
    """
    # At worst each weight meets a 127 of its sign: no partial sum is larger, in whatever order.
    rows = np.abs(weights.reshape(len(weights), -1).astype(np.int64)) * LARGEST
    parts = []
    start = 0
    while start < rows.shape[1]:
        sums = np.cumsum(rows[:, start:], axis=1).max(axis=0)
        stop = start + int(np.searchsorted(sums, _EXACT))  # the first sum is one product
        part = np.zeros(rows.shape, np.float32)
        part[:, start:stop] = weights.reshape(rows.shape)[:, start:stop]
        parts.append(part.reshape(weights.shape))
        start = stop
    return parts


def exact_sum(node: NodeProto, image: str, weights: list[str], output: str) -> Iterator[NodeProto]:
    """Yield nodes that convolve `image` as the Conv `node` does, without its bias.

    All are names: of the float32 integers `image`, of the `weights` from `exact_parts`, and of the
    sums `output`: float32, rounded once where they are larger than 2**24.
    """
    names = [f"{output}/part{i}" for i in range(len(weights))] if len(weights) > 1 else [output]
    for part, name in zip(weights, names, strict=True):
        conv = helper.make_node("Conv", [image, part], [name], name=name)
        conv.attribute.extend(node.attribute)
        yield conv
    if len(names) == 1:
        return
    total, wide = f"{output}/wide", [f"{name}/wide" for name in names]
    for name, double in zip(names, wide, strict=True):
        # Added in float64, so that the last Cast is the only rounding.
        yield helper.make_node("Cast", [name], [double], name=double, to=TensorProto.DOUBLE)
    yield helper.make_node("Sum", wide, [total], name=total)
    yield helper.make_node("Cast", [total], [output], name=output, to=TensorProto.FLOAT)
