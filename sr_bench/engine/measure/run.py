"""A run that was made: the results of its images, and the digest of all that decides them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sr_bench.core.case import IMAGE_METRICS
from sr_bench.core.metric import metric_info
from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.record import ImageScore, Kept, Measurement
from sr_bench.engine.job import ImageResult, Job
from sr_bench.engine.measure.job_results import JobResults
from sr_bench.engine.score.protocol import aggregate
from sr_bench.files.hashing import sha256_json

SCORING_VERSION = 1
"""Raised when the same network output would score differently."""


@dataclass(frozen=True)
class Run:
    """The outcome of one network over one dataset."""

    images: tuple[ImageResult, ...]
    planned: int
    digest: str
    """Digest of the network, the backend, the images and the protocol."""
    device: str
    protocol: EvalProtocol
    provenance: Mapping[str, str] = field(default_factory=dict)
    """Where the clip ranges come from, and how the backend computes."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """What the digest is made of, by name."""
    kept: Kept | None = None
    """Where its images are."""
    cached: int = 0
    """Images whose results were there: the same content was measured before."""
    drawn: tuple[str, ...] = ()
    """The names of the images, in the order of measuring."""
    metrics: tuple[str, ...] = IMAGE_METRICS
    """What each image has a value of."""

    @property
    def in_drawn_order(self) -> tuple[ImageResult, ...]:
        """The images in the order of measuring."""
        found = {item.image: item for item in self.images}
        return tuple(found[name] for name in self.drawn)

    def measured(self, metric: str) -> Measurement:
        """Return the mean of `metric` over the images, with each image's value."""
        scores = tuple(ImageScore(item.image, item.scores[metric]) for item in self.images)
        value = aggregate([score.value for score in scores], self.protocol, metric)
        return Measurement(metric, metric_info(metric).unit, value, scores, self.planned)


def made_run(
    results: JobResults, inputs: Mapping[str, str], indices: Sequence[int], measured: int
) -> Run:
    """Return the run of the images `indices`, of which `measured` were made now."""
    made, drawn = results.finish(indices)
    whole = {**inputs, "device": made.device}
    place = {name: index for index, name in enumerate(results.job.names)}
    return Run(
        tuple(sorted(drawn, key=lambda item: place[item.image])),
        len(results.job.images),
        sha256_json(whole),
        made.device,
        results.job.protocol,
        made.notes,
        whole,
        cached=len(drawn) - measured,
        drawn=tuple(item.image for item in drawn),
        metrics=results.job.metrics,
    )


def scored(job: Job) -> Mapping[str, str]:
    """Return what decides the scores besides the network, by name."""
    rule = {"white": job.card.value_range, "version": SCORING_VERSION, **job.protocol.choices()}
    return {
        "data": job.images.digest(job.names),
        "protocol": sha256_json(rule),
    }
