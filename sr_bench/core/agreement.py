"""What several runtimes make of one file: how far their pictures are apart, and where they part."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from sr_bench.core.fields import Bounds
from sr_bench.core.status import Status

_WHITE = 255.0


@dataclass(frozen=True)
class AgreeLimit:
    """How far the pictures of two runtimes may be apart."""

    min_db: Annotated[float, Bounds(gt=0)]
    """PSNR of one against the other, of the mean squared difference over all images."""


@dataclass(frozen=True)
class ImageApart:
    """How far two runtimes are apart on one image, in levels of 255."""

    image: str
    mse: float
    mean_levels: float
    """Mean absolute difference."""
    max_levels: float
    share: float
    """Part of the values that differ once they are clipped and rounded to 8 bits, 0 to 1."""

    @property
    def db(self) -> float:
        """PSNR of one against the other; inf where equal."""
        return _db(self.mse)


@dataclass(frozen=True)
class PairApart:
    """How far two runtimes are apart."""

    first: str
    second: str
    db: float
    """Of the mean of the images' squared differences; inf where all are equal."""
    images: tuple[ImageApart, ...]
    """In the dataset's order; at least one."""

    @classmethod
    def of(cls, first: str, second: str, images: tuple[ImageApart, ...]) -> "PairApart":
        """Return the pair whose `images` were compared."""
        return cls(first, second, _db(sum(each.mse for each in images) / len(images)), images)

    @property
    def worst(self) -> ImageApart:
        """The image on which they are furthest apart."""
        return max(self.images, key=lambda each: each.mse)

    @property
    def mean_levels(self) -> float:
        """Mean absolute difference, of 255 levels."""
        return sum(each.mean_levels for each in self.images) / len(self.images)

    @property
    def max_levels(self) -> float:
        """The largest difference, of 255 levels."""
        return max(each.max_levels for each in self.images)

    @property
    def share(self) -> float:
        """Part of the 8-bit values that differ, 0 to 1."""
        return sum(each.share for each in self.images) / len(self.images)

    def __str__(self) -> str:
        """Return such as ``onnxruntime and openvino``."""
        return f"{self.first} and {self.second}"


@dataclass(frozen=True)
class LayerApart:
    """How far two runtimes are apart behind one node, when both run the network up to it."""

    layer: str
    """Name of what it gives."""
    rms: float
    """Root of the mean squared difference, as part of the values' span."""
    share: float
    """Part of the values that differ by more than a ten-thousandth of the span, 0 to 1."""


@dataclass(frozen=True)
class Parting:
    """Where two runtimes part on the image on which they are furthest apart."""

    first: str
    second: str
    image: str
    begins: LayerApart | None
    """The first that differs by more than the rounding of floats explains; None: no layer."""
    most: LayerApart | None
    """That behind which the difference grows most."""
    before: LayerApart | None
    """The one that was looked at before `most`."""
    tried: int
    """How many were looked at."""
    planned: int
    """How many there are."""


@dataclass(frozen=True)
class Agreement:
    """What several runtimes make of one file."""

    model: str
    precision: str
    dataset: str
    versions: Mapping[str, str]
    """Of each runtime that ran."""
    absent: Mapping[str, str]
    """Why each of the others didn't."""
    pairs: tuple[PairApart, ...]
    partings: tuple[Parting, ...]
    limit: AgreeLimit | None
    status: Status
    """``within`` or ``loss``; ``new`` without a limit."""
    sentence: str


def _db(mse: float) -> float:
    return 10 * math.log10(_WHITE**2 / mse) if mse else math.inf
