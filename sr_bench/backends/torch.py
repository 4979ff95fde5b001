"""The torch backend: the GPU where there is one, else the CPU, in channels_last layout."""

import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sr_bench.core.backend import Artefact, BackendInfo, Session
from sr_bench.core.precision import Precision
from sr_bench.errors import NotRunError

NEEDS_ONNX = False
"""Whether a session is opened from an ONNX file; if not, from a torch module."""


def describe() -> BackendInfo:
    """Say what this backend is; the session itself knows its device for certain."""
    try:
        found = version("torch")
    except PackageNotFoundError:
        found = "not installed"
    device = "cuda" if _may_have_cuda(found) else "cpu"
    note = "channels_last, no TF32; fp16 rounds every value to fp16 and accumulates in float32"
    return BackendInfo("torch", found, device, emulated=False, note=note)


def precisions() -> tuple[Precision, ...]:
    """Return what can run here now."""
    return (Precision.FP32, Precision.FP16)


def open_session(artefact: Artefact, *, threads: int = 1) -> Session:
    """Open `artefact`.

    Torch has one number of threads and one TF32 switch per process: this sets them for all.

    Raises:
        BackendError: What the artefact loads is not a torch module.
        NotRunError: There is no torch module (a user's ONNX file), or the precision is not
            supported.
    """
    if artefact.precision not in precisions():
        msg = f"torch can't run {artefact.precision}; it runs {', '.join(precisions())}"
        raise NotRunError(msg)
    if artefact.load_module is None:
        msg = "torch can't run an ONNX file; use --backend=onnxruntime"
        raise NotRunError(msg)
    from sr_bench.backends._torch_session import open_module

    return open_module(artefact.load_module(), artefact.precision, threads=threads)


def _may_have_cuda(torch_version: str) -> bool:
    """Guess, without importing torch, whether it will find a GPU."""
    if "+cpu" in torch_version or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    return Path("/dev/nvidiactl").exists()
