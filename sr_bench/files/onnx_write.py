"""Write an ONNX file that others can open: checked by onnx and opened by onnxruntime first."""

from pathlib import Path

import onnx
from onnx import ModelProto

from sr_bench.errors import BackendError
from sr_bench.files.atomic import write_bytes
from sr_bench.files.onnx_open import open_on_cpu

_STANDARD = ("", "ai.onnx", "ai.onnx.ml")


def write_onnx(model: ModelProto, path: Path, *, is_run: bool = False) -> None:
    """Write `model` to `path`, whole or not at all, once onnx and onnxruntime accept it.

    Missing folders are made. What `is_run` onnxruntime has run already: it is not opened again.

    Raises:
        BackendError: One of them refuses it; no file is written.
        SrBenchError: The disk refuses.
    """
    judge = "onnx"
    try:
        content = model.SerializeToString()
        # The types of other domains' operators, onnx can't infer.
        standard = all(node.domain in _STANDARD for node in model.graph.node)
        onnx.checker.check_model(content, full_check=standard)
        judge = "onnxruntime"
        if not is_run:
            open_on_cpu(content)
    # Theirs and protobuf's exceptions have no common base but Exception.
    except Exception as error:
        said = " ".join(str(error).split())
        msg = f"{path} is not written, as {judge} refuses the network that was made: {said}"
        raise BackendError(msg) from error
    write_bytes(path, content)
