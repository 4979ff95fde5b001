"""A device with a compiler of its own: what it is given, how it can fail, what is known of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from sr_bench.core.fields import Bounds, Words, matching, sides
from sr_bench.core.int8 import Gate
from sr_bench.core.precision import Precision

if TYPE_CHECKING:  # the nouns need the standard library only
    import numpy as np
    from numpy.typing import NDArray

_SIZE = sides(2, "height x width, such as 720x1280, or nothing", optional=True)
_VERSION = matching(r"([0-9]+(\.[0-9]+)*)?", "a version such as 2.8, or nothing")

Shape = tuple[int, int, int, int]
"""N, C, H and W."""


class Failure(StrEnum):
    """The class of what went wrong on a device, or on the way to it."""

    CRASHED = "crashed"
    """A signal ended the process."""
    DEVICE_OOM = "device-oom"
    """The device's memory was too small, which some runtimes show as a hang."""
    TIMEOUT = "timeout"
    """A phase took longer than its limit."""
    DEVICE_FAULT = "device-fault"
    """The device or its driver reported a fault; the code is in the message."""
    COMPILE_FAILED = "compile-failed"
    """The compiler ended with an error, or without its output files."""
    HOST_OOM = "host-oom"
    """The host killed the process for its memory."""
    WRONG_OUTPUT = "wrong-output"
    """The output has another shape than declared, or holds NaN or infinity."""
    ERROR = "error"
    """Anything else that the process reported."""


class Profile(StrEnum):
    """A reading of what a device's int8 arithmetic is, where nobody has published it."""

    TVM = "tvm"
    """As TVM's relay.quantize: a clip range T is 128 levels, cut to 127, and what layers give each
    other and additions read is int8."""
    FINE = "fine"
    """A clip range T is 127 levels; fp16 between operators, int8 only where a layer reads."""


@dataclass(frozen=True)
class KnownFailure:
    """A failure of a model on the device that is known, and why."""

    failure: Failure
    reason: Words
    precision: Precision | None = None
    """Only in this precision; None: in any."""
    source: str = ""
    """Where it was documented."""
    before_sdk: Annotated[str, _VERSION] = ""
    """Only with SDKs older than this version; empty: with all. Where the version is unknown the
    model is run, with a warning."""


@dataclass(frozen=True)
class DevicePlan:
    """What decides a model's artefact on the device besides the network and the precision."""

    backend: ClassVar[str] = "vacc"
    """The backend that drives the device."""
    skip: tuple[Words, ...] = ()
    """Convolutions that stay in float in int8: glob patterns on their names."""
    # As in all published build files of super-resolution.
    per_channel: bool = True
    """Whether each output channel of a weight has a scale of its own."""
    # TVM's default, and that of 31 of 32 published build files.
    calibrate_range: Annotated[float, Bounds(gt=0.5, le=1)] = 0.99999
    """For the percentile calibration: the part of |x| that is not clipped."""
    feed: Literal["image", "tensor"] = "image"
    """Whether the device is given 8-bit images, which it normalises, or float tensors."""
    shape: Annotated[tuple[int, int] | None, _SIZE] = None
    """Height and width that commands compile for; None: those of the protocol, or of the Flops. A
    session compiles for the shape of each image."""
    options: Mapping[str, int | bool | str] = field(default_factory=dict)
    """Further entries of the compiler's ``backend.compile`` block."""
    known_failures: tuple[KnownFailure, ...] = ()
    gate: Gate | None = None
    """What a low precision may lose on this device; None: as the card says for all backends."""


@dataclass(frozen=True)
class CompilerInput:
    """What a device's compiler is given."""

    name: str
    """``family/model``."""
    onnx: Path
    """The network in fp32."""
    precision: Precision
    """fp16 or an int8 one."""
    plan: DevicePlan
    scale: int
    """Upscaling factor: how much larger the output is."""
    white: float
    """White level of the network's input; 0 if that alone doesn't make it from 8-bit levels."""
    channel_order: Literal["rgb", "bgr"]
    """Order of the channels that the network reads."""
    skip_layers: tuple[int, ...] = ()
    """Positions, from 0 and in the graph's order, of the convolutions that `plan` skips."""
    calibration: "Sequence[Callable[[], NDArray[np.uint8]]]" = ()
    """For int8: load the calibration images, each height x width x 3, RGB."""
    calibration_digest: str = ""
    """Of these images; empty unless int8."""
    kept_in: Path | None = None
    """Where what is compiled is kept; None: in the cache folder."""
    since: float = 0.0
    """What was compiled before is not used, in seconds since the epoch."""
