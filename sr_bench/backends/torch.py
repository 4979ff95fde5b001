"""The torch backend: the GPU where there is one, else the CPU, in channels_last layout."""

import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sr_bench.core.backend import (
    DEFAULT_OPTIONS,
    Artefact,
    BackendInfo,
    BackendOptions,
    Form,
    Session,
)
from sr_bench.core.precision import Precision
from sr_bench.errors import NotRunError


def describe(options: BackendOptions = DEFAULT_OPTIONS) -> BackendInfo:
    """Say what this backend is; the session itself knows its device for certain."""
    try:
        found = version("torch")
    except PackageNotFoundError:
        found = "not installed"
    device = "cuda" if _may_have_cuda(found) else "cpu"
    note = (
        "channels_last, no TF32; fp16 rounds every value to fp16 and accumulates in float32; "
        "int8 convolutions are exact integers in floats"
    )
    return BackendInfo("torch", found, device, emulated=False, note=note, form=Form.MODULE)


def precisions(options: BackendOptions = DEFAULT_OPTIONS) -> tuple[Precision, ...]:
    """Return what can run here now."""
    return tuple(Precision)


def open_session(
    artefact: Artefact, *, threads: int = 1, options: BackendOptions = DEFAULT_OPTIONS
) -> Session:
    """Open `artefact`: its module, or the ONNX file for int8 and where there is no module.

    Torch has one number of threads and one TF32 switch per process: this sets them for all.

    Raises:
        BackendError: What the artefact loads is not a torch module, or the ONNX file can't be
            opened or is not in its precision.
        NotRunError: There is neither, or the file holds an operator that is not supported.
    """
    from sr_bench.backends._torch_session import open_graph, open_module

    if artefact.load_module is not None and artefact.precision.dtype != "int8":
        return open_module(artefact.load_module(), artefact.precision, threads=threads)
    if artefact.onnx is None:
        msg = f"torch needs an ONNX file for {artefact.precision}, and this network has none"
        raise NotRunError(msg)
    return open_graph(artefact.onnx, artefact.precision, threads=threads)


def _may_have_cuda(torch_version: str) -> bool:
    """Guess, without importing torch, whether it will find a GPU."""
    if "+cpu" in torch_version or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    return Path("/dev/nvidiactl").exists()
