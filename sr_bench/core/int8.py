"""How a card wants its network quantised to int8, and when that counts as a loss."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

from sr_bench.core.fields import Bounds, Spelled, Words

Skips = Literal["float", "int8"]
"""What additions read of what skips layers: its float values, or the rounded ones."""
# Seen: an error in the outer 2 pixels, which crops hide, took 47.6 dB down to 39.9.
RING_PX = 4
"""Width of the border ring that fidelity is reported for apart, in output pixels."""


@dataclass(frozen=True)
class ClipRange:
    """The values of a tensor that 8 bits stand for; what lies outside is clipped."""

    low: float
    """At most 0, which must have a level of its own: padding is 0."""
    high: float
    """At least 0."""

    def wider(self, part: float) -> "ClipRange":
        """Return the range with `part` of its width added at each end."""
        more = part * (self.high - self.low)
        return ClipRange(self.low - more, self.high + more)


@dataclass(frozen=True)
class RangeChoice:
    """How the clip range of what a layer reads is chosen."""

    observer: str = ""
    """Empty: that of the precision."""
    symmetric: bool = False
    """Whether it reaches as far on both sides of 0: the zero point is in the middle."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what a card spells as ``kl``, ``symmetric`` or ``kl symmetric``.

        Raises:
            ValueError: It is none of these.
        """
        words = text.split()
        symmetric = words[-1:] == ["symmetric"]
        observer = words[: len(words) - symmetric]
        if not words or len(observer) > 1:
            msg = "expected an observer, symmetric, or both, such as 'kl symmetric'"
            raise ValueError(msg)
        return cls("".join(observer), symmetric)

    def __str__(self) -> str:
        return f"{self.observer} {'symmetric' if self.symmetric else ''}".strip()


@dataclass(frozen=True)
class Int8Plan:
    """What decides an int8 artefact besides the network and the observer."""

    calibration: str = "photos"
    """Slug of the dataset whose calibration crops, or images, the clip ranges come from."""
    # Few are enough: by max, 1 image loses 0.60 dB and 50 lose 0.52 (LESRCNN x2, Set5).
    count: Annotated[int, Bounds(ge=0)] = 0
    """How many of its images, from the first; 0: all."""
    shared_images: bool = False
    """Whether images that are evaluated may be calibrated with; every report then says so."""
    # Symmetric ones lose 0.25 to 0.4 dB: half their levels are idle behind a ReLU.
    activations: Literal["asymmetric", "symmetric"] = "asymmetric"
    """Of the per-tensor 8-bit activations; symmetric ones have the zero point in the middle."""
    rounding: Literal["learned", "nearest"] = "learned"
    """How weights become integers: by the second moments of what they multiply, or each alone."""
    skips: Skips = "float"
    """Whether an addition reads the quantised or the float value of what skips layers."""
    # Measured with LESRCNN x2 on Set5: 99.99 loses 0.15 dB more, 99.9 nearly 3.
    percentile: Annotated[float, Bounds(gt=50, le=100)] = 99.999
    """For the percentile observer: percent of |x| that is not clipped."""
    keep: tuple[Words, ...] = ()
    """Layers that stay in float: glob patterns on their names."""
    observers: Mapping[str, Annotated[RangeChoice, Spelled(RangeChoice.parse)]] = field(
        default_factory=dict
    )
    """How the clip ranges of what some layers read are chosen, by glob patterns on their names:
    ``{ "body.*" = "kl", "tail" = "max symmetric" }``; of two that match a layer the last counts."""
    channels: Literal["equalised", "given"] = "equalised"
    """Whether channels are scaled so that 8 bits serve all of a tensor's alike, which leaves what
    the network computes."""


@dataclass(frozen=True)
class DropLimit:
    """How much a metric may drop, in its unit."""

    mean: float
    """On average over all images of the kind."""
    image: float | None = None
    """On any image; None: not declared."""


@dataclass(frozen=True)
class Gate:
    """The limits that a low precision must keep to; 0 means that nothing may be lost."""

    # It holds for other images within 2 dB; the drops of one network span 0.06 to 8.6 dB.
    min_fidelity_db: Annotated[float, Bounds(gt=0)]
    """PSNR of the low-precision output against the fp32 output; the worst image and the border
    ring must reach it too."""
    max_drop_db: Annotated[float, Bounds(ge=0)]
    """Mean PSNR that may be lost against the ground truth, in dB."""
    max_drop_ssim: Annotated[float, Bounds(ge=0)]
    """Mean SSIM that may be lost."""
    max_image_drop_db: Annotated[float, Bounds(ge=0)] | None = None
    """PSNR that any image may lose: the mean of fewer than 36 images is judged only with it."""
    max_image_drop_ssim: Annotated[float, Bounds(ge=0)] | None = None
    """The same of SSIM."""

    def of(self, metric: str) -> DropLimit:
        """Return how much `metric`, ``psnr`` or ``ssim``, may drop."""
        if metric == "psnr":
            return DropLimit(self.max_drop_db, self.max_image_drop_db)
        return DropLimit(self.max_drop_ssim, self.max_image_drop_ssim)
