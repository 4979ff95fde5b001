"""The torch backend: the GPU where there is one, else the CPU, in channels_last layout."""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from sr_bench.backends._gpu import driver, gpu_in_sight, gpu_names, read_text
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

_NOTE = "channels_last, no TF32; fp16 rounds every value to fp16 and accumulates in float32"


def describe(options: BackendOptions = DEFAULT_OPTIONS) -> BackendInfo:
    """Say what this backend is; the session itself knows its device for certain.

    On a GPU the version also names the GPU, and torch's own tells its CUDA: all change numbers.
    """
    version, note, device, gpu = _torch_version(), _NOTE, "cpu", ""
    if "+cpu" not in version and gpu_in_sight():
        gpu = gpu_names()
        version, device = f"{version} on {gpu}", "cuda"
        note = f"{note}; batches by size, {driver()}"
    return BackendInfo(
        "torch",
        version,
        device,
        emulated=False,
        note=note,
        form=Form.MODULE,
        hardware=gpu,
        imitates=("fp16",),
    )


def precisions(options: BackendOptions = DEFAULT_OPTIONS) -> tuple[Precision, ...]:
    """Return what can run here now."""
    return (Precision.FP32, Precision.FP16)


def open_session(
    artefact: Artefact, *, threads: int = 1, options: BackendOptions = DEFAULT_OPTIONS
) -> Session:
    """Open the module of `artefact`.

    Torch has one number of threads and one TF32 switch per process: this sets them for all.

    Raises:
        BackendError: What the artefact loads is not a torch module.
        NotRunError: It has no module, or is int8.
    """
    from sr_bench.backends.torch.session import open_module  # loads torch

    if artefact.load_module is None or artefact.precision not in precisions():
        msg = (
            "the torch backend runs torch modules in fp32 and fp16; for an ONNX file or int8 rerun"
            " with --backend=onnxruntime"
        )
        raise NotRunError(msg)
    return open_module(artefact.load_module(), artefact.precision, threads=threads)


def _torch_version() -> str:
    """Return torch's version, such as ``2.6.0+cu124``, without importing it.

    It is read in torch's own files: the version of the package on PyPI doesn't tell its CUDA.
    """
    try:
        package = distribution("torch")
    except PackageNotFoundError:
        return "not installed"
    text = read_text(Path(str(package.locate_file("torch/version.py"))))
    match = re.search(r"^__version__ = '([\w.+-]+)'", text, re.MULTILINE)
    return match[1] if match else package.version
