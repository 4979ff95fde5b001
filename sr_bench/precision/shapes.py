"""Infer the types and shapes of a graph's values, without copying its weights."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, ValueInfoProto, helper

_SMALL = 1024
"""Elements of a constant up to which its values may be a shape."""


def inferred(
    model: ModelProto, shape: Sequence[int] | None = None
) -> dict[str, "onnx.TypeProto.Tensor"]:
    """Return type and shape of each value, where onnx can tell.

    Args:
        model: Of one float32 input and one output.
        shape: Of the input; None for any.
    """
    graph = model.graph
    slim = helper.make_graph(
        graph.node,
        "slim",
        [helper.make_tensor_value_info(graph.input[0].name, TensorProto.FLOAT, shape)],
        [ValueInfoProto(name=graph.output[0].name)],
        [_slim(tensor) for tensor in graph.initializer],
    )
    whole = helper.make_model(slim, opset_imports=model.opset_import, ir_version=model.ir_version)
    found = onnx.shape_inference.infer_shapes(whole, data_prop=True).graph
    values = (*found.input, *found.value_info, *found.output)
    return {value.name: value.type.tensor_type for value in values}


def _slim(tensor: TensorProto) -> TensorProto:
    """Return `tensor`, without its values if it is large."""
    if int(np.prod(tensor.dims)) <= _SMALL:
        return tensor
    return TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
