"""fp16 for a runtime without fp16 arithmetic: float32 tensors that hold fp16 values only.

onnxruntime's CPU provider runs a float16 model in float32: it casts at each operator's input and
drops the casts between two operators, so that only the weights are rounded. Here the graph stays
float32 and a pair of Cast nodes rounds after each operator; the pair is part of the network, and
onnxruntime keeps it at every optimisation level. Each operator accumulates in float32.
"""

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    helper,
    numpy_helper,
)

from sr_bench.core.backend import PRECISION_KEY
from sr_bench.errors import BackendError
from sr_bench.files.onnx_dtype import arithmetic
from sr_bench.files.onnx_file import control_flow, foreign, inferred, load_onnx
from sr_bench.files.onnx_image import ends, no_image_network
from sr_bench.files.onnx_names import name_nodes, separator
from sr_bench.files.onnx_write import write_onnx
from sr_bench.precision._geometry import geometry_values

KEEPS_VALUES = frozenset(
    (
        *("Abs", "Max", "MaxPool", "Min", "Neg", "Relu"),
        *("Concat", "Expand", "Gather", "Slice", "Split", "Tile"),
        *("DepthToSpace", "Flatten", "Identity", "Reshape", "SpaceToDepth", "Squeeze"),
        *("Transpose", "Unsqueeze"),
    )
)
"""Operators whose results are values of their inputs, or zero: rounding them again is idle."""


def to_fp16(onnx_in: Path, onnx_out: Path, *, told: Path | None = None) -> None:
    """Write `onnx_in` with every value rounded to fp16, half to even.

    Values from 65520 up become inf and small ones subnormal or 0, as in fp16 hardware. Inputs and
    outputs stay float32 tensors. `onnx_out` appears complete or not at all. Errors name the file
    `told`; None: `onnx_in`.

    Raises:
        BackendError: `onnx_in` can't be read, is not a float32 network, or holds control flow.
    """
    model, named = load_onnx(onnx_in), told or onnx_in
    if (found := arithmetic(model)).dtype != "fp32":
        msg = f"{named}: expected the fp32 file, got one of {found.dtype}: {found.sign}"
        raise BackendError(msg)
    if fault := no_image_network(*ends(model)):
        msg = f"{named}: {fault}"
        raise BackendError(msg)
    types = _types(model, named)
    floats = {name for name, kind in types.items() if kind == TensorProto.FLOAT}
    values = floats - geometry_values(model.graph, types)
    round_constants(model.graph, values)
    name_nodes(model)
    mark = separator(model)
    nodes = [*_round_inputs(model.graph, values, mark)]
    for node in model.graph.node:
        nodes += [node] if node.op_type in KEEPS_VALUES else rounded(node, values, mark)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.metadata_props.add(key=PRECISION_KEY, value="fp16")
    try:
        write_onnx(model, onnx_out)
    except BackendError as error:
        raise error.about(str(named)) from error


def round_constants(graph: GraphProto, names: Collection[str]) -> None:
    """Round the constants of `graph` that `names` has, all float32."""
    for tensor in graph.initializer:
        if tensor.name in names:
            with np.errstate(over="ignore"):  # what is too large for fp16 becomes inf
                halves = numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(halves.astype(np.float32), tensor.name))


def rounded(node: NodeProto, names: Collection[str], mark: str) -> Iterator[NodeProto]:
    """Yield `node` and the rounding of those outputs that `names` has, which keep their names.

    `mark` parts the names from what is added to them; see `onnx_names.separator`.
    """
    yield node
    for i, name in enumerate(node.output):
        if name in names:
            node.output[i] = f"{name}{mark}unrounded"
            yield from cast_pair(node.output[i], name, mark)


def cast_pair(source: str, target: str, mark: str) -> tuple[NodeProto, NodeProto]:
    """Return the nodes that round the float32 tensor `source` to fp16, as float32 `target`.

    `mark` is as for `rounded`.
    """
    half, back = f"{source}{mark}half", f"{source}{mark}to_float"
    return (
        helper.make_node("Cast", [source], [half], name=half, to=TensorProto.FLOAT16),
        helper.make_node("Cast", [half], [target], name=back, to=TensorProto.FLOAT),
    )


def _types(model: ModelProto, path: Path) -> dict[str, int]:
    """Return the element type of every value."""
    try:
        kinds = inferred(model, strict=True)
    except onnx.shape_inference.InferenceError as error:
        msg = f"the types in {path} can't be inferred: {' '.join(str(error).split())}"
        raise BackendError(msg) from error
    types: dict[str, int] = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    types |= {name: kind.elem_type for name, kind in kinds.items()}
    for node in model.graph.node:
        fault = foreign(node) or control_flow(node)
        if not (fault or all(types.get(output) for output in node.output if output)):
            fault = f"the output type of the node {node.name!r} ({node.op_type}) is unknown"
        if fault:
            msg = f"{path}: {fault}"
            raise BackendError(msg)
    if double := sorted(name for name, kind in types.items() if kind == TensorProto.DOUBLE):
        msg = f"{path}: expected a float32 network, but {double[0]!r} is of another float type"
        raise BackendError(msg)
    return types


def _round_inputs(graph: GraphProto, values: set[str], mark: str) -> Iterator[NodeProto]:
    """Yield the rounding of the graph's inputs, and let its nodes read the rounded ones."""
    constants = {tensor.name for tensor in graph.initializer}
    names = {v.name: f"{v.name}{mark}rounded" for v in graph.input if v.name in values - constants}
    for node in graph.node:
        for i, name in enumerate(node.input):
            node.input[i] = names.get(name, name)
    for name, target in names.items():
        yield from cast_pair(name, target, mark)
