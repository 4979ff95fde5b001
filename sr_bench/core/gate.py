"""What a gate finds: how faithful a low precision is, what it loses, and whether that counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, isinf
from typing import Literal

from sr_bench.core.int8 import Gate
from sr_bench.core.metric import metric_info, with_unit
from sr_bench.core.status import Status

NAMED = 5
"""As many images are named in a sentence; the others are counted."""


def digits(metric: str, value: float) -> str:
    """Return `value` with the decimals of a gate's sentence, without the unit."""
    return f"{value:z.{metric_info(metric).sentence_decimals}f}"  # z: no minus sign for 0


def quantity(metric: str, value: float) -> str:
    """Return `value` with the decimals of a gate's sentence, and its unit."""
    return with_unit(digits(metric, value), metric)


@dataclass(frozen=True)
class Drop:
    """How much worse a metric is in one of two runs over the same images, in the metric's unit.

    A metric whose lower values are better drops by what it rises.
    """

    mean: float
    """Of the counted `values`; below 0 if it got better. Inf if an image that was perfect is now
    worse than the others."""
    low95: float
    """Lower end of the 95 % interval of the mean; -inf for a single image."""
    high95: float
    """Upper end; inf for images that are too few to show what one in ten of their kind loses."""
    detectable: float
    """The smallest mean drop that so many images, with such a spread, can detect: in 80 % of such
    data sets, at 5 %, two-sided. Inf for a single image."""
    values: tuple[float, ...]
    """The drop of each image, in the order of the images; at least one."""
    left_out: tuple[int, ...] = ()
    """Which of them do not count: those perfect in one of the runs, and still good in the other."""

    @property
    def counted(self) -> tuple[int, ...]:
        """Which images count; at least one."""
        return tuple(index for index in range(len(self.values)) if index not in self.left_out)

    @property
    def count(self) -> int:
        """Number of images that count."""
        return len(self.counted)

    @property
    def worst_index(self) -> int:
        """Which counted image drops most; the first of equals."""
        return max(self.counted, key=self.values.__getitem__)

    @property
    def worst(self) -> float:
        """The largest drop of a counted image."""
        return self.values[self.worst_index]

    def interval(self, metric: str) -> str:
        """Return the 95 % interval in words, of a drop by `metric`."""
        if isfinite(self.low95) and isinf(self.high95):
            return f"{quantity(metric, self.low95)} or more"
        return f"{digits(metric, self.low95)} to {quantity(metric, self.high95)}"

    def without(self, metrics: Sequence[str], names: Sequence[str]) -> str:
        """Return which of the images `names` are left out by `metrics`; empty if none is."""
        if not self.left_out:
            return ""
        out = ", ".join(names[index] for index in self.left_out)
        why = " or ".join(metric_info(metric).perfection for metric in metrics)
        return f"left out, with {why} in one of the two: {out}"


@dataclass(frozen=True)
class GateImage:
    """One image of a gate, in dB unless said otherwise."""

    image: str
    all_db: float
    """PSNR of the low-precision output against the fp32 output; inf where equal."""
    inside_db: float
    """The same without the border ring."""
    ring_db: float
    """The same over the border ring alone."""
    drop_db: float
    """PSNR against the ground truth that is lost."""
    drop_ssim: float
    """SSIM against the ground truth that is lost."""

    @property
    def lowest_db(self) -> float:
        """The lower of the two values that have a limit: of all pixels, and of the ring."""
        return min(self.all_db, self.ring_db)


@dataclass(frozen=True)
class GateFinding:
    """The answer to one of a gate's questions."""

    question: Literal["fidelity", "psnr", "ssim"]
    status: Status
    """``within``, ``loss`` or ``undecided``."""
    sentence: str


@dataclass(frozen=True)
class GateVerdict:
    """What a low precision does to a model on a dataset, judged against the card's limits."""

    status: Status
    """The worst of the findings: ``loss``, else ``undecided``, else ``within``."""
    sentence: str
    limits: Gate
    findings: tuple[GateFinding, ...]
    """For fidelity, PSNR and SSIM, in this order."""
    psnr: Drop
    ssim: Drop
    images: tuple[GateImage, ...]
    """In the dataset's order."""


@dataclass(frozen=True)
class Comparison:
    """Whether a run is worse than an earlier one, image by image."""

    status: Status
    """``within``, ``loss`` or ``undecided``; ``not_run`` if no image is in both records."""
    sentence: str
    metric: str
    limit: float
    """The mean drop that is allowed, in the metric's unit."""
    drop: Drop | None
    """From the earlier record to this one, over `images`; None without any."""
    images: tuple[str, ...]
    """Those in both records, in this one's order."""
    missing: tuple[str, ...] = ()
    """Only in the earlier record."""
    added: tuple[str, ...] = ()
    """Only in this one."""
