"""The vacc backend: with no card at hand, the card's precisions imitated by onnxruntime."""

from sr_bench.backends import onnxruntime
from sr_bench.backends._session import CheckedSession
from sr_bench.backends.vacc.probe import SdkState, probe_sdk
from sr_bench.core.backend import Artefact, BackendInfo, Session
from sr_bench.core.precision import Precision

_NOTES = {
    SdkState.NO_SDK: "by onnxruntime: the card's SDK is not installed",
    SdkState.SDK_FOUND: (
        "by onnxruntime: the card's SDK is installed, but this version of sr-bench "
        "does not drive the card"
    ),
}

NEEDS_ONNX = True
"""Whether a session is opened from an ONNX file; if not, from a torch module."""


def describe() -> BackendInfo:
    """Say what this backend is."""
    version = f"onnxruntime {onnxruntime.library_version()}"
    return BackendInfo("vacc", version, "emulated", emulated=True, note=_NOTES[probe_sdk()])


def precisions() -> tuple[Precision, ...]:
    """Return what can run here now: what the library that emulates can."""
    return onnxruntime.precisions()


def open_session(artefact: Artefact, *, threads: int = 1) -> Session:
    """Open `artefact` on the emulator.

    Raises:
        BackendError: The ONNX file can't be opened or is not in its precision.
        NotRunError: There is no ONNX file, or the precision is not supported.
    """
    graph = onnxruntime.open_onnx(artefact, threads=threads)
    return CheckedSession(graph, backend="vacc (emulated)", device="emulated", notes=graph.notes)
