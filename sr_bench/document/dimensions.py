"""What a piece of a document says about the numbers near it: one model behind all dialects."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sr_bench.core.precision import Precision

CHANGES: Final = ("loss", "gain")
"""Ends of the names of changes, and the names of those of which nothing says of what."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric as a header, a caption or a row names it."""

    metric: str
    """Name of the metric, such as ``psnr``; of one that nothing measures, made of its words."""
    unit: str = ""
    """As printed, where it is another than the metric's."""
    exponent: int = 0
    """A number times ten to this power is in the metric's unit."""
    stated: bool = field(default=False, compare=False)
    """Whether the document prints a unit; without one, large counts are in none."""

    @property
    def is_change(self) -> bool:
        """Whether it is how much a metric changes: ``psnr_loss``, or a mere ``gain``."""
        return self.metric.rpartition("_")[2] in CHANGES


class Dimensions(NamedTuple):
    """What numbers are about, as far as one heading, header, label or cell says it."""

    measures: tuple[Measure, ...] = ()
    """Several for combined cells: ``PSNR / SSIM``."""
    model: str = ""
    row_source: str = ""
    precision: Precision | None = None
    backend: str = ""
    """``vacc``, ``onnxruntime``, or another word for what ran the model; lower case."""
    device: str = ""
    dataset: str = ""
    """As printed."""
    scale: int = 0
    shape: str = ""
    rest: str = ""
    """The words that say none of these."""

    def over(self, other: "Dimensions") -> "Dimensions":
        """Return these dimensions, with those of `other` where these say nothing."""
        if self == _NOTHING:  # most columns say what they measure alone
            return other
        if other == _NOTHING:
            return self
        return Dimensions(  # in half of the time of a loop, and it is asked for of each cell
            self.measures or other.measures,
            self.model or other.model,
            self.row_source or other.row_source,
            self.precision or other.precision,
            self.backend or other.backend,
            self.device or other.device,
            self.dataset or other.dataset,
            self.scale or other.scale,
            self.shape or other.shape,
            self.rest or other.rest,
        )


_NOTHING: Final = Dimensions()
