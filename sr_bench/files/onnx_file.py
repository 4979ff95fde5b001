"""Read ONNX files, and what they say of themselves."""

from pathlib import Path

import onnx
import onnx.inliner
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import ModelProto, ValueInfoProto

from sr_bench.errors import BackendError


def load_onnx(path: Path, *, fault: str = "can't read the ONNX file") -> ModelProto:
    """Return the checked model in the file at `path`, with its local functions inlined.

    What it keeps in files beside it is read too.

    Args:
        path: The file.
        fault: How the message of an error begins, before the path.

    Raises:
        BackendError: It can't be read, or is not valid.
    """
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except (OSError, DecodeError, onnx.checker.ValidationError) as error:
        msg = f"{fault} {path}: {error}"
        raise BackendError(msg) from error
    return onnx.inliner.inline_local_functions(model) if model.functions else model


def opset(model: ModelProto) -> int:
    """Return the version of the standard operators, 0 if the model declares none."""
    return next((item.version for item in model.opset_import if item.domain in ("", "ai.onnx")), 0)


def inputs(model: ModelProto) -> list[ValueInfoProto]:
    """Return the inputs that are no constants."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in constants]


def metadata(model: ModelProto) -> dict[str, str]:
    """Return the metadata entries."""
    return {entry.key: entry.value for entry in model.metadata_props}
