"""The onnxruntime backend: the CPU provider, one session that several threads may share."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sr_bench.backends._session import CheckedSession
from sr_bench.backends.onnxruntime.file import check_onnx, int8_rules
from sr_bench.core.backend import DEFAULT_OPTIONS, Artefact, BackendInfo, BackendOptions, Session
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, NotRunError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions

_DISTRIBUTIONS = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml")
_LOG_ERRORS_ONLY = 3
_CPU = ["CPUExecutionProvider"]


def describe(options: BackendOptions = DEFAULT_OPTIONS) -> BackendInfo:
    """Say what this backend is."""
    note = "CPU provider; fp16 rounds every value to fp16 and accumulates in float32"
    return BackendInfo("onnxruntime", library_version(), "cpu", emulated=False, note=note)


def precisions(options: BackendOptions = DEFAULT_OPTIONS) -> tuple[Precision, ...]:
    """Return what can run here now."""
    return Precision.all()


def open_session(
    artefact: Artefact, *, threads: int = 1, options: BackendOptions = DEFAULT_OPTIONS
) -> Session:
    """Open `artefact`; each run uses `threads` threads of its own besides the caller's.

    Raises:
        BackendError: The ONNX file can't be opened or is not in its precision.
        NotRunError: There is no ONNX file.
    """
    graph = open_onnx(artefact, threads=threads)
    return CheckedSession(graph, backend="onnxruntime", device="cpu", notes=graph.notes)


def library_version() -> str:
    """Return the installed version, of whichever distribution holds the library."""
    for name in _DISTRIBUTIONS:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "not installed"


def open_onnx(artefact: Artefact, *, threads: int) -> "Graph":
    """Return what runs `artefact` on the CPU; other backends emulate devices by it.

    Raises:
        BackendError: The ONNX file can't be opened or is not in its precision.
        NotRunError: There is no ONNX file.
    """
    if artefact.onnx is None:
        msg = "onnxruntime needs an ONNX file, and this network has none; use --backend=torch"
        raise NotRunError(msg)
    return Graph(artefact.onnx, artefact.precision, threads)


class Graph:
    """An ONNX file, opened: a function of the input, and what there is to say about it."""

    def __init__(self, path: Path, precision: Precision, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _LOG_ERRORS_ONLY
        self.notes: Mapping[str, str] = {}
        self._path = path
        try:
            if precision.dtype == "int8":
                self._session = self._open_int8(options)
            else:
                self._session = onnxruntime.InferenceSession(path, options, providers=_CPU)
        # onnxruntime's exceptions have no common base but Exception.
        except Exception as error:
            msg = f"onnxruntime can't open {path}: {error}"
            raise BackendError(msg) from error
        check_onnx(
            path,
            precision,
            inputs=len(self._session.get_inputs()),
            outputs=len(self._session.get_outputs()),
            metadata=self._session.get_modelmeta().custom_metadata_map,
        )
        self._input = self._session.get_inputs()[0].name

    def _open_int8(self, options: "SessionOptions") -> "InferenceSession":
        import onnx
        import onnxruntime

        from sr_bench.backends.onnxruntime.int8 import layers_run, set_up
        from sr_bench.files.onnx_file import metadata

        model = onnx.load(self._path)
        if rules := int8_rules(metadata(model)):
            self.notes = {"int8_rules": rules}
            return onnxruntime.InferenceSession(self._path, options, providers=_CPU)
        network, kernel = set_up(model, options)
        with TemporaryDirectory() as folder:
            optimised = Path(folder, "optimised.onnx")
            options.optimized_model_filepath = str(optimised)
            session = onnxruntime.InferenceSession(network, options, providers=_CPU)
            self.notes = {"int8_kernel": kernel, "int8_layers": layers_run(model, optimised)}
        return session

    def __call__(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output for `lr`, both float32 NCHW.

        Raises:
            BackendError: The network doesn't accept `lr`.
        """
        try:
            output: NDArray[np.float32] = self._session.run(None, {self._input: lr})[0]
        except Exception as error:
            msg = f"onnxruntime can't run {self._path} on the shape {lr.shape}: {error}"
            raise BackendError(msg) from error
        return output
