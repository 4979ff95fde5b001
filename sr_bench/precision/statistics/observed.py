"""Decide which tensors of a network calibration looks at, for every int8 plan there may be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onnx import TensorProto

from sr_bench.precision.histogram import Histogram
from sr_bench.precision.network import Network
from sr_bench.precision.points import MOVES, given, points


@dataclass(frozen=True)
class Observed:
    """Which tensors are looked at, and which follow from those."""

    collected: frozenset[str]
    derived: Mapping[str, tuple[str, bool]]
    """By name, in the network's order: the tensor it follows from, and whether through a ReLU
    (else it holds the same values)."""

    @classmethod
    def of(cls, network: Network) -> "Observed":
        """Return what has to be observed of `network` for any plan."""
        needed = rounded_by_any_plan(network)
        derived = {
            node.output[0]: (node.input[0], node.op_type == "Relu")
            for node in network.model.graph.node
            if (node.op_type in MOVES or node.op_type == "Relu")
            and node.output[0] in needed
            and node.input[0] in needed
        }
        return cls(needed - derived.keys(), derived)

    def histogram(self, name: str, collected: Mapping[str, Histogram]) -> Histogram:
        """Return the histogram of `name`, which may be a derived tensor."""
        if name not in self.derived:
            return collected[name]
        source, through_relu = self.derived[name]
        source_histogram = self.histogram(source, collected)
        return source_histogram.relu() if through_relu else source_histogram


def rounded_by_any_plan(network: Network) -> frozenset[str]:
    """Return the tensors that an int8 network may round, whatever layers it keeps in float.

    Those are what the layers read and give, the terms and the result of each sum between layers,
    and what has the same values. A result counts behind its ReLU if only that reads it.
    """
    needed = set(points(network).tensors)
    needed |= {given(network, layer) for layer in network.layers}
    needed |= set(_sums_between_layers(network))
    for node in network.model.graph.node:
        if node.op_type in MOVES and {node.input[0], node.output[0]} & needed:
            needed |= {node.input[0], node.output[0]}
    # Reshape and the like also move sizes, which are integers.
    floats = {name for name, kind in network.types.items() if kind == TensorProto.FLOAT}
    return frozenset(needed & floats)


def _sums_between_layers(network: Network) -> Iterator[str]:
    """Yield the terms and results of the additions behind one layer and before another."""
    nodes = network.model.graph.node
    behind = {layer.output for layer in network.layers}
    for node in nodes:
        if behind.intersection(node.input):
            behind.update(node.output)
    before = {layer.input for layer in network.layers}
    for node in reversed(nodes):
        if before.intersection(node.output):
            before.update(node.input)
    for node in nodes:
        if node.op_type == "Add" and node.output[0] in behind & before:
            yield from (name for name in node.input if name not in network.constants)
            readers = network.consumers[node.output[0]]
            only_relu = len(readers) == 1 and readers[0].op_type == "Relu"
            yield str(readers[0].output[0]) if only_relu else node.output[0]
