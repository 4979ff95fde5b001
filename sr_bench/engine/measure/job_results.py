"""The results of a job's images: which are kept already, which are to be measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sr_bench.engine.job import ImageResult, Job
from sr_bench.engine.measure.kept_images import Keeper
from sr_bench.engine.measure.result_log import Made, RunResults
from sr_bench.errors import DatasetError, NotRunError


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

    def missing(self, order: Iterable[int] | None = None) -> list[int]:
        """Return the images to measure, those without all that is asked, in the given `order`."""
        every = range(len(self.digests)) if order is None else order
        return [index for index in every if not self._has(index)]

    def _has(self, index: int) -> bool:
        found = self.kept.get(self.digests[index])
        if found is None or not found.scores.keys() >= set(self.job.metrics):
            return False
        complete = found.fidelity is not None or not self.fidelity
        return complete and (self.keeper is None or self.keeper.has(index))

    def add(self, index: int, result: ImageResult) -> None:
        """Keep the result of image number `index`; from any thread."""
        self.kept.add(self.digests[index], result)

    def of(self, indices: Iterable[int]) -> tuple[ImageResult, ...]:
        """Return the results of the images `indices`, as far as there are any."""
        pairs = ((self.job.names[index], self.kept.get(self.digests[index])) for index in indices)
        return tuple(self._named(name, found) for name, found in pairs if found)

    def finish(self, indices: Iterable[int]) -> tuple[Made, tuple[ImageResult, ...]]:
        """Return what made the results, and those of the images `indices`.

        Raises:
            DatasetError: The dataset is empty.
            NotRunError: There is no result, as no image was measured.
            SrBenchError: They can't be written.
        """
        names, made = self.job.names, self.kept.made
        if not names:
            msg = f"{self.job.images.slug} holds no image; expected at least one"
            raise DatasetError(msg)
        if made is None:
            msg = "budget: the time was used up before this run"
            raise NotRunError(msg)
        self.kept.close()
        if self.keeper is not None and not self.keeper.is_whole(names) and not self.missing():
            self.keeper.finish(names)
        return made, self.of(indices)

    def _named(self, name: str, found: ImageResult) -> ImageResult:
        return replace(found, image=name, fidelity=found.fidelity if self.fidelity else None)
