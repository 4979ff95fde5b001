"""Let layers in float that read the image sum whole numbers, which are exact in any order.

Runtimes sum in unlike order, so the last bits of a float sum differ, and beside the middle of two
levels the level. An image holds 256 levels: with weights of as many bits as leave each sum 24, all
sums are whole multiples of one unit, and float32 holds them. A shift of colours before it, such as
a 1x1 convolution, becomes an addition; what it multiplies by joins the weights of the layer.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from sr_bench.core.int8 import ClipRange
from sr_bench.files.onnx_file import attributes
from sr_bench.precision.network import Layer, Network

PARTS = 256
"""Units in a level of the image: an image between levels is rounded to them."""

_LEVELS = 255
_BITS = 24  # of a float32
_UNDONE = 10.0  # condition of a mix of colours up to which its inverse is as exact
_ROUNDED = 1.01  # what rounding weights may make of a sum
_SMALLEST = 1e-30  # of a sum; less is 0

_Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Whole:
    """Constants of a node that reads the image in units, or what a shift made of it."""

    weight: NDArray[np.float32] | None
    """Shape (O, I, kh, kw); None of a shift, which is an addition of `bias`."""
    bias: NDArray[np.float32]
    """Shape (O,)."""


def units_of(image: ClipRange) -> float:
    """Return how many units one is, in an image whose white is the end of `image`."""
    return PARTS * _LEVELS / image.high


def whole_nodes(
    network: Network, kept: Collection[Layer], image: ClipRange | None
) -> Mapping[str, Whole]:
    """Return the nodes from the image to the first layer of `kept` that is no shift, by name.

    Empty where no such layer is, or black is not 0. `image` is the range of the input.
    """
    if image is None or image.low:
        return {}
    nodes = _Chain(network, kept).nodes
    if not nodes:
        return {}
    *shifts, last = nodes
    weight, bias = _constants(network, last)
    # A tensor is (mix @ units + rest) / per_one, where units are what is computed.
    per_one, channels = units_of(image), weight.shape[1]
    mix: _Doubles = np.eye(channels)
    rest: _Doubles = np.zeros(channels)
    reach, found = float(PARTS * _LEVELS), {}
    for node in shifts:
        matrix, added = _affine(network, node, channels)
        mix = np.asarray(matrix @ mix)
        offset = np.linalg.solve(mix, matrix @ rest + added * per_one)
        # By whole levels, what is left by the next layer: finer ones leave its weights fewer bits.
        whole = np.rint(offset / PARTS) * PARTS
        rest = mix @ (offset - whole)
        reach += np.abs(whole).max()
        found[node.name] = Whole(None, whole.astype(np.float32))
    bias = bias + weight.sum((2, 3)) @ rest / per_one
    weight = np.einsum("oikl,ij->ojkl", weight, mix) / per_one
    most = np.abs(weight).sum((1, 2, 3)) * reach + np.abs(bias)
    step = np.exp2(np.ceil(np.log2(np.maximum(_ROUNDED * most, _SMALLEST) / PARTS)) - _BITS)
    steps = step[:, None, None, None]
    weight = np.rint(weight / steps) * steps
    bias = np.rint(bias / (step * PARTS)) * step * PARTS
    found[last.name] = Whole(weight.astype(np.float32), bias.astype(np.float32))
    return found


class _Chain:
    """What stays in float from the image on: shifts of colours, and one layer behind them."""

    def __init__(self, network: Network, kept: Collection[Layer]) -> None:
        self._network, self._kept = network, {layer.node for layer in kept}
        self.nodes: list[NodeProto] = []
        tensor = network.input
        while node := self._next(tensor):
            self.nodes.append(node)
            if not self._is_shift(node):
                return
            tensor = node.output[0]
        # The last may be a 1x1 layer, but is no other shift.
        while self.nodes and self.nodes[-1].op_type != "Conv":
            self.nodes.pop()

    def _next(self, tensor: str) -> NodeProto | None:
        """Return what goes on behind `tensor`, which nothing else may read but the image."""
        readers = self._network.consumers[tensor]
        found = [node for node in readers if self._is_shift(node) or self._is_layer(node)]
        is_alone = tensor == self._network.input or len(readers) == 1
        is_end = tensor == self._network.output
        return found[0] if len(found) == 1 and is_alone and not is_end else None

    def _is_layer(self, node: NodeProto) -> bool:
        return node.name in self._kept and attributes(node).get("group", 1) == 1

    def _is_shift(self, node: NodeProto) -> bool:
        """Return whether `node` mixes the colours of each pixel, in a way that can be undone."""
        constants, given = self._network.constants, attributes(node)
        if node.op_type in ("Add", "Sub", "Mul", "Div"):
            value = constants.get(node.input[1])
            is_plane = value is not None and (value.size == 1 or value.shape[-2:] == (1, 1))
            return is_plane and (node.op_type in ("Add", "Sub") or bool(np.all(value)))
        if not self._is_layer(node):
            return False
        outputs, inputs, *sides = constants[node.input[1]].shape
        plain = (
            sides == [1, 1]
            and not any(given.get("pads", ()))
            and {*given.get("strides", ())} <= {1}
        )
        if outputs != inputs or not plain:
            return False
        return bool(np.linalg.cond(_constants(self._network, node)[0][:, :, 0, 0]) < _UNDONE)


def _affine(network: Network, node: NodeProto, channels: int) -> tuple[_Doubles, _Doubles]:
    """Return by what matrix the shift `node` multiplies colours, and what it adds then."""
    if node.op_type == "Conv":
        weight, bias = _constants(network, node)
        return weight[:, :, 0, 0], bias
    value = network.constants[node.input[1]].astype(np.float64).reshape(-1)
    value = np.broadcast_to(value, channels)
    if node.op_type in ("Add", "Sub"):
        return np.eye(channels), value if node.op_type == "Add" else -value
    return np.diag(value if node.op_type == "Mul" else 1 / value), np.zeros(channels)


def _constants(network: Network, node: NodeProto) -> tuple[_Doubles, _Doubles]:
    """Return weights and bias of a convolution."""
    weight, *bias = (network.constants[name].astype(np.float64) for name in node.input[1:] if name)
    return weight, bias[0] if bias else np.zeros(len(weight))
