"""Read an ONNX file without its large weights, and the shape of each value for one input."""

from contextlib import suppress
from pathlib import Path

import onnx
from onnx import ModelProto

from sr_bench.cost.onnx_params import Dims
from sr_bench.errors import BackendError
from sr_bench.files.onnx_data import read_external_data
from sr_bench.files.onnx_file import SHAPE_ELEMENTS, inferred, inputs, simplified


def read_model(source: Path | ModelProto) -> ModelProto:
    """Return the model in a file, or a copy of the one given, `simplified`.

    Raises:
        BackendError: The file is missing or is not an ONNX file.
    """
    name = str(source) if isinstance(source, Path) else "the model"
    try:
        if isinstance(source, Path):
            path, source = source, onnx.load(source, load_external_data=False)
            with suppress(ValueError, OSError):  # of weights, absent ones do: only sizes count
                read_external_data(source, path, largest=SHAPE_ELEMENTS)
        copy = ModelProto()
        copy.CopyFrom(source)
        model = simplified(copy)
    # A damaged file raises whatever its reader stumbles over.
    except Exception as error:
        msg = f"can't read the ONNX file {name}: {' '.join(str(error).split())}"
        raise BackendError(msg) from error
    if not model.graph.node:
        msg = f"{name}: expected an ONNX network, got one without operators"
        raise BackendError(msg)
    return model


def fixed_shapes(model: ModelProto, shape: tuple[int, int, int]) -> dict[str, Dims]:
    """Return the shape of every value of `model` for one image of `shape`.

    A value whose shape can't be inferred is absent.

    Raises:
        BackendError: `model` has not one image input, or does not accept `shape`.
    """
    _check_input(model, shape)
    try:
        kinds = inferred(model, (1, *shape), strict=True)
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        msg = f"the network does not accept the input shape {_text(shape)}: {reason}"
        raise BackendError(msg) from error
    shapes = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    return shapes | {
        name: tuple(dim.dim_value for dim in kind.shape.dim)
        for name, kind in kinds.items()
        if kind.HasField("shape")
        # An unknown size reads as 0: only the oneof tells the two apart.
        and all(dim.WhichOneof("value") == "dim_value" for dim in kind.shape.dim)
    }


def _check_input(model: ModelProto, shape: tuple[int, int, int]) -> None:
    read = inputs(model)
    axes = [value.type.tensor_type.shape.dim for value in read]
    if [len(dims) for dims in axes] != [4]:
        pairs = zip(read, axes, strict=True)
        names = ", ".join(f"{value.name} of {len(dims)} axes" for value, dims in pairs)
        msg = f"expected one input of 4 axes (NCHW), got: {names or 'none'}"
        raise BackendError(msg)
    declared = list(axes[0])[1:]
    if any(dim.dim_value not in (0, size) for dim, size in zip(declared, shape, strict=True)):
        fixed = "x".join(str(dim.dim_value or dim.dim_param or "?") for dim in declared)
        msg = (
            f"expected the input {read[0].name!r} to take {_text(shape)} (CxHxW), got {fixed}; "
            "count it on its own shape, or export it with dynamic height and width"
        )
        raise BackendError(msg)


def _text(shape: tuple[int, int, int]) -> str:
    return "x".join(map(str, shape))
