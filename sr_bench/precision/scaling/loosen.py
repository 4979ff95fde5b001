"""Let the channels at a sum have scales of their own, by multiplying them in float.

All terms of a sum have one scale for each channel, and so have those of the next sum over the same
skip: in a residual network one scale from the first layer to the last. Where additions read float
values a multiplication by constants of ones costs little, and what is rounded on either side of it
can be scaled apart: a layer's result before it joins a sum, and a sum before layers read it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from sr_bench.precision.network import Network


@dataclass(frozen=True)
class Loosened:
    """A network that computes the same, with multiplications by one at its sums."""

    network: Network
    source: Mapping[str, str]
    """By what a multiplication gives: what it reads. The node has the name of the former."""


def loosened(network: Network, widths: Mapping[str, int]) -> Loosened:
    """Return `network` with a multiplication behind each layer and each sum that may be scaled.

    `widths` are the channels of tensors. Sums that only a ReLU reads stay as they are: what it
    takes away needs no level, which is worth more.
    """
    added = dict(_added(network, widths))
    if not added:
        return Loosened(network, {})
    model = ModelProto()
    model.CopyFrom(network.model)
    graph = model.graph
    nodes: list[NodeProto] = []
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name in added and _reads_scaled(node, name, network):
                node.input[i] = added[name]
        nodes.append(node)
        nodes.extend(_times_one(name, added[name]) for name in node.output if name in added)
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(_ones(added[name], widths[name]) for name in added)
    layers = tuple(
        replace(layer, input=added[layer.input])
        if layer.input in added and _is_sum(network, layer.input)
        else layer
        for layer in network.layers
    )
    source = {output: name for name, output in added.items()}
    return Loosened(replace(network, model=model, layers=layers), source)


def with_scales(model: ModelProto, scales: Mapping[str, NDArray[np.float32]]) -> None:
    """Let the multiplications of `model` that give the tensors `scales` multiply by those."""
    for tensor in model.graph.initializer:
        name = tensor.name.removesuffix(_ONES)
        if name in scales and name != tensor.name:
            values = np.broadcast_to(scales[name], tensor.dims[1]).reshape(1, -1, 1, 1)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


_ONES = ".scale"


def _added(network: Network, widths: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield what gets a multiplication, and the name of its result."""
    layers = {layer.output for layer in network.layers}
    for node in network.model.graph.node:
        name = node.output[0] if node.output else ""
        joins = name in layers and any(
            _is_free_sum(network, reader.output[0]) for reader in network.consumers[name]
        )
        read = _is_free_sum(network, name) and any(
            _reads_scaled(reader, name, network) for reader in network.consumers[name]
        )
        if name in widths and name != network.output and (joins or read):
            yield name, network.added(name, "scaled")


def _is_sum(network: Network, name: str) -> bool:
    node = network.producers.get(name)
    terms = [] if node is None or node.op_type != "Add" else node.input
    return bool(terms) and not network.constants.keys() & set(terms)


def _is_free_sum(network: Network, name: str) -> bool:
    """Return whether `name` is a sum that more than a ReLU reads."""
    readers = network.consumers.get(name, ())
    return _is_sum(network, name) and any(reader.op_type != "Relu" for reader in readers)


def _reads_scaled(node: NodeProto, name: str, network: Network) -> bool:
    """Return whether `node` reads `name` behind the multiplication."""
    if _is_sum(network, name):
        return node.op_type in ("Conv", "Concat")
    return _is_free_sum(network, node.output[0])


def _times_one(name: str, output: str) -> NodeProto:
    return helper.make_node("Mul", [name, output + _ONES], [output], name=output)


def _ones(output: str, width: int) -> TensorProto:
    return numpy_helper.from_array(np.ones((1, width, 1, 1), np.float32), output + _ONES)
