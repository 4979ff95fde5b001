"""The onnxruntime backend: the CPU provider, one session that several threads may share."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sr_bench.backends._session import CheckedSession, Infer
from sr_bench.core.backend import PRECISION_KEY, Artefact, BackendInfo, Session
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, NotRunError

_DISTRIBUTIONS = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml")
_LOG_ERRORS_ONLY = 3

NEEDS_ONNX = True
"""Whether a session is opened from an ONNX file; if not, from a torch module."""


def describe() -> BackendInfo:
    """Say what this backend is."""
    note = "CPU provider; fp16 rounds every value to fp16 and accumulates in float32"
    return BackendInfo("onnxruntime", library_version(), "cpu", emulated=False, note=note)


def precisions() -> tuple[Precision, ...]:
    """Return what can run here now."""
    return (Precision.FP32, Precision.FP16)


def open_session(artefact: Artefact, *, threads: int = 1) -> Session:
    """Open `artefact`; each run uses `threads` threads of its own besides the caller's.

    Raises:
        BackendError: The ONNX file can't be opened or is not in its precision.
        NotRunError: There is no ONNX file, or the precision is not supported.
    """
    infer = open_onnx(artefact, threads=threads)
    return CheckedSession(infer, backend="onnxruntime", device="cpu")


def library_version() -> str:
    """Return the installed version, of whichever distribution holds the library."""
    for name in _DISTRIBUTIONS:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "not installed"


def open_onnx(artefact: Artefact, *, threads: int) -> Infer:
    """Return a function that runs `artefact` on the CPU; other backends imitate devices by it.

    Raises:
        BackendError: The ONNX file can't be opened or is not in its precision.
        NotRunError: There is no ONNX file, or the precision is not supported.
    """
    if artefact.precision not in precisions():
        msg = f"onnxruntime can't run {artefact.precision} yet; it runs {', '.join(precisions())}"
        raise NotRunError(msg)
    if artefact.onnx is None:
        msg = "onnxruntime needs an ONNX file, and this network has none; use --backend=torch"
        raise NotRunError(msg)
    return _Graph(artefact.onnx, artefact.precision, threads)


class _Graph:
    """An ONNX file, opened."""

    def __init__(self, path: Path, precision: Precision, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _LOG_ERRORS_ONLY
        try:
            self._session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        # onnxruntime's exceptions have no common base but Exception.
        except Exception as error:
            msg = f"onnxruntime can't open {path}: {error}"
            raise BackendError(msg) from error
        self._path = path
        self._check(precision)
        self._input = self._session.get_inputs()[0].name

    def __call__(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            output: NDArray[np.float32] = self._session.run(None, {self._input: lr})[0]
        except Exception as error:
            msg = f"onnxruntime can't run {self._path} on the shape {lr.shape}: {error}"
            raise BackendError(msg) from error
        return output

    def _check(self, precision: Precision) -> None:
        inputs, outputs = len(self._session.get_inputs()), len(self._session.get_outputs())
        if (inputs, outputs) != (1, 1):
            msg = (
                f"expected one input and one output in {self._path}; it has {inputs} and {outputs}"
            )
            raise BackendError(msg)
        found = self._session.get_modelmeta().custom_metadata_map.get(PRECISION_KEY, "fp32")
        if found != precision.dtype:
            # A float16 file would be computed in float32 here without a word.
            msg = f"expected a file made for {precision.dtype}, but {self._path} is {found}"
            raise BackendError(msg)
