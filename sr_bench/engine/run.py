"""Run a network over a dataset: decode, infer, score, image by image, overlapped."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from sr_bench.core.backend import Session
from sr_bench.core.card import ModelCard
from sr_bench.core.case import IMAGE_METRICS
from sr_bench.core.protocol import EvalProtocol
from sr_bench.data.source import ImageSet
from sr_bench.engine.pairs import PairCache
from sr_bench.engine.scoring import Pair, network_input, prepare_pair, read_output, score_pair
from sr_bench.errors import DatasetError, SrBenchError
from sr_bench.imaging.threads import use_one_opencv_thread

Progress = Callable[[int, int, str], None]
"""Called with images done, images planned, and the name of the last one."""


@dataclass(frozen=True)
class ImageResult:
    """All metrics of one image."""

    image: str
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Job:
    """One network over one dataset by one protocol."""

    card: ModelCard
    protocol: EvalProtocol
    images: ImageSet
    limit: int = 0
    """Images to score, from the first; 0: all."""

    @property
    def names(self) -> tuple[str, ...]:
        """The images to score, in order."""
        return self.images.names[: self.limit or None]

    def pair_key(self, index: int) -> Hashable:
        """Return what decides the decoded, resized pair of image `index`."""
        rule = self.protocol
        how = (rule.lr_from, rule.lr_resize, rule.input_shape, rule.gt_resize)
        return (self.images, index, self.card.scale, how)


def run_job(
    job: Job, session: Session, *, pairs: PairCache, threads: int, progress: Progress
) -> tuple[ImageResult, ...]:
    """Return the scores of every image of `job`, in the dataset's order.

    Each of `threads` workers takes one image at a time through decoding, inference and scoring,
    so that these overlap; the session must accept calls from several threads. Besides what
    `pairs` keeps, at most `threads` images are held, whatever the size of the dataset.

    Raises:
        DatasetError: The dataset is empty.
        SrBenchError: An image or the network's output can't be used; the message names it.
    """
    names = job.names
    if not names:
        msg = "the dataset holds no image; expected at least one"
        raise DatasetError(msg)

    def score(index: int) -> ImageResult:
        pair = pairs.get(job.pair_key(index), lambda: _load(job, index))
        return ImageResult(names[index], _score(job, session, pair, names[index]))

    use_one_opencv_thread()
    results: list[ImageResult] = []
    with ThreadPoolExecutor(threads, thread_name_prefix="sr-bench") as pool:
        for result in _bounded(pool, score, range(len(names)), ahead=2 * threads):
            results.append(result)
            progress(len(results), len(names), result.image)
    return tuple(results)


def _score(job: Job, session: Session, pair: Pair, name: str) -> Mapping[str, float]:
    white = job.card.value_range
    try:
        output = session.run(network_input(pair.lr, job.protocol, white))
        sr = read_output(output, job.protocol, white)
        return score_pair(sr, pair.hr, job.protocol, job.card.scale, IMAGE_METRICS)
    except SrBenchError as cause:
        msg = f"{job.card.name} on {name}: {cause}"
        raise type(cause)(msg) from cause


def _bounded(
    pool: ThreadPoolExecutor,
    call: Callable[[int], ImageResult],
    items: Sequence[int],
    *,
    ahead: int,
) -> Iterator[ImageResult]:
    """Yield ``call(item)`` in order with at most `ahead` calls under way; stop at an error."""
    queue = iter(items)
    waiting: list[Future[ImageResult]] = [pool.submit(call, i) for i in islice(queue, ahead)]
    try:
        while waiting:
            yield waiting.pop(0).result()
            with suppress(StopIteration):
                waiting.append(pool.submit(call, next(queue)))
    finally:
        for future in waiting:
            future.cancel()


def _load(job: Job, index: int) -> Pair:
    lr, hr = job.images.load(index)
    return prepare_pair(lr, hr, job.protocol, job.card.scale, where=job.images.names[index])
