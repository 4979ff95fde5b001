"""What a gate finds: how faithful a low precision is, what it loses, and whether that counts."""

from dataclasses import dataclass
from typing import Literal

from sr_bench.core.int8 import Gate
from sr_bench.core.metric import metric_info, with_unit
from sr_bench.core.status import Status


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
    """Of `values`; below 0 if it got better. Inf if an image that was perfect no longer is."""
    low95: float
    """Lower end of the 95 % interval of the mean; -inf for a single image."""
    high95: float
    """Upper end; inf for a single image."""
    detectable: float
    """The smallest mean drop that so many images, with such a spread, can detect: in 80 % of such
    data sets, at 5 %, two-sided. Inf for a single image."""
    values: tuple[float, ...]
    """The drop of each image, in the order of the images; at least one."""

    @property
    def count(self) -> int:
        """Number of images."""
        return len(self.values)

    @property
    def worst(self) -> float:
        """The largest drop of an image."""
        return max(self.values)

    @property
    def worst_index(self) -> int:
        """Which image drops most; the first of equals."""
        return self.values.index(self.worst)


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
