"""Make onnxruntime compute in integers the int8 layers whose sums a QDQ file leaves in float.

onnxruntime computes a convolution between DequantizeLinear and QuantizeLinear in integers. The sum
of a layer that no int8 layer reads is not rounded, and such a convolution it computes in float.
Here it becomes a ConvInteger, whose exact sum is scaled and biased in float.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from sr_bench.files.onnx_names import separator


def with_integer_sums(model: ModelProto) -> ModelProto:
    """Return the QDQ network `model` with every int8 layer that gives float as a ConvInteger."""
    copy = ModelProto()
    copy.CopyFrom(model)
    graph = _Graph.of(copy)
    nodes: list[NodeProto] = []
    for node in copy.graph.node:
        nodes += graph.integer_sum(node) if graph.gives_float(node) else [node]
    del copy.graph.node[:]
    copy.graph.node.extend(nodes)
    copy.graph.initializer.extend(graph.added)
    return copy


@dataclass(frozen=True)
class _Graph:
    """A graph that is rewritten, looked up by name."""

    constants: Mapping[str, NDArray[np.generic]]
    dequantised: Mapping[str, NodeProto]  # by output: the node that gives it
    readers: Mapping[str, list[NodeProto]]
    outputs: frozenset[str]
    mark: str  # parts a name from what is added to it
    added: list[TensorProto]

    @classmethod
    def of(cls, model: ModelProto) -> "_Graph":
        graph = model.graph
        readers: dict[str, list[NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                readers.setdefault(name, []).append(node)
        return cls(
            {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer},
            {node.output[0]: node for node in graph.node if node.op_type == "DequantizeLinear"},
            readers,
            frozenset(value.name for value in graph.output),
            separator(model),
            [],
        )

    def gives_float(self, node: NodeProto) -> bool:
        """Return whether `node` is an int8 layer whose sum is not rounded."""
        if node.op_type != "Conv" or not {*node.input} <= self.dequantised.keys():
            return False
        readers, name = self.readers.get(node.output[0], []), node.output[0]
        if len(readers) == 1 and readers[0].op_type == "Relu" and name not in self.outputs:
            name = readers[0].output[0]
            readers = self.readers.get(name, [])
        rounded = len(readers) == 1 and readers[0].op_type == "QuantizeLinear"
        return name in self.outputs or not rounded

    def integer_sum(self, node: NodeProto) -> Iterator[NodeProto]:
        """Yield nodes that do what the convolution `node` does, with an exact sum."""
        name = node.output[0]
        x, weight = (self.dequantised[source] for source in node.input[:2])
        # All are equal, and onnxruntime's ConvInteger takes only one for all channels.
        w_zero = self.constants[weight.input[2]].reshape(-1)[:1].reshape(())
        # In float64, so that each product is rounded once.
        step = self._float(x.input[1]) * self._float(weight.input[1])
        parts = [
            x.input[0],
            weight.input[0],
            x.input[2],
            self._constant(f"{name}{self.mark}w_zero", w_zero),
        ]
        sum_, wide, scaled = (
            f"{name}{self.mark}sum",
            f"{name}{self.mark}wide",
            f"{name}{self.mark}scaled",
        )
        layer = helper.make_node("ConvInteger", parts, [sum_], name=sum_)
        layer.attribute.extend(node.attribute)
        yield layer
        yield helper.make_node("Cast", [sum_], [wide], name=wide, to=TensorProto.FLOAT)
        steps = self._per_channel(f"{name}{self.mark}step", step)
        biased = len(node.input) > 2
        yield helper.make_node("Mul", [wide, steps], [scaled if biased else name], name=scaled)
        if biased:
            bias = self.dequantised[node.input[2]]
            offset = self._float(bias.input[0]) * self._float(bias.input[1])
            offsets = self._per_channel(f"{name}{self.mark}offset", offset)
            yield helper.make_node(
                "Add", [scaled, offsets], [name], name=f"{name}{self.mark}biased"
            )

    def _float(self, name: str) -> NDArray[np.float64]:
        return self.constants[name].astype(np.float64)

    def _per_channel(self, name: str, values: NDArray[np.float64]) -> str:
        return self._constant(name, values.astype(np.float32).reshape(-1, 1, 1))

    def _constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.added.append(numpy_helper.from_array(np.asarray(value), name))
        return name
