"""Open a network in onnxruntime to look at it, not to measure it."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def open_on_cpu(content: bytes | Path, *, in_integers: bool = True) -> "InferenceSession":
    """Return the ONNX file `content`, or at that path, opened on the CPU, to run on one thread.

    Unless `in_integers`, layers between rounded values compute in float, which is exact on any CPU.

    Nothing is logged: what goes wrong is raised. onnxruntime's exceptions have no common base but
    Exception.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # hundreds of nodes may be open, each with its own
    if not in_integers:
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    return onnxruntime.InferenceSession(
        content if isinstance(content, bytes) else str(content),
        options,
        providers=["CPUExecutionProvider"],
        enable_fallback=0,  # which prints, and tries the same again
    )
