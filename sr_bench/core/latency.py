"""What a printed time is true of: the device, what it was given, and how far others may lie."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Self

from sr_bench.core.fields import Bounds, matching, sides

_ONE_DEVICE: Final = matching(
    r"(?!(?i:cpu|gpu|cuda|\*+)$).*\S.*",
    'the name of one device, such as "AMD EPYC*" or "NVIDIA H200" (sr-bench doctor names this'
    " machine's)",
)
_SHAPE: Final = sides(3, "channels x height x width, such as 3x270x480")
# With a large B alone GPUs are called: B200, Arc B580.
_BATCH: Final = re.compile(
    r"(?i:batch)\D{0,20}(\d{1,6})|\b(?:(?i:bs)\s?[=:]?|b\s?=?|B\s?=)\s?(\d{1,6})\b"
)
_FOUR: Final = re.compile(r"\W*(\d+)" + r"[x×*,](\d+)" * 3 + r"\W*")  # noqa: RUF001 - as typed
_SIDE: Final = re.compile(r"\d{2,}")  # of a shape; shorter numbers are a batch or channels


@dataclass(frozen=True)
class LatencyPlan:
    """How the latency, FPS and peak memory that a document prints were measured."""

    device: Annotated[str, _ONE_DEVICE] = ""
    """Of numbers beside which the document names none: a glob pattern on a device's own name."""
    backend: str = ""
    """What ran the network, where the document does not say it; empty: any may answer."""
    shape: Annotated[tuple[int, int, int] | None, _SHAPE] = None
    """(channels, height, width) of the network's input; None: as the document prints it."""
    batch: Annotated[int, Bounds(ge=1, le=4096)] | None = None
    """Images at once; None: as the document prints it, else one."""
    threads: Annotated[int, Bounds(ge=1, le=1024)] | None = None
    """That the CPU computed with; None: as many as the session has for each image."""
    # Medians of sessions on one idle machine lie up to 3 % apart, on others' machines up to 10 %.
    tolerance_percent: Annotated[float, Bounds(gt=0, le=100)] = 10.0
    """10: from 1 / 1.1 of the printed number to 1.1 times it, whether ms or FPS."""
    # Quartiles of fewer say little.
    rounds: Annotated[int, Bounds(ge=5, le=10000)] = 20
    """How often the network is timed."""


def is_one_device(pattern: str) -> bool:
    """Tell whether `pattern` is of one device, and not of all processors or all GPUs."""
    try:
        _ONE_DEVICE.read(pattern)
    except ValueError:
        return False
    return True


def printed_size(shape: str) -> tuple[int, int] | None:
    """Return the two sides that a Shape cell prints, in its order; None if it prints others.

    One alone is that of a square; before or after them may stand a batch and the channels.

    >>> printed_size("1x3x720x1280"), printed_size("640"), printed_size("multi-shape")
    ((720, 1280), (640, 640), None)
    """
    if four := _four(shape):
        return four[1:]
    found = tuple(map(int, _SIDE.findall(shape)))
    return (found[0], found[-1]) if len(found) in (1, 2) else None


def printed_batch(text: str, shape: str = "") -> int | None:
    """Return how many images at once `text` says, else a `shape` of several; None if none does.

    >>> printed_batch("Batch Size=8"), printed_batch("V100 b32"), printed_batch("GPU")
    (8, 32, None)
    >>> printed_batch("", "8x3x224x224"), printed_batch("", "1x3x224x224")
    (8, None)
    """
    if match := _BATCH.search(text):
        return int(match[1] or match[2])
    four = _four(shape)
    return four[0] if four and four[0] > 1 else None


def _four(shape: str) -> tuple[int, int, int] | None:
    """Return the batch and the two sides of a shape with channels; None of any other."""
    match = _FOUR.fullmatch("".join(shape.lower().split()))
    match [int(side) for side in match.groups()] if match else []:
        # No input has sides this short: they show where the channels are.
        case [batch, 1 | 3 | 4, first, second] | [batch, first, second, 1 | 3 | 4]:
            return batch, first, second
    return None


@dataclass(frozen=True)
class BesideFp32:
    """How many times as long as fp32 a low precision takes, both timed in turn."""

    ratio: float
    low: float
    high: float
    """It lies between them, but for chance."""

    @classmethod
    def of(cls, notes: Mapping[str, float]) -> Self | None:
        """Return what the notes of a measurement say; None if it was not compared."""
        names = ("of_fp32", "of_fp32_low", "of_fp32_high")
        return cls(*map(notes.__getitem__, names)) if set(names) <= notes.keys() else None

    @property
    def is_slower(self) -> bool:
        """Whether it surely takes longer than fp32."""
        return self.low > 1

    def __str__(self) -> str:
        text = f"{self.ratio:.2f} times fp32's time ({self.low:.2f} to {self.high:.2f}, in turn)"
        return f"slower than fp32: {text}" if self.is_slower else text
