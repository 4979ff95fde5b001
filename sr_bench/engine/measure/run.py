"""A run: which results of its images are kept already, and all of them once it is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from sr_bench.core.case import IMAGE_METRICS
from sr_bench.core.detail import Detail
from sr_bench.core.metric import metric_info
from sr_bench.core.protocol import EvalProtocol
from sr_bench.core.record import ImageScore, Kept, Measurement, Verdict
from sr_bench.engine.job import ImageResult, Job
from sr_bench.engine.measure.kept_images import Keeper
from sr_bench.engine.measure.result_log import RunResults
from sr_bench.engine.prepare.code_digest import metric_code
from sr_bench.engine.score.protocol import aggregate
from sr_bench.errors import DatasetError
from sr_bench.files.hashing import sha256_bytes, sha256_json

SCORING_VERSION = 1
"""Raised when the same network output would score differently."""


@dataclass(frozen=True)
class Answer:
    """What a record says of a case, the digest of all that can change it, and what computed it."""

    measurement: Measurement | None
    verdict: Verdict
    fingerprint: str = ""
    device: str = ""
    detail: Detail = field(default_factory=Detail)
    inputs: Mapping[str, str] = field(default_factory=dict)
    kept: Kept | None = None
    cached: int = 0


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
    metrics: tuple[str, ...] = IMAGE_METRICS
    """What each image has a value of."""

    def measured(self, metric: str) -> Measurement:
        """Return the mean of `metric` over the images, with each image's value.

        Raises:
            MetricError: An image has none.
        """
        scores = tuple(ImageScore(item.image, item.score(metric)) for item in self.images)
        value = aggregate([score.value for score in scores], self.protocol, metric)
        return Measurement(metric, metric_info(metric).unit, value, scores, self.planned)

    def answer(
        self, question: str, measurement: Measurement, verdict: Verdict, detail: Detail
    ) -> Answer:
        """Return the answer to `question`, which names a metric or the limits of a gate."""
        content = f"{self.digest}|{question}|{len(self.images)}"
        return Answer(
            measurement,
            verdict,
            sha256_bytes(content.encode()),
            self.device,
            detail.noted(self.provenance),
            self.inputs,
            self.kept,
            self.cached,
        )


@dataclass(frozen=True)
class JobResults:
    """What is kept of a job."""

    job: Job
    digests: Sequence[str]
    """Of its images, in order."""
    kept: RunResults
    """Results of the same network, from whichever session."""
    fidelity: bool = False
    """Whether each result also has to say how close the output is to fp32's."""
    keeper: Keeper | None = None
    """Keeps the images of the run, if that is asked."""

    def missing(self) -> list[int]:
        """Return the images to measure: those without all that is asked."""
        return [index for index in range(len(self.digests)) if not self._has(index)]

    def _has(self, index: int) -> bool:
        result = self.kept.get(self.digests[index])
        if result is None or not result.scores.keys() >= {*self._kept_names.values()}:
            return False
        complete = result.fidelity is not None or not self.fidelity
        return complete and (self.keeper is None or self.keeper.has(index))

    def add(self, index: int, result: ImageResult) -> None:
        """Keep the result of image number `index`; from any thread."""
        scores = {self._kept_names[metric]: value for metric, value in result.scores.items()}
        self.kept.add(self.digests[index], replace(result, scores=scores))

    @cached_property
    def _kept_names(self) -> Mapping[str, str]:
        """What values are kept as, by metric: another package's with the digest of its code."""
        codes = {metric: metric_code(metric) for metric in self.job.metrics}
        return {metric: f"{metric}|{code}" if code else metric for metric, code in codes.items()}

    def run(self, inputs: Mapping[str, str], measured: int) -> Run:
        """Return the run once no image is missing; `measured` of them were measured now.

        Raises:
            DatasetError: The dataset is empty.
            SrBenchError: The results can't be written.
        """
        job, made = self.job, self.kept.made
        if not job.names or made is None:  # the first result is preceded by what makes it
            msg = f"{job.images.slug} holds no image; expected at least one"
            raise DatasetError(msg)
        self.kept.close()
        if self.keeper is not None and not self.keeper.is_whole(job.names):
            self.keeper.finish(job.names)
        whole = {**inputs, "device": made.device}
        return Run(
            self._images(),
            len(job.images),
            sha256_json(whole),
            made.device,
            job.protocol,
            made.notes,
            whole,
            self.keeper.kept if self.keeper else None,
            cached=len(job.names) - measured,
            metrics=job.metrics,
        )

    def _images(self) -> tuple[ImageResult, ...]:
        """Return the results under the names that the images have here."""
        results = zip(self.job.names, map(self.kept.get, self.digests), strict=True)
        names = self._kept_names
        return tuple(
            replace(
                result,
                image=name,
                scores={m: result.scores[n] for m, n in names.items() if n in result.scores},
                fidelity=result.fidelity if self.fidelity else None,
            )
            for name, result in results
            if result is not None
        )


def scored(job: Job) -> Mapping[str, str]:
    """Return what decides the scores apart from the network, by name."""
    rule = {"white": job.card.value_range, "version": SCORING_VERSION, **job.protocol.choices()}
    return {
        "data": job.images.digest(job.names),
        "protocol": sha256_json(rule),
    }
