"""Carry a random output back through a network: what each value's change would add to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from onnx import NodeProto, TensorProto

from sr_bench.errors import BackendError
from sr_bench.precision.network import Layer, Network
from sr_bench.precision.noise.call import Call
from sr_bench.precision.noise.convolution import Convolution
from sr_bench.precision.noise.nodes import Nodes
from sr_bench.precision.noise.rules import RULES, SIZES_ONLY
from sr_bench.precision.segments import Array


@dataclass(frozen=True)
class Met:
    """A layer that was met on the way back."""

    layer: Layer
    given: Array
    """Gradient of what it gives."""
    read: Array
    """Gradient of what it reads, through this layer alone."""
    convolution: Convolution


@dataclass
class _Gradients:
    """The gradients of the values that depend on what a layer gives."""

    active: frozenset[str]
    of: dict[str, Array] = field(default_factory=dict)

    def add(self, name: str, more: Array) -> None:
        if name in self.active:
            self.of[name] = self.of[name] + more if name in self.of else more


class Backward:
    """The way back through a network, opened once for any number of images."""

    def __init__(self, network: Network, nodes: Nodes) -> None:
        self._network, self._nodes = network, nodes
        self._active = _active(network)
        by_name = {node.name: node for node in network.model.graph.node}
        self._layers = {
            layer.node: (layer, Convolution(network, by_name[layer.node], layer))
            for layer in network.layers
        }

    def met(self, values: Mapping[str, Array], output: Array) -> Iterator[Met]:
        """Yield the layers, the last first.

        Args:
            values: Of all tensors, for one image.
            output: The gradient of the network's output, of its shape.
        """
        gradients = _Gradients(self._active, {self._network.output: output})
        for node in reversed(self._network.model.graph.node):
            mine = [gradients.of.pop(name, None) for name in node.output]
            given = mine[0]
            if given is not None and node.name in self._layers:
                layer, convolution = self._layers[node.name]
                read = convolution.back(given, values[layer.input].shape[2:])
                gradients.add(layer.input, read)
                yield Met(layer, given, read, convolution)
            elif node.op_type == "Split" and any(part is not None for part in mine):
                gradients.add(node.input[0], _joined(node, mine, values))
            elif given is not None and node.op_type in RULES:
                self._step(node, given, values, gradients)

    def _step(
        self, node: NodeProto, given: Array, values: Mapping[str, Array], gradients: _Gradients
    ) -> None:
        known = {**self._network.constants, **values}
        inputs = [known.get(name, np.zeros(0)) for name in node.input]

        def again(i: int, x: Array) -> Array:
            return self._nodes.again(node, {**values, node.input[i]: x})[0]

        call = Call(node, inputs, values[node.output[0]], given, again)
        for i, name in enumerate(node.input):
            if name in self._active:
                msg = f"errors can't be carried back through {node.op_type} {node.name!r}"
                try:
                    carried = RULES[node.op_type](call, i)
                except Exception as cause:  # operators have more forms than rules know
                    raise BackendError(msg) from cause
                if not np.isfinite(carried).all():
                    msg = f"{msg}: its derivative is not finite"
                    raise BackendError(msg)
                gradients.add(name, carried)


def blocked(network: Network) -> Mapping[Layer, str]:
    """Return the layers whose errors can't be carried to the output, with the operator at fault."""
    active, layers = _active(network), {layer.node for layer in network.layers}
    behind: dict[str, str] = {}
    for node in reversed(network.model.graph.node):
        known = node.name in layers or node.op_type in RULES or node.op_type == "Split"
        ways = [behind[name] for name in node.output if name in behind]
        if active.intersection(node.output) and (ways or not known):
            fault = ways[0] if known else node.op_type
            behind.update(dict.fromkeys(node.input, fault))
    return {layer: behind[layer.output] for layer in network.layers if layer.output in behind}


def needed(network: Network) -> frozenset[str]:
    """Return the values that the rules read; of others they only need sizes."""
    found: set[str] = set()
    layers = {layer.node for layer in network.layers}
    for node in network.model.graph.node:
        if node.op_type == "Relu":
            found.update(node.output)
        elif node.name not in layers and node.op_type not in SIZES_ONLY:
            found.update((*node.input, *node.output))
    return frozenset(found)


def _active(network: Network) -> frozenset[str]:
    """Return the floating-point values that depend on what a layer gives."""
    active = {layer.output for layer in network.layers}
    for node in network.model.graph.node:
        if node.op_type not in ("Shape", "Size") and active.intersection(node.input):
            kinds = ((name, network.types.get(name, TensorProto.FLOAT)) for name in node.output)
            active.update(name for name, kind in kinds if kind == TensorProto.FLOAT)
    return frozenset(active)


def _joined(node: NodeProto, parts: list[Array | None], values: Mapping[str, Array]) -> Array:
    axis = next((item.i for item in node.attribute if item.name == "axis"), 0)
    whole = (
        np.zeros_like(values[name]) if part is None else part
        for name, part in zip(node.output, parts, strict=True)
    )
    return np.concatenate(list(whole), axis)
