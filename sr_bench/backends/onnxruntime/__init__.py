"""The onnxruntime backend, the default: on the CPU or a GPU, one session for several threads.

It computes on the CPU, and on a GPU where onnxruntime-gpu is installed and sees one. There an int8
layer is a float convolution of rounded values, as the CUDA provider convolves no integers.
"""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sr_bench.backends._gpu import driver, gpu_in_sight, gpu_names
from sr_bench.backends._onnx_file import Fitted, check_precision
from sr_bench.backends._session import CheckedSession
from sr_bench.core.backend import (
    DEFAULT_OPTIONS,
    PRECISION_KEY,
    PROFILE_KEY,
    Artefact,
    BackendInfo,
    BackendOptions,
    Session,
)
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, NotRunError
from sr_bench.files.temporary import temporary_folder

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, NodeArg, SessionOptions

    from sr_bench.files.onnx_image import End

# Each of them installs the module onnxruntime.
_DISTRIBUTIONS = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml")
_LOG_NOTHING = 4  # but what ends the process: errors are raised, and told then
_CPU = "CPUExecutionProvider"
_CUDA = "CUDAExecutionProvider"
# TF32 keeps 10 bits of the mantissa, which is no fp32; a search takes what is fastest just now.
_CUDA_OPTIONS = {"use_tf32": "0", "cudnn_conv_algo_search": "DEFAULT"}


def describe(options: BackendOptions = DEFAULT_OPTIONS) -> BackendInfo:
    """Say what this backend is; on a GPU the version also names the GPU, which changes numbers."""
    version, note, device, gpu = library_version(), "CPU provider", "cpu", ""
    imitates: tuple[str, ...] = ("fp16",)
    if _takes_gpu():
        gpu, imitates = gpu_names(), ("fp16", "int8")
        version, device = f"{version} on {gpu}", "cuda"
        note = f"CUDA provider, no TF32, int8 in float, {driver()}"
    note = f"{note}; fp16 rounds every value to fp16 and accumulates in float32"
    return BackendInfo(
        *("onnxruntime", version, device),
        emulated=False,
        note=note,
        hardware=gpu,
        imitates=imitates,
    )


def precisions(options: BackendOptions = DEFAULT_OPTIONS) -> tuple[Precision, ...]:
    """Return what can run here now."""
    return Precision.all()


def open_session(
    artefact: Artefact, *, threads: int = 1, options: BackendOptions = DEFAULT_OPTIONS
) -> Session:
    """Open `artefact`; each run uses `threads` threads of its own besides the caller's.

    Raises:
        BackendError: The ONNX file can't be opened or is not in its precision.
        NotRunError: There is no ONNX file, or the GPU can't be used.
    """
    on_gpu = _takes_gpu()
    graph = open_onnx(artefact, threads=threads, on_gpu=on_gpu)
    device = "cuda" if on_gpu else "cpu"
    return CheckedSession(graph, backend="onnxruntime", device=device, notes=graph.notes)


def library_version() -> str:
    """Return the installed version, of whichever distribution holds the library."""
    return next(filter(None, map(_installed, _DISTRIBUTIONS)), "not installed")


