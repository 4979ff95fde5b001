"""Decide which tensors an int8 network rounds to 8 bits."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sr_bench.precision.network import Layer, Network

MOVES = frozenset(("DepthToSpace", "SpaceToDepth", "Reshape", "Transpose", "Flatten", "Identity"))
"""Operators that only move values: in and out share their scale."""


@dataclass(frozen=True)
class Points:
    """The tensors that are rounded to 8 bits."""

    tensors: frozenset[str]
    scale_of: dict[str, str]
    """For a tensor that only holds another one's values: the tensor whose scale it has."""


def points(network: Network, kept: Collection[Layer] = ()) -> Points:
    """Return what is rounded if all layers but `kept` compute in int8.

    That is what such a layer reads, and what it gives, after its ReLU if only that reads it: a
    runtime computes a layer in integers only where its sum is rounded too.
    """
    layers = [layer for layer in network.layers if layer not in kept]
    gives = {given(network, layer) for layer in layers}
    return with_moved(network, gives | {layer.input for layer in layers})


def with_moved(network: Network, tensors: Collection[str]) -> Points:
    """Return `tensors` with what is moved to and from them."""
    rounded = set(tensors)
    # In the graph's order, so that a chain of moves ends at the first tensor of the chain.
    scale_of: dict[str, str] = {}
    for node in network.model.graph.node:
        source, moved = node.input[0] if node.input else "", node.output[0]
        if node.op_type in MOVES and {source, moved} & rounded:
            rounded |= {source, moved}
            scale_of[moved] = scale_of.get(source, source)
    return Points(frozenset(rounded), scale_of)


def given(network: Network, layer: Layer) -> str:
    """Return the tensor that `layer` gives, behind a ReLU if that is all that reads it."""
    nodes = network.consumers[layer.output]
    if len(nodes) == 1 and nodes[0].op_type == "Relu" and layer.output != network.output:
        return str(nodes[0].output[0])
    return layer.output


def moved_back(network: Network, tensor: str) -> Iterator[str]:
    """Yield `tensor` and, going up, those that hold the same values and nothing else reads."""
    while len(network.consumers[tensor]) == 1:
        yield tensor
        node = network.producers.get(tensor)
        if node is None or node.op_type not in MOVES:
            return
        tensor = node.input[0]
