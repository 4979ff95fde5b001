"""The MNN backend, on the CPU, in fp32: its converter makes a file of its own of the ONNX file.

The converter takes the rounding of activations out of a QDQ file, and the casts out of an fp16
file, and leaves rounded weights that are computed in float: neither is offered.
"""

import ctypes
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sr_bench.backends._runtime import Opened, Runtime, for_threads
from sr_bench.files.temporary import temporary_folder

if TYPE_CHECKING:
    from MNN import Interpreter, Session, Tensor

# Not MNN.tools.mnnconvert: on import that installs a package by pip, and on each call it sends what
# it converts and this machine's id to a server.
_CONVERT = "import sys, _tools; _tools.mnnconvert(sys.argv)"
_SAYS_WHY = ("Not Support", "Error", "ERROR", "error")


def _load(path: Path, threads: int) -> Opened:
    with temporary_folder() as folder:
        target = Path(folder, "network.mnn")
        _convert(path, target)
        interpreter = _library().Interpreter(str(target))
        chosen = {"backend": "CPU", "numThread": threads}
        return Opened(
            for_threads(lambda: _Session(interpreter, interpreter.createSession(chosen)).run)
        )


def _convert(path: Path, target: Path) -> None:
    """Write the ONNX file at `path` as MNN's to `target`.

    Raises:
        ValueError: The converter can't convert it; the message is what it says.
    """
    names = {"--modelFile": path, "--MNNModel": target, "--framework": "ONNX", "--bizCode": "x"}
    arguments = [str(each) for pair in names.items() for each in pair]
    command = [sys.executable, "-c", _CONVERT, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if target.is_file():
        return
    said = f"{done.stdout}\n{done.stderr}".splitlines()
    telling = [line for line in said if any(word in line for word in _SAYS_WHY)]
    msg = "; ".join(telling or said[-1:]) or f"its converter ended with {done.returncode}"
    raise ValueError(msg)


class _Session:
    """What computes one image at a time."""

    def __init__(self, interpreter: "Interpreter", session: "Session") -> None:
        self._interpreter, self._session = interpreter, session
        self._input = interpreter.getSessionInput(session)

    def run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._input.getShape() != lr.shape:
            self._interpreter.resizeTensor(self._input, lr.shape)
            self._interpreter.resizeSession(self._session)
        self._input.copyFrom(_tensor(lr))
        if code := self._interpreter.runSession(self._session):
            msg = f"MNN ended with {code} on an image of {lr.shape[3]} x {lr.shape[2]}"
            raise RuntimeError(msg)
        result = self._interpreter.getSessionOutput(self._session)
        output = _tensor(np.empty(result.getShape(), np.float32))
        result.copyToHostTensor(output)
        return np.array(output.getNumpyData(), np.float32).reshape(result.getShape())


def _tensor(values: NDArray[np.float32]) -> "Tensor":
    mnn = _library()
    kind = mnn.Halide_Type_Float, np.ascontiguousarray(values), mnn.Tensor_DimensionType_Caffe
    return mnn.Tensor(values.shape, *kind)


@cache
def _library() -> ModuleType:
    """Import MNN without the line about the processor that it then writes to stdout."""
    sys.stdout.flush()
    stdout = os.dup(1)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        import MNN

        ctypes.CDLL(None).fflush(None)
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
    library: ModuleType = MNN
    return library


RUNTIME = Runtime(
    "mnn",
    _load,
    ("fp32",),
    "fp32 with Winograd convolutions; no int8 and no fp16: its converter takes their rounding out",
)
describe, precisions, open_session = RUNTIME.describe, RUNTIME.precisions, RUNTIME.open_session
