"""A run: which results of its images are kept already, and all of them once it is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sr_bench.core.case import Case
from sr_bench.core.detail import Detail
from sr_bench.core.record import ImageScore, Kept, Measurement, Record, Verdict
from sr_bench.engine.job import ImageResult, Job
from sr_bench.engine.measure.kept_images import Keeper
from sr_bench.engine.measure.result_log import RunResults
from sr_bench.engine.prepare.code_digest import kept_name, metric_code
from sr_bench.engine.score.protocol import aggregate
from sr_bench.errors import DatasetError
from sr_bench.files.hashing import sha256_bytes, sha256_json


@dataclass(frozen=True)
class Run:
    """The outcome of one network over one dataset."""

    job: Job
    images: tuple[ImageResult, ...]
    device: str
    inputs: Mapping[str, str]
    """What decides it, by name: the network, the backend, the images and the protocol."""
    provenance: Mapping[str, str] = field(default_factory=dict)
    """Where the clip ranges come from, and how the backend computes."""
    kept: Kept | None = None
    """Where its images are."""
    cached: int = 0
    """Images whose results were there: the same content was measured before."""

    def measured(self, metric: str) -> Measurement:
        """Return the mean of `metric` over the images, with each image's value.

        Raises:
            MetricError: An image has none.
        """
        scores = tuple(ImageScore(item.image, item.score(metric)) for item in self.images)
        value = aggregate([score.value for score in scores], self.job.protocol, metric)
        return Measurement.of(metric, value, images=scores, planned=len(self.job.images))

    def record(
        self,
        case: Case,
        measurement: Measurement,
        verdict: Verdict,
        detail: Detail,
        *,
        limits: str = "",
    ) -> Record:
        """Return the record of `case`, which the run answers; a gate has `limits`."""
        question = limits or kept_name(case.metric)
        # A part of the images is another number.
        content = f"{sha256_json(self.inputs)}|{question}|{len(self.images)}"
        code = metric_code(case.metric)
        asked = {"limits": sha256_bytes(limits.encode())} if limits else {"metric": code}
        return case.record(
            verdict,
            measurement=measurement,
            fingerprint=sha256_bytes(content.encode()),
            device=self.device,
            detail=detail.noted(self.provenance),
            inputs={**self.inputs, **{name: text for name, text in asked.items() if text}},
            kept=self.kept,
            cached=self.cached,
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
        # Kept by a session that asked for less.
        if result is None or not result.scores.keys() >= set(map(kept_name, self.job.metrics)):
            return False
        complete = result.fidelity is not None or not self.fidelity
        # Pictures may have been deleted, numbers not.
        return complete and (self.keeper is None or self.keeper.has(index))

    def add(self, index: int, result: ImageResult) -> None:
        """Keep the result of image number `index`; from any thread."""
        scores = {kept_name(metric): value for metric, value in result.scores.items()}
        self.kept.add(self.digests[index], replace(result, scores=scores))

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
        self.kept.close()  # numbers first: the pictures' list must not promise more
        if self.keeper is not None and (measured or not self.keeper.is_whole(job.names)):
            self.keeper.finish(job.names)
        return Run(
            job,
            self._images(),
            made.device,
            {**inputs, "device": made.device},
            made.notes,
            self.keeper.kept if self.keeper else None,
            len(job.names) - measured,
        )

    def _images(self) -> tuple[ImageResult, ...]:
        """Return the results under the names that the images have here."""
        results = zip(self.job.names, map(self.kept.get, self.digests), strict=True)
        names = {metric: kept_name(metric) for metric in self.job.metrics}
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
