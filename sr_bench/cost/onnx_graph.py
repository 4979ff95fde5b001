"""Count an ONNX file from its shapes alone: no weights are read, nothing is computed."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path

import onnx
from onnx import ModelProto, NodeProto

from sr_bench.cost.count import CostCount
from sr_bench.cost.onnx_params import Dims, Parameters
from sr_bench.cost.onnx_shapes import read_model
from sr_bench.cost.onnx_sizes import settled
from sr_bench.errors import BackendError

_UNCOUNTABLE = frozenset(
    (
        *("Attention", "DeformConv", "Einsum", "GRU", "LSTM", "RNN"),
        *("ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul"),
    )
)


_ACTIVATIONS = {"LeakyRelu": "leaky_relu_elements", "PRelu": "prelu_elements"}
_LATE = ("PRelu", "InstanceNormalization", "LayerNormalization")


def count_onnx(source: Path | ModelProto, shape: tuple[int, int, int]) -> CostCount:
    """Count an ONNX graph on one image of `shape`.

    What does not depend on the image is computed in advance: it is no operation. `Parameters` says
    what counts as a parameter. Weights in external files are not opened, and a model is not
    changed. `shape` is (channels, height, width), and takes the place of symbolic dimensions.

    Raises:
        BackendError: The file can't be read, has not one image input, does not accept that shape,
            or holds an operator whose cost is not known.
    """
    model = read_model(source)
    shapes = settled(model, shape)
    parameters = Parameters(model.graph, shapes)
    graph = _Graph(parameters, shapes)
    tally = Counter(params=parameters.count(), bias_params=parameters.count_biases())
    late: dict[str, int] = {}
    for node in parameters.computing():
        _refuse_uncountable(node)
        if name := _ACTIVATIONS.get(node.op_type):
            tally[name] += prod(graph.shape(node.input[0], node))
        elif (count := _COUNTERS.get(node.op_type)) is not None:
            count(node, graph, tally)
        if node.op_type in _LATE:
            late |= {name: prod(graph.shape(name, node)) for name in node.input[1:]}
    tally["late_params"] = sum(late.values())
    return CostCount.of(tally, parameters.unknown())


def _refuse_uncountable(node: NodeProto) -> None:
    name = f"{node.domain}.{node.op_type}".removeprefix(".").removeprefix("ai.onnx.")
    standard = node.domain in ("", "ai.onnx") and onnx.defs.has(node.op_type)
    if node.op_type in _UNCOUNTABLE or not standard:
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

    parameters: Parameters
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
    if node.op_type == "Gemm" or graph.parameters.is_linear(node):
        transposed = any(a.name == "transA" and a.i for a in node.attribute)
        inner = graph.shape(node.input[0], node)[0 if transposed else -1]
        tally["linear_macs"] += prod(graph.shape(node.output[0], node)) * inner


def _count_norm(node: NodeProto, graph: _Graph, tally: Counter[str]) -> None:
    elements = prod(graph.shape(node.input[0], node))
    tally["batch_norm_elements"] += elements if node.op_type == "BatchNormalization" else 0
    tally["norm_ops"] += 4 * elements  # a file's layers have factors and offsets, be they 1 and 0


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
    "BatchNormalization": _count_norm,
    "InstanceNormalization": _count_norm,
    "LayerNormalization": _count_norm,
}
