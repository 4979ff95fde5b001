"""Read ONNX files, what they say of themselves, and the shapes of their values."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import onnx
import onnx.inliner
from onnx import (
    AttributeProto,
    ModelProto,
    NodeProto,
    TensorProto,
    TypeProto,
    ValueInfoProto,
    helper,
)

from sr_bench.errors import BackendError
from sr_bench.files.onnx_data import dense, read_external_data
from sr_bench.files.onnx_names import all_names

MAX_NODES = 100_000
"""Operators of a network once its functions are inlined; a deep RCAN has some thousands."""

SHAPE_ELEMENTS = 1024
"""Elements of a constant up to which it may be a shape, indices, axes or factors."""

_Key = tuple[str, str]  # domain and name of a function


def load_onnx(path: Path) -> ModelProto:
    """Return the checked model in the file at `path`, `simplified`.

    What it keeps in files beside it is read too.

    Raises:
        BackendError: It can't be read, or is not valid.
    """
    try:
        model = onnx.load(path, load_external_data=False)
        read_external_data(model, path)
        onnx.checker.check_model(model)
        if bad := next((name for name in all_names(model.graph) if isinstance(name, bytes)), None):
            msg = f"the name {bad!r} is not UTF-8"
            raise ValueError(msg)
        return simplified(model)
    # A broken file makes protobuf and onnx fail in many ways: names that are not UTF-8 do so late.
    except Exception as error:
        msg = f"can't read the ONNX file {path}: {' '.join(str(error).split())}"
        raise BackendError(msg) from error


def simplified(model: ModelProto) -> ModelProto:
    """Return `model`, which is changed, without functions, constant inputs and idle nodes.

    Sparse constants become plain ones.

    Files of before 2018 list each constant among the inputs. A node that no output needs computes
    nothing: runtimes drop it.

    Raises:
        ValueError, RecursionError: As of `inlined` and `dense`.
    """
    model = inlined(model)
    graph = model.graph
    graph.initializer.extend(map(dense, graph.sparse_initializer))
    del graph.sparse_initializer[:]
    outputs = [value.name for value in graph.output]
    nodes, images = needed(graph.node, outputs), inputs(model)
    read = {*outputs}.union(*map(reads, nodes))
    constants = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.node[:], graph.input[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.input.extend(images)
    graph.initializer.extend(constants)
    model.ir_version = max(model.ir_version, 4)  # of which on a constant need not be an input
    return model


def needed(nodes: Sequence[NodeProto], outputs: Iterable[str]) -> list[NodeProto]:
    """Return those of `nodes`, sorted by use, that make `outputs`."""
    read, kept = set(outputs), []
    for node in reversed(nodes):
        if read.intersection(node.output):
            kept.append(node)
            read.update(reads(node))
    return kept[::-1]


def reads(node: NodeProto) -> Iterator[str]:
    """Yield the names that `node` reads, those that its subgraphs take from outside included."""
    yield from node.input
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            yield from (value.name for value in graph.output)
            for inner in graph.node:
                yield from reads(inner)


def control_flow(node: NodeProto) -> str:
    """Return that `node` is control flow, and what to do; empty if it is not."""
    if not any(attribute.type == AttributeProto.GRAPH for attribute in node.attribute):
        return ""
    return f"the node {node.name!r} ({node.op_type}) is control flow; export the network without it"


def foreign(node: NodeProto) -> str:
    """Return that `node` is of no standard operator, and what to do; empty if it is of one."""
    if node.domain in ("", "ai.onnx"):
        return ""
    return (
        f"the node {node.name!r} ({node.domain}.{node.op_type}) is no standard ONNX operator; give"
        " the file as it was exported, before an optimiser fused its operators"
    )


def inlined(model: ModelProto) -> ModelProto:
    """Return `model` with its local functions inlined.

    Raises:
        ValueError: It would have more than `MAX_NODES`: thirty functions that call each other
            twice make a billion.
        RecursionError: Its functions call each other in a circle.
    """
    if not model.functions:
        return model
    sizes: dict[_Key, int] = {}
    bodies = {(function.domain, function.name): function.node for function in model.functions}
    if (count := _inlined_size(model.graph.node, bodies, sizes)) > MAX_NODES:
        msg = f"its functions make {count:,} operators; at most {MAX_NODES:,} are read"
        raise ValueError(msg)
    return onnx.inliner.inline_local_functions(model)


def _inlined_size(
    nodes: Iterable[NodeProto], bodies: Mapping[_Key, Iterable[NodeProto]], sizes: dict[_Key, int]
) -> int:
    """Return how many operators `nodes` are; `sizes` keeps those of the functions seen."""
    count = 0
    for node in nodes:
        key = (node.domain, node.op_type)
        if key in bodies and key not in sizes:
            sizes[key] = _inlined_size(bodies[key], bodies, sizes)
        count += sizes.get(key, 1)
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                count += _inlined_size(graph.node, bodies, sizes)
    return count


def opset(model: ModelProto) -> int:
    """Return the version of the standard operators, 0 if the model declares none."""
    return next((item.version for item in model.opset_import if item.domain in ("", "ai.onnx")), 0)


def inputs(model: ModelProto) -> list[ValueInfoProto]:
    """Return the inputs that are no constants."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in constants]


def attributes(node: NodeProto) -> dict[str, Any]:
    """Return the attributes of `node` by name."""
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def metadata(model: ModelProto) -> dict[str, str]:
    """Return the metadata entries."""
    return {entry.key: entry.value for entry in model.metadata_props}


def inferred(
    model: ModelProto, shape: Sequence[int | None] | None = None, *, strict: bool = False
) -> dict[str, TypeProto.Tensor]:
    """Return type and shape of each value, where onnx can tell, without copying the weights.

    `model` has one input, of `shape`, where None is any size, or of any; it has no functions that
    are not inlined.

    Raises:
        InferenceError: The model is not valid; if `strict`, a node doesn't take what it is given.
    """
    graph, (image,) = model.graph, inputs(model)
    slim = helper.make_graph(
        [_inferable(node) for node in graph.node],
        "slim",
        [helper.make_tensor_value_info(image.name, image.type.tensor_type.elem_type, shape)],
        [ValueInfoProto(name=output.name) for output in graph.output],
        [
            tensor  # without its values if it is large
            if prod(tensor.dims) <= SHAPE_ELEMENTS
            else TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
            for tensor in graph.initializer
        ],
    )
    whole = helper.make_model(
        slim, opset_imports=model.opset_import, ir_version=max(model.ir_version, 4)
    )  # of which on constants need not be inputs
    result = onnx.shape_inference.infer_shapes(
        whole, check_type=strict, strict_mode=strict, data_prop=True
    ).graph
    values = (*result.input, *result.value_info, *result.output)
    return {value.name: value.type.tensor_type for value in values}


def _inferable(node: NodeProto) -> NodeProto:
    """Return `node`, or one of the same type and shape if onnx infers nothing of its operator."""
    if node.op_type != "GroupNormalization":
        return node
    return helper.make_node("Identity", node.input[:1], node.output)
