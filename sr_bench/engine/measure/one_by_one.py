"""Run a network over a dataset: decode, infer, score, image by image, overlapped."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from sr_bench.engine.job import Computes, Done, ImageResult, Job, Keep, Progress
from sr_bench.engine.measure.kept_pairs import KeptPairs
from sr_bench.engine.score.fidelity import fidelity
from sr_bench.engine.score.network_io import between_ends, read_output
from sr_bench.engine.score.protocol import Pair, score_each
from sr_bench.errors import DatasetError, MetricError, SrBenchError
from sr_bench.imaging.threads import use_one_opencv_thread

DEFAULT_LIMIT_BYTES = 64 * 2**20
"""65 pairs of 256 and 512 pixels; a run stays within 200 MB of bare inference."""


class PairCache:
    """Pairs of the sets that were used last, at most `limit_bytes` of them.

    A run goes through a whole set, and the next one does so again. Were the oldest pair to go
    first, a set above the cap would find nothing: each pair would be gone just before its turn.
    So a set keeps what it had first, and only other sets make room for it.

    Args:
        limit_bytes: Of memory.
        kept: Pairs that are kept longer, beyond this process.
    """

    def __init__(
        self, limit_bytes: int = DEFAULT_LIMIT_BYTES, kept: KeptPairs | None = None
    ) -> None:
        self._limit = limit_bytes
        self._load = kept.load if kept else Job.pair
        self._pairs: OrderedDict[Hashable, tuple[Hashable, Pair]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def of(self, job: Job, index: int) -> Pair:
        """Return image `index` of `job`, decoded and resized now or earlier."""
        rule = (job.card.scale, job.pair_rule)
        key = (job.images.items[index], rule)
        return self.get(key, lambda: self._load(job, index), group=(job.images.slug, rule))

    def get(self, key: Hashable, load: Callable[[], Pair], *, group: Hashable) -> Pair:
        """Return the pair kept under `key`, or load and keep it.

        It belongs to the set `group`. Callers must not write to its arrays.
        """
        with self._lock:
            if key in self._pairs:
                self._pairs.move_to_end(key)  # used again, so it goes last
                return self._pairs[key][1]
        pair = load()  # outside of the lock, so that workers decode side by side
        with self._lock:
            self._keep(key, pair, group)
        return pair

    def _keep(self, key: Hashable, pair: Pair, group: Hashable) -> None:
        size = pair.nbytes
        if key in self._pairs or size > self._limit:  # two workers may have loaded it
            return
        others = [other for other, (its, _) in self._pairs.items() if its != group]
        while self._bytes + size > self._limit and others:
            _, oldest = self._pairs.pop(others.pop(0))
            self._bytes -= oldest.nbytes
        if self._bytes + size <= self._limit:
            self._pairs[key] = (group, pair)
            self._bytes += size


def run_job(
    job: Job,
    session: Computes,
    *,
    pairs: PairCache,
    threads: int,
    progress: Progress,
    reference: Computes | None = None,
    keep: Keep | None = None,
    indices: Sequence[int] | None = None,
    done: Done | None = None,
) -> tuple[ImageResult, ...]:
    """Return the scores of the images of `job`, in the dataset's order or that of `indices`.

    Each of `threads` workers takes one image at a time through decoding, inference and scoring,
    so that these overlap; the session must accept calls from several threads. Besides what
    `pairs` keeps, at most `threads` images are held, whatever the size of the dataset. With a
    `reference`, such as the network in fp32, each output is also compared with its output; with
    `keep`, each output is handed to it. Nothing of this depends on which thread is faster.

    Raises:
        DatasetError: The dataset is empty.
        SrBenchError: An image or the network's output can't be used; the message names it.
    """

    def score(index: int) -> ImageResult:
        pair = pairs.of(job, index)
        result = score_image(job, session, reference, pair, index, keep)
        if done:
            done(index, result)  # here, at once: the next image may end the process
        return result

    use_one_opencv_thread()  # its threads would multiply with ours
    asked = images_asked(job, indices)
    results: list[ImageResult] = []
    with ThreadPoolExecutor(threads, thread_name_prefix="sr-bench") as pool:
        # A slow image leaves no worker idle.
        for result in _bounded(pool, score, asked, ahead=2 * threads):
            results.append(result)
            progress(len(results), len(asked), result.image)
    return tuple(results)


def images_asked(job: Job, indices: Sequence[int] | None) -> Sequence[int]:
    """Return `indices`, or if that is None the numbers of all images of `job`.

    Raises:
        DatasetError: The dataset is empty.
    """
    if not job.names:
        msg = "the dataset holds no image; expected at least one"
        raise DatasetError(msg)
    return range(len(job.names)) if indices is None else indices


def score_image(
    job: Job,
    session: Computes,
    reference: Computes | None,
    pair: Pair,
    index: int,
    keep: Keep | None = None,
) -> ImageResult:
    """Return the scores of image `index`, and how close its output is to the reference's.

    Raises:
        SrBenchError: The image or the network's output can't be used.
    """
    with about_images(job, [index]):
        lr = job.network_input(pair)
        output = session.run(lr)
        compared = reference.run(lr) if reference else None
        return score_output(job, pair, index, output, compared, keep)


def score_output(
    job: Job,
    pair: Pair,
    index: int,
    output: NDArray[np.float32],
    reference: NDArray[np.float32] | None,
    keep: Keep | None,
    scores: Mapping[str, float] | None = None,
) -> ImageResult:
    """Return the result of image `index`, for which the network gave `output`.

    Both `output` and `reference` are 1 x channels x height x width. A device may have computed some
    of the `scores`.

    Raises:
        SrBenchError: The output can't be used, so that no metric has a score.
    """
    rule, gives = job.protocol, job.card.output
    scores, faults = scores or {}, {}
    if unscored := tuple(metric for metric in job.metrics if metric not in scores):
        sr = read_output(output, pair.lr, rule, gives)
        each = score_each(sr, pair.hr, rule, job.card.scale, unscored)
        scores = {**scores, **{m: value for m, value in each.items() if isinstance(value, float)}}
        faults = {m: str(cause) for m, cause in each.items() if m not in scores}
    if not scores:
        raise MetricError(next(iter(faults.values())))
    close = None
    if reference is not None:
        low, full = (between_ends(each, gives) for each in (output, reference))
        close = fidelity(low, full, white=gives.with_white(rule.output_range).span)
    if keep:
        keep(index, pair, output)
    return ImageResult(job.images.items[index].name, scores, close, faults)


@contextmanager
def about_images(job: Job, indices: Sequence[int]) -> Iterator[None]:
    """Name the network and the images in errors."""
    try:
        yield
    except SrBenchError as cause:
        names = [job.images.items[index].name for index in indices]
        several = f"{len(names)} images from {names[0]} to {names[-1]}"
        where = f"{job.card.name} on {several if len(names) > 1 else names[0]}"
        raise cause.about(where) from cause


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
        for future in waiting:  # what has begun goes on; the pool waits for it
            future.cancel()
