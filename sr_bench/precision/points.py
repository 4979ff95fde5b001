"""Decide which tensors an int8 network rounds to 8 bits."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import cache

from sr_bench.files.onnx_file import attributes
from sr_bench.precision.network import Layer, Network

MOVES = frozenset(("DepthToSpace", "SpaceToDepth", "Reshape", "Transpose", "Flatten", "Identity"))
"""Operators that only move values: in and out share their scale."""

_SHAPES = (*MOVES, "Squeeze", "Unsqueeze")
_FEW_CHANNELS = 16


@dataclass(frozen=True)
class Points:
    """The tensors that are rounded to 8 bits."""

    tensors: frozenset[str]
    scale_of: dict[str, str]
    """For a tensor that only holds another one's values: the tensor whose scale it has."""
    last: frozenset[str] = frozenset()
    """Nodes of the int8 layers that give the image: of few channels, with no int8 layer behind.
    What these give is rounded to more than 256 levels; see `lanes`."""


def points(network: Network, kept: Collection[Layer] = ()) -> Points:
    """Return what is rounded if all layers but `kept` compute in int8.

    That is what such a layer reads, and what it gives, after its ReLU if only that reads it: a
    runtime computes a layer in integers only where its sum is rounded too.
    """
    layers = [layer for layer in network.layers if layer not in kept]
    last = frozenset(layer.node for layer in _last(network, layers))
    gives = {given(network, layer) for layer in layers if layer.node not in last}
    return replace(with_moved(network, gives | {layer.input for layer in layers}), last=last)


def _last(network: Network, layers: Collection[Layer]) -> Iterator[Layer]:
    is_read = read_by(network, layers)
    for layer in layers:
        if gives_image(network, layer) and not is_read(layer.output):
            yield layer


def gives_image(network: Network, layer: Layer) -> bool:
    """Return whether `layer` is of few channels, and only layers that shift colours follow."""
    shapes = {other.node: network.constants[other.weight].shape for other in network.layers}
    grouped = attributes(network.producers[layer.output]).get("group", 1) > 1
    few = shapes[layer.node][0] <= _FEW_CHANNELS and not grouped
    if not few or given(network, layer) != layer.output:
        return False
    shifts = {node for node, (out, *rest) in shapes.items() if out <= 4 and rest[1:] == [1, 1]}
    others = [other for other in network.layers if other.node not in shifts]
    return not read_by(network, others)(layer.output)


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


def read_by(network: Network, layers: Collection[Layer]) -> Callable[[str], bool]:
    """Return what tells whether one of the int8 `layers` reads a tensor, or what follows on it."""
    reads = {layer.input for layer in layers}
    ends = {layer.node for layer in network.layers}

    @cache  # residual networks have exponentially many paths to a value
    def is_read(tensor: str) -> bool:
        nodes = network.consumers.get(tensor, ())
        onward = (out for node in nodes if node.name not in ends for out in node.output)
        return tensor in reads or any(map(is_read, onward))

    return is_read


def given(network: Network, layer: Layer) -> str:
    """Return the tensor that `layer` gives, behind a ReLU if that is all that reads it."""
    return given_by(network, layer.output)


def given_by(network: Network, tensor: str) -> str:
    """Return `tensor`, or what a ReLU makes of it if that is all that reads it."""
    nodes = network.consumers[tensor]
    if len(nodes) == 1 and nodes[0].op_type == "Relu" and tensor != network.output:
        return str(nodes[0].output[0])
    return tensor


def is_image(network: Network, tensor: str) -> bool:
    """Return whether `tensor` holds the values of the network's input, moved at most."""
    while (node := network.producers.get(tensor)) and node.op_type in _SHAPES:
        tensor = node.input[0]
    return tensor == network.input


def moved_back(network: Network, tensor: str) -> Iterator[str]:
    """Yield `tensor` and, going up, those that hold the same values and nothing else reads."""
    while len(network.consumers[tensor]) == 1:
        yield tensor
        node = network.producers.get(tensor)
        if node is None or node.op_type not in MOVES:
            return
        tensor = node.input[0]
