"""The results of a job's images: which are kept already, which are to be measured."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sr_bench.engine.job import ImageResult, Job
from sr_bench.engine.measure.kept_images import Keeper
from sr_bench.engine.measure.result_log import Made, RunResults
from sr_bench.errors import DatasetError


@dataclass(frozen=True)
class JobResults:
    """What is kept of a job.

    Args:
        job: The images, and how they are scored.
        digests: Of its images, in order.
        kept: Results of the same network, from whichever session.
        fidelity: Whether each result also has to tell how close the output is to fp32's.
        keeper: Keeps the images of the run, if that is asked.
    """

    job: Job
    digests: Sequence[str]
    kept: RunResults
    fidelity: bool = False
    keeper: Keeper | None = None

    def missing(self) -> list[int]:
        """Return the images to measure: those without all that is asked."""
        return [index for index in range(len(self.digests)) if not self._has(index)]

    def _has(self, index: int) -> bool:
        found = self.kept.get(self.digests[index])
        complete = found is not None and (found.fidelity is not None or not self.fidelity)
        return complete and (self.keeper is None or self.keeper.has(index))

    def add(self, index: int, result: ImageResult) -> None:
        """Keep the result of image number `index`; from any thread."""
        self.kept.add(self.digests[index], result)

    def finish(self) -> tuple[Made, tuple[ImageResult, ...]]:
        """Return what made the results, and all of them, in the dataset's order.

        Raises:
            DatasetError: The dataset is empty.
            SrBenchError: They can't be written.
        """
        names, made = self.job.names, self.kept.made
        if not names or made is None:  # who measured the first image has said what made it
            msg = f"{self.job.images.slug} holds no image; expected at least one"
            raise DatasetError(msg)
        self.kept.close()
        if self.keeper is not None and not self.keeper.is_whole(names):
            self.keeper.finish(names)
        results = map(self.kept.get, self.digests)
        return made, tuple(
            self._named(name, result)
            for name, result in zip(names, results, strict=True)
            if result is not None
        )

    def _named(self, name: str, found: ImageResult) -> ImageResult:
        return replace(found, image=name, fidelity=found.fidelity if self.fidelity else None)
