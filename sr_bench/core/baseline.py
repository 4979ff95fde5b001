"""A baseline: what a gate measured when it was last approved, and how a run fares against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from sr_bench.core.fields import Bounds
from sr_bench.core.gate import GateImage
from sr_bench.core.status import Status

FILE_NAME = "gate_baseline.toml"
"""Beside card.toml."""

MOST_DB = 100.0
"""Fidelity above this counts as this: it is float32's own noise."""


@dataclass(frozen=True)
class ImageValues:
    """What is held of one image: fidelity to fp32, and what is lost against the ground truth."""

    fidelity_db: float
    ring_db: float
    drop_db: float
    drop_ssim: float

    @classmethod
    def of(cls, image: GateImage) -> "ImageValues":
        """Return what is held of `image`, with the digits that a baseline keeps."""
        return cls(
            round(min(image.all_db, MOST_DB), 3),
            round(min(image.ring_db, MOST_DB), 3),
            round(image.drop_db, 4),
            round(image.drop_ssim, 5),
        )


@dataclass(frozen=True)
class Slack:
    """How much worse than approved an image may be; 0: not at all.

    The defaults are about twice the largest change of an image that was measured when clip ranges
    and second moments differ by 1e-6, as they may between processors: see docs/how-to/gate.md.
    """

    fidelity_db: Annotated[float, Bounds(ge=0)] = 0.3
    ring_db: Annotated[float, Bounds(ge=0)] = 0.8
    drop_db: Annotated[float, Bounds(ge=0)] = 0.03
    drop_ssim: Annotated[float, Bounds(ge=0)] = 0.007


@dataclass(frozen=True)
class GateName:
    """Which gate a baseline is of: another backend or device has one of its own."""

    model: str
    precision: str
    dataset: str
    """With the scale, such as ``photos_x2``."""
    protocol: str
    backend: str
    device: str
    """``cpu``, ``cuda``, ``emulated``, ``vacc`` ...: an emulation is held apart from the card."""


@dataclass(frozen=True)
class Content:
    """Short digests of what a gate was measured on; where one differs, a baseline is stale.

    What is judged is left out: the calibration, the int8 plan, and all code.
    """

    network: str
    """The fp32 weights and what they are loaded into."""
    images: str
    protocol: str


@dataclass(frozen=True)
class Baseline:
    """One gate's approved values."""

    gate: GateName
    content: Content
    slack: Slack
    approved: str
    """When, from which run, and why."""
    images: Mapping[str, ImageValues]
    lines: Mapping[str, int]
    """Where each image stands in the file, from 1; and the gate itself, as the empty name."""


@dataclass(frozen=True)
class Fall:
    """One value that is worse than approved by more than the slack."""

    image: str
    quantity: str
    """As the file spells it, such as ``fidelity_db``."""
    expected: float
    got: float
    slack: float
    place: str
    """``file:line``."""


@dataclass(frozen=True)
class Held:
    """A gate against its baseline."""

    status: Status
    """``within``; ``loss``; ``undecided`` if the baseline is stale; ``new`` without any."""
    sentence: str
    falls: tuple[Fall, ...] = ()
    """The worst first."""
