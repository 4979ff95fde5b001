"""Read an ONNX file without its external weights, and infer every shape for one input size."""

from math import prod
from pathlib import Path

import onnx
from onnx import ModelProto, TypeProto, ValueInfoProto

from sr_bench.errors import BackendError
from sr_bench.files.onnx_file import inlined, inputs

Dims = tuple[int, ...]

_LARGEST_SHAPE_CONSTANT = 64
"""Elements of a constant that may still hold a shape, axes or scale factors."""


def read_model(source: Path | ModelProto) -> ModelProto:
    """Return a model of its own, with local functions inlined.

    Raises:
        BackendError: The file is missing or is not an ONNX file.
    """
    if isinstance(source, ModelProto):
        model = ModelProto()
        model.CopyFrom(source)
        model = inlined(model)
    else:
        model = _load(source)
    _drop_weights(model)
    if not model.graph.node:
        msg = f"{_name(source)} has no operators: expected an ONNX network"
        raise BackendError(msg)
    return model


def _load(path: Path) -> ModelProto:
    try:
        return inlined(onnx.load(path, load_external_data=False))
    # A damaged file raises whatever its reader stumbles over.
    except Exception as error:
        msg = f"can't read the ONNX file {path}: {error}"
        raise BackendError(msg) from error


def fixed_shapes(model: ModelProto, shape: tuple[int, int, int]) -> dict[str, Dims]:
    """Return the shape of every value of `model` for one image of `shape`.

    A value whose shape can't be inferred is absent. `model` is changed.

    Raises:
        BackendError: `model` has not one image input, or does not accept `shape`.
    """
    _fix_input(_image_input(model), shape)
    del model.graph.value_info[:]
    for output in model.graph.output:
        if output.type.WhichOneof("value") == "tensor_type":
            output.type.tensor_type.ClearField("shape")
    try:
        inferred = onnx.shape_inference.infer_shapes(
            model, check_type=True, strict_mode=True, data_prop=True
        )
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError) as error:
        msg = f"the network does not accept the input shape {_text(shape)}: {error}"
        raise BackendError(msg) from error
    graph = inferred.graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.output, *graph.value_info):
        if (dims := _dims(value.type)) is not None:
            shapes[value.name] = dims
    return shapes


def _drop_weights(model: ModelProto) -> None:
    """Drop the contents of large constants: inference reads the small ones, and copies all."""
    for tensor in model.graph.initializer:
        if prod(tensor.dims) > _LARGEST_SHAPE_CONSTANT:
            for content in ("raw_data", "float_data", "int32_data", "int64_data", "double_data"):
                tensor.ClearField(content)


def _image_input(model: ModelProto) -> ValueInfoProto:
    read = inputs(model)
    if len(read) == 1 and len(read[0].type.tensor_type.shape.dim) == 4:
        return read[0]
    names = ", ".join(f"{v.name} of {len(v.type.tensor_type.shape.dim)} axes" for v in read)
    msg = f"expected one input of 4 axes (NCHW); the graph has: {names or 'none'}"
    raise BackendError(msg)


def _fix_input(value: ValueInfoProto, shape: tuple[int, int, int]) -> None:
    dims = value.type.tensor_type.shape.dim
    for dim, size in zip(list(dims)[1:], shape, strict=True):
        if dim.WhichOneof("value") == "dim_value" and dim.dim_value != size:
            fixed = "x".join(str(d.dim_value or d.dim_param or "?") for d in list(dims)[1:])
            msg = (
                f"the input {value.name!r} is {fixed} (CxHxW), not {_text(shape)}; "
                "count it on its own shape, or export it with dynamic height and width"
            )
            raise BackendError(msg)
        dim.dim_value = size
    dims[0].dim_value = 1


def _dims(kind: TypeProto) -> Dims | None:
    if not kind.tensor_type.HasField("shape"):
        return None
    dims = kind.tensor_type.shape.dim
    if any(dim.WhichOneof("value") != "dim_value" for dim in dims):
        return None
    return tuple(dim.dim_value for dim in dims)


def _text(shape: tuple[int, int, int]) -> str:
    return "x".join(map(str, shape))


def _name(source: Path | ModelProto) -> str:
    return "the model" if isinstance(source, ModelProto) else str(source)
