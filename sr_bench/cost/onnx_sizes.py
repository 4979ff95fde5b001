"""Compute what in an ONNX graph follows from the size of its input: shapes, indices, branches.

Exporters write the size of a slice or a window as a computation on the image's own size, and let
an If choose by it. onnx infers no shapes behind such nodes; with their values it does.
"""

from collections.abc import Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)
from onnx.reference import ReferenceEvaluator

from sr_bench.cost.onnx_params import SIZES, Dims
from sr_bench.cost.onnx_shapes import fixed_shapes
from sr_bench.files.onnx_file import SHAPE_ELEMENTS, opset

_Values = dict[str, NDArray[np.generic]]

_COMPUTED = frozenset(
    (
        *("Abs", "Add", "And", "Cast", "Ceil", "Concat", "Div", "Equal", "Floor", "Gather"),
        *("Greater", "GreaterOrEqual", "Identity", "Less", "LessOrEqual", "Max", "Min", "Mod"),
        *("Mul", "Neg", "Not", "Or", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSum"),
        *("Reshape", "Round", "Slice", "Split", "Sqrt", "Squeeze", "Sub", "Transpose"),
        *("Unsqueeze", "Where"),
    )
)
_GROWING = frozenset(("ConstantOfShape", "Expand", "Range", "Tile"))  # of two numbers, terabytes


def settled(model: ModelProto, shape: tuple[int, int, int]) -> dict[str, Dims]:
    """Return the shape of every value of `model` for one image of `shape`.

    In `model`, what follows from the size of the image becomes constants, and an If whose condition
    does becomes the branch that it takes. A value whose shape can't be inferred is absent.

    Raises:
        BackendError: `model` has not one image input, or does not accept `shape`.
    """
    graph = model.graph
    known = {t.name: numpy_helper.to_array(t) for t in graph.initializer if _is_small(t)}
    while True:
        shapes = fixed_shapes(model, shape)
        if not _settle(graph, shapes, known, opset(model)):
            return shapes


def _settle(graph: GraphProto, shapes: Mapping[str, Dims], known: _Values, version: int) -> bool:
    """Replace the nodes of which all is `known`, to which it adds; return whether there was one."""
    nodes: list[NodeProto] = []
    changed = False
    for node in graph.node:
        if branch := _taken(node, known):
            nodes += branch.node
            pairs = zip(branch.output, node.output, strict=True)
            nodes += [helper.make_node("Identity", [v.name], [name]) for v, name in pairs]
            graph.initializer.extend(branch.initializer)
            known |= {t.name: numpy_helper.to_array(t) for t in branch.initializer if _is_small(t)}
            changed = True
            continue
        values = _values(node, shapes, known, version)
        known |= values
        # A float may be a parameter, which stays as the file has it.
        if values and all(value.dtype.kind in "biu" for value in values.values()):
            tensors = (numpy_helper.from_array(value, name) for name, value in values.items())
            graph.initializer.extend(tensors)
            changed = True
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    return changed


def _taken(node: NodeProto, known: _Values) -> GraphProto | None:
    """Return the branch that `node` takes, if it is an If whose condition is known."""
    if node.op_type != "If" or node.input[0] not in known:
        return None
    name = "then_branch" if known[node.input[0]].all() else "else_branch"
    branch: GraphProto = next(attribute.g for attribute in node.attribute if attribute.name == name)
    return branch


def _values(node: NodeProto, shapes: Mapping[str, Dims], known: _Values, version: int) -> _Values:
    """Return the outputs of `node` by name, if all that they are made of is known."""
    if node.op_type in SIZES and node.input[0] in shapes:
        return {node.output[0]: _size(node, shapes[node.input[0]])}
    if node.op_type == "Constant":
        small = all(_is_small(attribute.t) for attribute in node.attribute)
    else:
        sizes = [prod(shapes[name]) for name in node.output if name in shapes]
        bounded = len(sizes) == len(node.output) and max(sizes) <= SHAPE_ELEMENTS
        small = node.op_type in _COMPUTED or (node.op_type in _GROWING and bounded)
    if not small or node.domain or not all(name in known for name in node.input if name):
        return {}
    try:
        feeds = {name: known[name] for name in node.input if name}
        reads, gives = ([ValueInfoProto(name=name) for name in ns] for ns in (feeds, node.output))
        alone = helper.make_graph([node], "alone", reads, gives)
        rules = [helper.make_opsetid("", version)]
        evaluator = ReferenceEvaluator(helper.make_model(alone, opset_imports=rules))
        results = evaluator.run(None, feeds)
    # What the evaluator does not know stays as it is: then its shape may not be known.
    except Exception:
        return {}
    values = {name: np.asarray(x) for name, x in zip(node.output, results, strict=True) if name}
    return values if all(value.size <= SHAPE_ELEMENTS for value in values.values()) else {}


def _size(node: NodeProto, dims: Dims) -> NDArray[np.int64]:
    if node.op_type == "Size":
        return np.array(prod(dims), np.int64)
    ends = {attribute.name: attribute.i for attribute in node.attribute}
    return np.array(dims[ends.get("start", 0) : ends.get("end")], np.int64)


def _is_small(tensor: TensorProto) -> bool:
    return tensor.data_location != TensorProto.EXTERNAL and prod(tensor.dims) <= SHAPE_ELEMENTS
