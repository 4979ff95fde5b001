"""The OpenVINO backend: its CPU plugin, in fp32 and by int8 kernels.

Left to itself the plugin computes fp32 files in bf16 on a CPU that has it, and it takes the casts
of an fp16 file out: here it is bound to fp32, and fp16 is not offered.
"""

import sys
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sr_bench.backends._runtime import Opened, Runtime, for_threads
from sr_bench.backends._session import Infer
from sr_bench.system.cpu import usable_cores

if TYPE_CHECKING:
    from openvino import CompiledModel, Core


def _load(path: Path, threads: int) -> Opened:
    # A stream for each caller that may come: those that share one wait for each other.
    streams = max(1, usable_cores() // threads)
    compiled = _core().compile_model(
        path,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "f32",
            "EXECUTION_MODE_HINT": "ACCURACY",
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": streams * threads,
            "ENABLE_CPU_PINNING": False,  # each process would take the same cores
        },
    )
    return Opened(for_threads(partial(_request, compiled)), partial(_integer_layers, compiled))


@cache
def _core() -> "Core":
    # On import it would send an event to Google with an id that it keeps in the user's home.
    if "openvino_telemetry" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    from openvino import Core

    return Core()


def _request(compiled: "CompiledModel") -> Infer:
    """Return what computes one image at a time."""
    request = compiled.create_infer_request()

    def infer(lr: NDArray[np.float32]) -> NDArray[np.float32]:
        output: NDArray[np.float32] = request.infer([np.ascontiguousarray(lr)])[0]
        return output

    return infer


def _integer_layers(compiled: "CompiledModel") -> int:
    """Return how many layers the plugin runs by kernels of int8."""
    infos = [op.get_rt_info() for op in compiled.get_runtime_model().get_ordered_ops()]
    layers = [info for info in infos if _text(info["layerType"]) == "Convolution"]
    return sum(_text(layer["primitiveType"]).endswith("_I8") for layer in layers)


def _text(value: object) -> str:
    return str(getattr(value, "value", value))


RUNTIME = Runtime(
    "openvino",
    _load,
    ("fp32", "int8"),
    "CPU plugin, bound to fp32 where it would take bf16; no fp16, whose casts it takes out",
)
describe, precisions, open_session = RUNTIME.describe, RUNTIME.precisions, RUNTIME.open_session
