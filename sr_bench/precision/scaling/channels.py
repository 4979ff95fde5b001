"""Tell which channels of a network's tensors can only be scaled together.

Scaled by a positive factor, a channel gives the same network if what reads it divides by the
factor: a convolution can, in its weights. ReLU, LeakyReLU, pooling and resizing hand the factor
on; additions and concatenations tie the channels that they join. What any other operator reads or
gives, the network's input and its output keep their scale.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from sr_bench.files.onnx_file import attributes, inferred
from sr_bench.precision.network import Layer, Network

_POOLS = ("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax")
_PLANEWISE = frozenset(("Relu", "LeakyRelu", "PRelu", "Identity", "Mul", "Div", *_POOLS))
"""Operators on each plane apart, if all but one of their inputs are constants, of which a factor
comes out as it went in."""

_ELEMENTWISE = frozenset(("Add", "Sub", "Sum", "Max", "Min", "Mean"))
"""Operators through which a factor goes that all inputs have."""

_GATES = frozenset(("Sigmoid", "HardSigmoid", "Softmax"))
"""Operators whose result keeps its scale, so that what it is multiplied with has the product's."""

_BLIND = frozenset(("Shape", "Size"))
"""Operators that read no values."""

FIXED = 0
"""The class of the channels whose scale is given."""


@dataclass(frozen=True)
class Channels:
    """The classes of channels; those of a class have one scale."""

    classes: Mapping[str, NDArray[np.intp]]
    """By tensor: the class of each of its channels."""
    count: int
    """How many classes there are, `FIXED` included."""
    layers: tuple[Layer, ...]
    """Those that may be scaled: no other node reads their constants."""

    @classmethod
    def of(cls, network: Network, *, loose: Collection[str] = ()) -> "Channels":
        """Return the channels of `network`; the nodes `loose` tie nothing."""
        known = widths(network)
        ties = _Ties(known)
        layers = tuple(layer for layer in network.layers if _is_alone(network, layer))
        free = {layer.node for layer in layers}.union(loose)
        for name in (network.input, network.output):
            ties.fix(name)
        for node in network.model.graph.node:
            if node.name not in free and node.op_type not in _BLIND:
                _tie(node, network, ties)
        numbers = {name: ties.numbers(name) for name in known}
        found = np.unique(np.concatenate([*numbers.values(), [FIXED]]))
        classes = {name: np.searchsorted(found, roots) for name, roots in numbers.items()}
        return cls(classes, len(found), layers)


def widths(network: Network) -> dict[str, int]:
    """Return the number of channels of each tensor of four axes, where onnx or a layer tells."""
    widths: dict[str, int] = {}
    dims = network.model.graph.input[0].type.tensor_type.shape.dim
    shape = [dim.dim_value or None for dim in dims]
    for name, kind in inferred(network.model, shape).items():
        if kind.HasField("shape") and len(kind.shape.dim) == 4:
            widths[name] = kind.shape.dim[1].dim_value
    for layer in network.layers:
        widths[layer.output] = len(network.constants[layer.weight])
    return {name: width for name, width in widths.items() if width > 0}


def _is_alone(network: Network, layer: Layer) -> bool:
    constants = [layer.weight, *filter(None, [layer.bias])]
    return all(len(network.consumers.get(name, ())) == 1 for name in constants)


def _tie(node: NodeProto, network: Network, ties: "_Ties") -> None:
    """Tie what `node`, which is no layer that may be scaled, reads and gives."""
    if not _is_tied(node, network, ties):
        for name in (*node.input, *node.output):
            ties.fix(name)


def _is_tied(node: NodeProto, network: Network, ties: "_Ties") -> bool:
    """Tie channels as `node` does; return False where it keeps the scale of all it touches."""
    given = attributes(node)
    values = [name for name in node.input if name and name not in network.constants]
    output, by_channel = node.output[0], given.get("axis") in (1, -3)
    if node.op_type == "Mul" and len(values) == 2:
        values = [name for name in values if not _is_gate(network, name)]
    if node.op_type in _ELEMENTWISE:
        return len(values) == len(node.input) and all(ties.tie(output, name) for name in values)
    if node.op_type == "Concat" and by_channel:
        return len(values) == len(node.input) and ties.join(output, values)
    if node.op_type == "Split" and by_channel:
        return ties.join(node.input[0], list(node.output))
    if node.op_type == "DepthToSpace":
        source, is_depth_first = node.input[0], given.get("mode") == b"CRD"
        return ties.shuffle(output, source, is_depth_first=is_depth_first)
    if not values or not _is_planewise(node, network, values):
        return False
    return ties.tie(output, str(values[0]))


def _is_gate(network: Network, name: str) -> bool:
    producer = network.producers.get(name)
    return producer is not None and producer.op_type in _GATES


def _is_planewise(node: NodeProto, network: Network, values: Sequence[str]) -> bool:
    """Return whether `node` hands on a factor of the first of `values`, which are no constants."""
    first = bool(node.input[0] == values[0])
    if node.op_type in ("Resize", "Upsample"):  # sizes may be computed
        return first
    if node.op_type == "Pad":  # with 0, or with what the plane holds
        filler = network.constants.get((*node.input, "", "")[2])
        return first and len(values) == 1 and bool(filler is None or not np.any(filler))
    return node.op_type in _PLANEWISE and len(values) == 1 and (first or node.op_type == "Mul")


class _Ties:
    """A forest over the channels of all tensors; number 0 stands for those that are fixed."""

    def __init__(self, widths: Mapping[str, int]) -> None:
        starts = accumulate(widths.values(), initial=1)
        self._first = dict(zip(widths, starts, strict=False))
        self._widths = widths
        self._above = list(range(1 + sum(widths.values())))

    def numbers(self, name: str) -> NDArray[np.intp]:
        """Return the lowest number that each channel of `name` is tied to."""
        return np.array([self._root(number) for number in self._all(name)], np.intp)

    def fix(self, name: str) -> None:
        """Tie the channels of `name` to those that are fixed."""
        for number in self._all(name):
            self._unite(number, 0)

    def tie(self, name: str, other: str) -> bool:
        """Tie each channel of `name` to that of `other`; return False where that can't be."""
        if name not in self._widths or self._widths[name] != self._widths.get(other):
            return False
        for pair in zip(self._all(name), self._all(other), strict=True):
            self._unite(*pair)
        return True

    def join(self, name: str, parts: Sequence[str]) -> bool:
        """Tie the channels of `name` to those of `parts`, one after the other."""
        numbers = [number for part in parts for number in self._all(part)]
        if not all(part in self._widths for part in (name, *parts)):
            return False
        if len(numbers) != self._widths[name]:
            return False
        for pair in zip(self._all(name), numbers, strict=True):
            self._unite(*pair)
        return True

    def shuffle(self, name: str, source: str, *, is_depth_first: bool) -> bool:
        """Tie each channel of `name` to those of `source` that a pixel shuffle makes it from."""
        width, numbers = self._widths.get(name, 0), list(self._all(source))
        if not width or not numbers:
            return False
        together = len(numbers) // width
        for i, number in enumerate(numbers):
            channel = i // together if is_depth_first else i % width
            self._unite(self._first[name] + channel, number)
        return True

    def _all(self, name: str) -> Iterator[int]:
        first = self._first.get(name, 0)
        return iter(range(first, first + self._widths.get(name, 0)))

    def _root(self, number: int) -> int:
        while self._above[number] != number:
            self._above[number] = self._above[self._above[number]]
            number = self._above[number]
        return number

    def _unite(self, number: int, other: int) -> None:
        low, high = sorted((self._root(number), self._root(other)))
        self._above[high] = low
