"""What a backend is given, what it offers, and what it says about itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

from sr_bench.core.device import CompilerInput, Profile
from sr_bench.core.modes import DeviceMode
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol

if TYPE_CHECKING:  # the nouns need the standard library only
    import numpy as np
    from numpy.typing import NDArray

PRECISION_KEY = "sr_bench.precision"
"""Metadata entry of an ONNX file whose graph itself computes in fewer bits: the dtype's name."""

PROFILE_KEY = "sr_bench.profile"
"""Metadata entry of an int8 file that computes by the rules of a device: the profile's name."""


class Form(StrEnum):
    """What a backend computes a network from."""

    MODULE = "module"
    """A torch module in fp32 or fp16."""
    ONNX = "onnx"
    """An ONNX file in its precision; int8 as QuantizeLinear and DequantizeLinear."""
    EMULATED = "emulated"
    """As `ONNX`, but int8 by the rules of a device."""
    SOURCE = "source"
    """The fp32 file and a plan: the device has a compiler of its own. fp32 as `ONNX`."""
    RECORDED = "recorded"
    """Nothing: the outputs were recorded."""


@dataclass(frozen=True)
class BackendOptions:
    """What a session asks of its backend."""

    device: DeviceMode = "auto"
    replay: Path | None = None
    """For the backend ``replay``: the folder of the recording."""


DEFAULT_OPTIONS = BackendOptions()


@dataclass(frozen=True)
class Artefact:
    """A network in one precision, ready to be opened by a backend."""

    onnx: Path | None
    """The ONNX file, already in `precision`; None if there is none."""
    load_module: Callable[[], object] | None
    """Returns a fresh fp32 ``torch.nn.Module`` with its weights, which the session keeps and may
    change; None for a user's ONNX file."""
    precision: Precision
    digest: str
    """Digest of all that determines the artefact's output."""
    name: str = ""
    """``family/model``."""
    network: str = ""
    """Digest of the weights and of the architecture that they are loaded into."""
    source: CompilerInput | None = None
    """For a device with a compiler of its own, in a low precision."""
    origin: Path | None = None
    """The user's own file that `onnx` was made from, by which errors call it."""


@dataclass(frozen=True)
class BackendInfo:
    """What a backend says about itself without importing its library."""

    name: str
    version: str
    """Of the library that computes."""
    device: str
    """``cpu``, ``cuda``, ``vacc`` ...; ``emulated`` when a device is emulated."""
    emulated: bool
    note: str
    """One sentence for the session's header."""
    form: Form = Form.ONNX
    """What it takes."""
    answers: str = ""
    """The backend whose rows it answers; empty: its own. A replay answers the recorded one's."""
    hardware: str = ""
    """The name of the device itself, such as ``NVIDIA H200``; empty: that of the processor where
    `device` is the CPU, else `device`."""
    imitates: tuple[str, ...] = ()
    """Dtypes whose values it rounds to and computes with in float32: such a time says nothing."""

    @property
    def is_device(self) -> bool:
        """Whether a real device computes, which need not give the same result twice."""
        return not self.replays and self.device not in ("cpu", "emulated")

    @property
    def replays(self) -> bool:
        """Whether nothing computes: the outputs were recorded."""
        return self.form is Form.RECORDED

    @property
    def compiles(self) -> bool:
        """Whether the device has a compiler of its own, which is silent for hours."""
        return self.form is Form.SOURCE

    def called(self, cpu: str) -> str:
        """Return the name of what computes, where `cpu` is the processor's."""
        return self.hardware or (cpu if self.device == "cpu" else self.device)

    def readings(self, precision: Precision) -> tuple[Profile, ...]:
        """Return by which readings of the device `precision` is computed; the first one counts."""
        emulated = self.form is Form.EMULATED and precision.dtype == "int8"
        return tuple(Profile) if emulated else (Profile.TVM,)


class Session(Protocol):
    """An open network: run it from any thread, close it once; also a context manager."""

    @property
    def device(self) -> str:
        """What computes: ``cpu``, ``cuda``, ``emulated`` ..."""

    @property
    def notes(self) -> Mapping[str, str]:
        """What a record should say about how it computes; for int8, in how many layers."""

    def run(self, lr: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Return the network's output for `lr`, both float32 NCHW.

        Raises:
            BackendError: `lr` is not such an array, or the network does not accept it, or the
                session is closed.
        """

    def close(self) -> None:
        """Free what the session holds; a second call does nothing."""

    def __enter__(self) -> Self:
        """Return the session itself."""

    def __exit__(self, *exception: object) -> None:
        """Close the session."""


@dataclass(frozen=True)
class BatchScoring:
    """How the outputs of a batch become scores."""

    protocol: EvalProtocol
    white: float
    """The card's white level, used where the protocol declares none."""
    scale: int
    """Upscaling factor of the network."""
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Batch:
    """Images of one size that a network is run on at once."""

    lrs: "Sequence[NDArray[np.float32]]"
    """Each 1 x C x H x W."""
    hrs: "Sequence[NDArray[np.uint8]]" = ()
    """What the outputs are compared with, each H x W x 3; none if scores are not asked for."""
    scoring: BatchScoring | None = None
    """None if scores are not asked for."""
    wants_outputs: bool = True
    """Whether the outputs are asked for; without, only those come that could not be scored."""


@dataclass(frozen=True)
class BatchItem:
    """The result of one image of a batch: scores, the output, or both."""

    scores: Mapping[str, float] | None
    """None where the device can't give what the CPU's metrics would, to 1e-6."""
    output: "NDArray[np.float32] | None"
    """1 x C x H x W."""


@runtime_checkable  # whoever runs a session asks whether it is one
class BatchSession(Protocol):
    """What a session offers besides if it gains by running several images at once."""

    def batch(self, shape: tuple[int, ...]) -> int:
        """Return how many inputs of `shape`, 1 x C x H x W, to run at once; at least 1.

        It follows from the shape and the network alone, so that runs can be repeated.
        """

    def start(self, batch: Batch) -> "Callable[[], Sequence[BatchItem]]":
        """Start `batch`; return what waits for it and gives each image's result, in order.

        The device computes meanwhile; a second batch may be started before the first is waited
        for, from the same thread.

        Raises:
            BackendError: The network does not accept the images, or the session is closed. What
                fails later is raised by what is returned.
        """
