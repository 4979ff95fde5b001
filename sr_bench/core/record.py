"""What was measured, how it was judged, and the record that keeps both."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import fsum
from typing import Any, Literal, Self

from sr_bench.core.claim import Claim, Source
from sr_bench.core.detail import Detail
from sr_bench.core.device import Profile
from sr_bench.core.metric import metric_info
from sr_bench.core.status import Status as Status  # apart, as a detail needs it too

SCHEMA_VERSION = 2
"""2: records have `inputs`, `place` and `kept`; those of schema 1 are read too."""

FLOOR = "bicubic"
"""Key of a measurement's notes: what plain bicubic enlargement of the same images scores."""


@dataclass(frozen=True)
class ImageScore:
    """One metric of one image."""

    image: str
    value: float
    """May be inf (identical images, PSNR); never NaN."""


@dataclass(frozen=True)
class Measurement:
    """A measured value with the per-image values that it is the mean of."""

    metric: str
    unit: str
    value: float
    """In `unit`; the protocol's aggregate of `images`, or the exact count of a cost metric."""
    images: tuple[ImageScore, ...] = ()
    planned: int = 0
    """Images in the dataset; more than were scored if the run was limited."""
    exact: int | None = None
    """The uncut integer behind a cost metric (parameters, operations)."""
    notes: Mapping[str, float] = field(default_factory=dict)
    """Values shown beside it, such as the standard 2 x MAC count ``standard_g``."""
    beyond_floor: tuple[str, ...] = ()
    """Images that the floor leaves out, as it or the network is perfect there: no mean of PSNR can
    be compared with them in it."""

    @classmethod
    def of(cls, metric: str, value: float, **more: Any) -> Self:
        """Return a value in the unit that `metric` declares; `more` are other fields."""
        return cls(metric, metric_info(metric).unit, value, **more)

    @property
    def beside_floor(self) -> float:
        """The value to compare with the floor: of the same images."""
        scores = [score.value for score in self.images if score.image not in self.beyond_floor]
        return fsum(scores) / len(scores) if scores and self.beyond_floor else self.value

    @property
    def partial(self) -> bool:
        """Whether images of the dataset were left out."""
        return len(self.images) < self.planned

    @property
    def why_partial(self) -> str:
        """Why it is not judged then, and what to do."""
        part = f"measured on {len(self.images)} of {self.planned} images"
        return f"{part}, so not judged; drop --sr-limit for a verdict"


@dataclass(frozen=True)
class Verdict:
    """The judgement of a measurement against its claim."""

    status: Status
    sentence: str
    measured: float | None = None
    claimed: float | None = None
    tolerance: float | None = None
    """Half a printed step plus the declared slack, in the metric's unit."""
    digits: Literal["rounded", "truncated"] = "rounded"
    """How the document cuts this number."""

    @property
    def delta(self) -> float | None:
        """Measured minus claimed, in the metric's unit."""
        if self.measured is None or self.claimed is None:
            return None
        return self.measured - self.claimed


@dataclass(frozen=True)
class Kept:
    """Where the images of a run are, as folders relative to the results folder.

    Image number `i` of the measurement, from 0, is ``<i:04d>.png`` in `sr`, and ``<i:04d>-lr.png``
    and ``<i:04d>-hr.png`` in `pairs`: all RGB of 8 bits per channel, or of 16 in `sr` with white
    at 65535; then ``<i:04d>-beyond.png`` holds how far each value lies beyond black or white.
    Names of images never become names of files.
    """

    sr: str
    """Outputs of the network, such as ``outputs/0f3a52c1d2e4``."""
    pairs: str
    """What the network was given, and the ground truth in the size it is compared in."""


@dataclass(frozen=True)
class Record:
    """All that is known about one case of one run: what reports and history are views of."""

    case_id: str
    node_id: str
    """What to give pytest to run just this."""
    family: str
    model: str
    metric: str
    precision: str
    dataset: str
    backend: str
    device: str
    """``cpu``, ``cuda``, ``vacc`` ...; ``emulated`` when a backend emulates its device;
    empty for cost metrics, which no device computes."""
    protocol: str
    fingerprint: str
    """Digest of all that can change the number; empty if nothing was measured."""
    verdict: Verdict
    claim: Claim | None = None
    measurement: Measurement | None = None
    seconds: float = 0.0
    """Wall time of this case; the case that triggers a shared run pays for it."""
    detail: Detail = field(default_factory=Detail)
    """What is known beside the verdict: calibration, layers, causes."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Digest of each thing that the fingerprint is made of, by name: ``network``, ``data``,
    ``protocol``, ``backend`` ...; empty if nothing was measured."""
    place: Source | None = None
    """The document's cell that this answers: of the claim, or a blank one."""
    kept: Kept | None = None
    """The run's images, if they were kept."""
    cached: int = 0
    """Images whose results were there: the same content was measured before."""

    @property
    def source(self) -> Source | None:
        """The document's cell that this answers, if there is one; schema 1 knew only claims'."""
        return self.place or (self.claim.source if self.claim else None)

    @property
    def question(self) -> tuple[str, ...]:
        """What the record is about: equal in two runs of the same case."""
        case = (self.family, self.model, self.metric, self.precision, self.dataset)
        return (*case, self.protocol, self.backend)

    @property
    def emulated(self) -> bool:
        """Whether a device was emulated, now or when the outputs were recorded."""
        return self.device.startswith("emulated")  # a replay's goes on: "emulated, replayed"

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the values by the readings of an emulated device, the lower first, if several."""
        if self.measurement is None or Profile.FINE not in self.measurement.notes:
            return None
        low, high = sorted((self.measurement.value, self.measurement.notes[Profile.FINE]))
        return low, high