def _installed(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _takes_gpu() -> bool:
    # By the package's name and the driver's files: describing must not import the library.
    return bool(_installed("onnxruntime-gpu")) and gpu_in_sight()


def open_onnx(artefact: Artefact, *, threads: int, on_gpu: bool = False) -> "Graph":
    """Return what runs `artefact`; other backends emulate devices by it, on the CPU.

    Raises:
        BackendError: The ONNX file can't be opened or is not in its precision.
        NotRunError: There is no ONNX file, or the GPU can't be used.
    """
    if artefact.onnx is None:
        msg = "onnxruntime needs an ONNX file, and this network has none; use --backend=torch"
        raise NotRunError(msg)
    path, told = artefact.onnx, artefact.origin
    return Graph(path, artefact.precision, threads, on_gpu=on_gpu, told=told)


class Graph:
    """An opened ONNX file: a function of the input, with notes on how it computes.

    Args:
        path: Of the file.
        precision: In which it is.
        threads: Each run uses so many besides the caller's.
        on_gpu: Whether the GPU computes.
        told: The file that errors name; None if that is `path`.
    """

    def __init__(
        self,
        path: Path,
        precision: Precision,
        threads: int,
        *,
        on_gpu: bool = False,
        told: Path | None = None,
    ) -> None:
        import onnx
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # Measured: two callers of a thread each are 1.83 to 1.93 times as fast as one.
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _LOG_NOTHING
        self.notes: Mapping[str, str] = {}
        self._path, self._on_gpu, self._told = path, on_gpu, told or path
        try:
            model = onnx.load(path, load_external_data=False)
            check_precision(model, precision, self._told)
            names = [node.name for node in model.graph.node if node.name]
            if precision.dtype == "int8":
                self._session = self._open_int8(options)
            else:
                doubled = len(names) > len({*names})
                self._session = self._open(_renamed(path) if doubled else path, options)
        except BackendError:
            raise
        # onnxruntime's exceptions have no common base but Exception.
        except Exception as error:
            msg = f"onnxruntime can't open {self._told}: {' '.join(str(error).split())}"
            raise BackendError(msg) from error
        self._check()
        (self._input,) = self._session.get_inputs()

    def _open(self, network: Path | bytes, options: "SessionOptions") -> "InferenceSession":
        import onnxruntime

        if not self._on_gpu:
            return onnxruntime.InferenceSession(network, options, providers=[_CPU])
        onnxruntime.preload_dlls()  # CUDA and cuDNN as pip installs them
        return onnxruntime.InferenceSession(
            network,
            options,
            providers=[(_CUDA, _CUDA_OPTIONS), _CPU],  # the CPU for what CUDA has no kernel for
            enable_fallback=0,  # silently, to the CPU
        )

    def _open_int8(self, options: "SessionOptions") -> "InferenceSession":
        import onnx

        from sr_bench.backends.onnxruntime.int8 import kernel_of_given, layers_run, set_up
        from sr_bench.files.onnx_file import metadata

        model = onnx.load(self._path)
        if rules := metadata(model).get(PROFILE_KEY):
            # Plain float32, whose values are integers where they should be.
            self.notes = {"int8_rules": rules}
            return self._open(self._path, options)
        if PRECISION_KEY not in metadata(model):
            self.notes = {"int8_kernel": kernel_of_given()}
            return self._open(self._path, options)
        network, kernel = set_up(model, options, on_gpu=self._on_gpu)
        # Which kernels were taken shows in no other place than the graph that it writes.
        with temporary_folder() as folder:
            optimised = Path(folder, "optimised.onnx")
            options.optimized_model_filepath = str(optimised)
            session = self._open(network, options)
            self.notes = {"int8_kernel": kernel, "int8_layers": layers_run(model, optimised)}
        return session

    def _check(self) -> None:
        """Refuse what is not from image to image, and on the device."""
        from sr_bench.files.onnx_image import no_image_network

        session = self._session
        ends = _ends(session.get_inputs()), _ends(session.get_outputs())
        if fault := no_image_network(*ends):
            msg = f"{self._told}: {fault}"
            raise BackendError(msg)
        if self._on_gpu and _CUDA not in session.get_providers():
            # Its numbers would be kept as the GPU's.
            msg = (
                "onnxruntime-gpu can't use the GPU here: install the CUDA and cuDNN that it needs,"
                " uninstall the package onnxruntime beside it, or compute on the CPU with"
                " CUDA_VISIBLE_DEVICES=-1"
            )
            raise NotRunError(msg)

    def __call__(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output for `lr`, both float32 NCHW; raise a BackendError if it doesn't fit."""
        return self.fitted(lr)

    @property
    def fitted(self) -> Fitted:
        """The same function, with what it says of the sizes that it takes."""
        return Fitted("onnxruntime", self._run, self._input.shape or None, self._told)

    def _run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        output: NDArray[np.float32] = self._session.run(None, {self._input.name: lr})[0]
        return output


def _ends(values: "list[NodeArg]") -> "list[End]":
    from sr_bench.files.onnx_image import End

    return [
        End(value.name, value.type.removeprefix("tensor(").removesuffix(")"), value.shape or None)
        for value in values
    ]


def _renamed(path: Path) -> bytes:
    """Return the file at `path` with another name for each node that has one of a node before."""
    import onnx

    from sr_bench.files.onnx_names import name_nodes

    model = onnx.load(path)
    name_nodes(model)
    content: bytes = model.SerializeToString()
    return content
