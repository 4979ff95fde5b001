"""ONNX files of one small network, x2, that read and give images in any way."""

from collections.abc import Mapping

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

KINDS = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "uint8": TensorProto.UINT8,
    "float64": TensorProto.DOUBLE,
}
AXES = {"nchw": 4, "nhwc": 4, "chw": 3, "hwc": 3, "hw": 2}


def image_net(
    order: str = "nchw",
    dtype: str = "float32",
    *,
    gives: str = "",
    gives_dtype: str = "",
    channels: int = 3,
    opset: int = 17,
    dims: list | None = None,
    gives_dims: list | None = None,
    batch: int | str = 1,
) -> ModelProto:
    """Return a convolution and a pixel shuffle behind what turns the axes of `order`.

    It computes on levels from 0 to 255 if it reads uint8, else from 0 to 1. `dims` replaces the
    sizes of its input.
    """
    rng = np.random.default_rng(3)
    weights = rng.normal(0, 0.2, (4 * channels, channels, 3, 3)).astype(np.float32)
    constants = {"conv.weight": weights, "black": np.float32(0), "white": np.float32(255)}
    nodes = [*_to_planes("x", "planes", order, dtype, opset, constants)]
    nodes += [
        helper.make_node("Conv", ["planes", "conv.weight"], ["features"], "conv", pads=[1] * 4),
        helper.make_node("DepthToSpace", ["features"], ["large"], "shuffle", blocksize=2),
    ]
    gives, gives_dtype = gives or order, gives_dtype or dtype
    nodes += _from_planes("large", "y", gives, gives_dtype, opset, constants)
    sizes = {"n": batch, "c": channels, "h": "h", "w": "w"}
    large = sizes | {"h": "H", "w": "W"}
    read = [sizes[axis] for axis in order] if dims is None else dims
    given = [large[axis] for axis in gives] if gives_dims is None else gives_dims
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", KINDS[dtype], read)],
        [helper.make_tensor_value_info("y", KINDS[gives_dtype], given)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=min(10, max(4, opset - 8)))


def _to_planes(
    source: str, target: str, order: str, dtype: str, opset: int, constants: dict
) -> list:
    nodes = []
    if dtype != "float32":
        nodes.append(helper.make_node("Cast", [source], ["cast"], to=TensorProto.FLOAT))
        source = "cast"
    if missing := 4 - AXES[order]:
        nodes.append(_axes_node("Unsqueeze", source, "whole", missing, opset, constants))
        source = "whole"
    perm = [0, 3, 1, 2] if order.endswith("c") else [0, 1, 2, 3]
    nodes.append(helper.make_node("Transpose", [source], [target], perm=perm))
    return nodes


def _from_planes(
    source: str, target: str, order: str, dtype: str, opset: int, constants: dict
) -> list:
    nodes = []
    if order.endswith("c"):
        nodes.append(helper.make_node("Transpose", [source], ["turned"], perm=[0, 2, 3, 1]))
        source = "turned"
    if missing := 4 - AXES[order]:
        nodes.append(_axes_node("Squeeze", source, "part", missing, opset, constants))
        source = "part"
    if dtype == "uint8":
        nodes.append(helper.make_node("Max", [source, "black"], ["positive"]))
        nodes.append(helper.make_node("Min", ["positive", "white"], ["levels"]))
        source = "levels"
    kind = KINDS[dtype]
    nodes.append(helper.make_node("Cast", [source], [target], to=kind))
    return nodes


def _axes_node(
    operator: str, source: str, target: str, missing: int, opset: int, constants: Mapping
) -> object:
    axes = list(range(missing))
    if opset < 13:
        return helper.make_node(operator, [source], [target], axes=axes)
    constants["axes"] = np.array(axes, np.int64)  # type: ignore[index]
    return helper.make_node(operator, [source, "axes"], [target])
