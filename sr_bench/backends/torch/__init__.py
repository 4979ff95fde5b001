"""The torch backend: the GPU where there is one, else the CPU, in channels_last layout."""

import os
import re
from importlib.metadata import PackageNotFoundError, distribution
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

_NOTE = (
    "channels_last, no TF32; fp16 rounds every value to fp16 and accumulates in float32; "
    "int8 convolutions are exact integers in floats"
)
_CONTROL_NODE = Path("/dev/nvidiactl")
_DRIVER = Path("/proc/driver/nvidia")


def describe(options: BackendOptions = DEFAULT_OPTIONS) -> BackendInfo:
    """Say what this backend is; the session itself knows its device for certain.

    On a GPU the version also names the GPU, and torch's own tells its CUDA: all change numbers.
    """
    found, note = _torch_version(), _NOTE
    device = "cuda" if _may_have_cuda(found) else "cpu"
    if device == "cuda":
        found = f"{found} on {_gpus()}"
        note = f"{note}; batches by size, {_driver()}"
    return BackendInfo("torch", found, device, emulated=False, note=note, form=Form.MODULE)


def precisions(options: BackendOptions = DEFAULT_OPTIONS) -> tuple[Precision, ...]:
    """Return what can run here now."""
    return Precision.all()


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
    from sr_bench.backends.torch.session import open_graph, open_module

    if artefact.load_module is not None and artefact.precision.dtype != "int8":
        return open_module(artefact.load_module(), artefact.precision, threads=threads)
    if artefact.onnx is None:
        msg = f"torch needs an ONNX file for {artefact.precision}, and this network has none"
        raise NotRunError(msg)
    return open_graph(artefact.onnx, artefact.precision, threads=threads)


def _torch_version() -> str:
    """Return torch's version, such as ``2.6.0+cu124``, without importing it.

    It is read in torch's own files: the version of the package on PyPI doesn't tell its CUDA.
    """
    try:
        package = distribution("torch")
    except PackageNotFoundError:
        return "not installed"
    text = _read(Path(str(package.locate_file("torch/version.py"))))
    found = re.search(r"^__version__ = '([\w.+-]+)'", text, re.MULTILINE)
    return found[1] if found else package.version


def _may_have_cuda(torch_version: str) -> bool:
    """Guess, without importing torch, whether it will find a GPU."""
    if "+cpu" in torch_version or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    return _CONTROL_NODE.exists()


def _gpus() -> str:
    """Return the names of this machine's GPUs; if they differ, with what chooses among them."""
    texts = [_read(path) for path in sorted(_DRIVER.glob("gpus/*/information"))]
    names = [found[1] for text in texts if (found := re.search(r"^Model:\s*(\S.*)$", text, re.M))]
    models = dict.fromkeys(map(str.strip, names))
    if len(models) < 2:
        return "".join(models) or "an unknown GPU"
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES", "not set")
    return " or ".join(models) + f" (CUDA_VISIBLE_DEVICES {chosen})"


def _driver() -> str:
    found = re.search(r"Kernel Module.*?\s(\d+(?:\.\d+)+)", _read(_DRIVER / "version"))
    return f"driver {found[1]}" if found else "driver unknown"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
