"""Run a network over a dataset: decode, infer, score, image by image, overlapped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from sr_bench.engine.job import Computes, Done, ImageResult, Job, Keep, Progress
from sr_bench.engine.measure.pair_cache import PairCache
from sr_bench.engine.score.fidelity import fidelity
from sr_bench.engine.score.protocol import (
    Pair,
    network_input,
    prepare_pair,
    read_output,
    score_each,
)
from sr_bench.errors import DatasetError, MetricError, SrBenchError
from sr_bench.imaging.threads import use_one_opencv_thread


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
        pair = kept_pair(job, pairs, index)
        result = score_image(job, session, reference, pair, index, keep)
        if done:
            done(index, result)
        return result

    use_one_opencv_thread()
    asked = images_asked(job, indices)
    results: list[ImageResult] = []
    with ThreadPoolExecutor(threads, thread_name_prefix="sr-bench") as pool:
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
        lr = network_input(pair.lr, job.protocol, job.card.value_range)
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

    Both `output` and `reference` are 1 x 3 x height x width. A device may have computed some of
    the `scores`.

    Raises:
        SrBenchError: The output can't be used, so that no metric has a score.
    """
    rule, white = job.protocol, job.card.value_range
    scores, faults = scores or {}, {}
    if unscored := tuple(metric for metric in job.metrics if metric not in scores):
        sr = read_output(output, rule, white)
        each = score_each(sr, pair.hr, rule, job.card.scale, unscored)
        scores = {**scores, **{m: value for m, value in each.items() if isinstance(value, float)}}
        faults = {m: str(cause) for m, cause in each.items() if m not in scores}
    if not scores:
        raise MetricError(next(iter(faults.values())))
    level = rule.output_range or white
    close = None if reference is None else fidelity(output, reference, white=level)
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
        for future in waiting:
            future.cancel()


def load_pair(job: Job, index: int) -> Pair:
    """Return image `index` of `job`, decoded and resized."""
    lr, hr = job.images.load(index)
    return prepare_pair(lr, hr, job.protocol, job.card.scale, where=job.images.items[index].name)


def kept_pair(job: Job, pairs: PairCache, index: int) -> Pair:
    """Return image `index` of `job`, decoded and resized now or for an earlier run."""
    rule = (job.card.scale, job.pair_rule())
    key = (job.images.items[index], rule)
    return pairs.get(key, lambda: load_pair(job, index), group=(job.images.slug, rule))
