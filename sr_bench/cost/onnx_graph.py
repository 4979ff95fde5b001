"""Count an ONNX file from its shapes alone: no weights are read, nothing is computed."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from math import prod
from pathlib import Path

import onnx
from onnx import GraphProto, ModelProto, NodeProto

from sr_bench.cost.count import CostCount
from sr_bench.cost.onnx_shapes import Dims, fixed_shapes, read_model
from sr_bench.errors import BackendError

# Which inputs of an operator hold parameters, as torch's modules hold them.
_WEIGHT_INPUTS = {
    "Conv": (1, 2),
    "ConvTranspose": (1, 2),
    "Gemm": (1, 2),
    "MatMul": (0, 1),
    "PRelu": (1,),
    "BatchNormalization": (1, 2),
    "InstanceNormalization": (1, 2),
    "LayerNormalization": (1, 2),
    "GroupNormalization": (1, 2),
}

# Operators that hand a parameter on. Not Identity: exporters write one where two parameters have
# equal values, so what comes out of it is a parameter of its own.
_TRANSPARENT = ("Cast", "DequantizeLinear", "Reshape", "Squeeze", "Transpose", "Unsqueeze")

_UNCOUNTABLE = frozenset(
    (
        *("Attention", "DeformConv", "Einsum", "GRU", "LSTM", "RNN"),
        *("ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul"),
    )
)


def count_onnx(source: Path | ModelProto, shape: tuple[int, int, int]) -> CostCount:
    """Count an ONNX graph on one image of `shape`.

    Parameters are the elements of the constants that weighted operators use (convolution, linear,
    normalisation, PReLU); one that is used twice counts once, other constants do not count.
    Weights in external files are not opened, and a model is not changed. `shape` is (channels,
    height, width), and takes the place of symbolic dimensions.

    Raises:
        BackendError: The file can't be read, has not one image input, does not accept that shape,
            or holds an operator whose cost is not known.
    """
    model = read_model(source)
    shapes = fixed_shapes(model, shape)
    graph = _Graph(model.graph, shapes)
    tally: Counter[str] = Counter(params=graph.params())
    for node in model.graph.node:
        _refuse_uncountable(node)
        if node.op_type == "LeakyRelu":
            tally["leaky_relu_elements"] += prod(graph.shape(node.input[0], node))
        elif (count := _COUNTERS.get(node.op_type)) is not None:
            count(node, graph, tally)
    return CostCount(**{field.name: tally[field.name] for field in fields(CostCount)})


def _refuse_uncountable(node: NodeProto) -> None:
    name = f"{node.domain}.{node.op_type}".removeprefix(".").removeprefix("ai.onnx.")
    if node.op_type in _UNCOUNTABLE or node.domain not in ("", "ai.onnx"):
        msg = (
            f"can't count the operator {name} (node {node.name!r}); expected a float network of "
            "standard ONNX operators: give the file before quantisation or fusion"
        )
        raise BackendError(msg)
    if any(attribute.type == onnx.AttributeProto.GRAPH for attribute in node.attribute):
        msg = (
            f"can't count {name} (node {node.name!r}): what it computes depends on the input; "
            "export the network without control flow"
        )
        raise BackendError(msg)


@dataclass(frozen=True)
class _Graph:
    """A graph with the shape of every value that is known."""

    proto: GraphProto
    shapes: dict[str, Dims]

    def shape(self, name: str, node: NodeProto) -> Dims:
        if name in self.shapes:
            return self.shapes[name]
        msg = (
            f"the shape of {name!r} at the node {node.name!r} ({node.op_type}) can't be inferred; "
            "export the network with a fixed input size, or run "
            "onnxruntime.tools.symbolic_shape_infer on the file first"
        )
        raise BackendError(msg)

    def params(self) -> int:
        """Return the elements of the constants that weighted operators use."""
        used = {key for name in self._weight_names() if (key := self.constant(name))}
        return sum(prod(self.shapes[name]) for name in used)

    def constant(self, name: str) -> str:
        """Return the constant that `name` is or is made of, or an empty string."""
        while name not in self._constants:
            node = self._producers.get(name)
            if node is None or node.op_type not in (*_TRANSPARENT, "Identity"):
                return ""
            if node.op_type == "Identity":
                return name if self.constant(node.input[0]) else ""
            name = node.input[0]
        return name

    @cached_property
    def _constants(self) -> frozenset[str]:
        written = (n.output[0] for n in self.proto.node if n.op_type == "Constant")
        return frozenset((*(tensor.name for tensor in self.proto.initializer), *written))

    @cached_property
    def _producers(self) -> dict[str, NodeProto]:
        return {output: node for node in self.proto.node for output in node.output}

    def _weight_names(self) -> Iterator[str]:
        linear = {n.output[0] for n in self.proto.node if self.is_linear(n)}
        for node in self.proto.node:
            inputs = _WEIGHT_INPUTS.get(node.op_type, ())
            yield from (node.input[i] for i in inputs if i < len(node.input))
            if node.op_type == "Add" and linear.intersection(node.input):
                # A linear layer on more than two axes is written as MatMul and Add.
                yield from (name for name in node.input if name not in linear)

    def is_linear(self, node: NodeProto) -> bool:
        """Return whether `node` multiplies an activation by a matrix of parameters."""
        return node.op_type == "MatMul" and any(self.constant(name) for name in node.input)


def _count_conv(node: NodeProto, graph: _Graph, tally: Counter[str]) -> None:
    x, weight = (graph.shape(name, node) for name in node.input[:2])
    y = graph.shape(node.output[0], node)
    transposed = node.op_type == "ConvTranspose"
    groups = next((a.i for a in node.attribute if a.name == "group"), 1)
    # Weights are (O, I / groups, ...) in ONNX, transposed ones (I, O / groups, ...).
    inputs = weight[0] if transposed else weight[1] * groups
    if x[1] != inputs:
        msg = f"the node {node.name!r} ({node.op_type}) expected {inputs} channels, got {x[1]}"
        raise BackendError(msg)
    macs = prod(x if transposed else y) * prod(weight[1:])
    tally["conv_macs"] += macs
    if transposed:
        tally["transposed_surplus"] += prod(y) * (x[1] // groups) * prod(weight[2:]) - macs
    if len(node.input) > 2 and node.input[2]:
        tally["conv_bias_outputs"] += prod(y)


def _count_linear(node: NodeProto, graph: _Graph, tally: Counter[str]) -> None:
    if node.op_type == "Gemm" or graph.is_linear(node):
        transposed = any(a.name == "transA" and a.i for a in node.attribute)
        inner = graph.shape(node.input[0], node)[0 if transposed else -1]
        tally["linear_macs"] += prod(graph.shape(node.output[0], node)) * inner


def _count_global_pool(node: NodeProto, graph: _Graph, tally: Counter[str]) -> None:
    x, y = graph.shape(node.input[0], node), graph.shape(node.output[0], node)
    # As thop counts it: an addition for each input element, a division for each output.
    tally["adaptive_pool_ops"] += prod(x) + prod(y)


_COUNTERS: dict[str, Callable[[NodeProto, _Graph, Counter[str]], None]] = {
    "Conv": _count_conv,
    "ConvTranspose": _count_conv,
    "Gemm": _count_linear,
    "MatMul": _count_linear,
    "GlobalAveragePool": _count_global_pool,
}
