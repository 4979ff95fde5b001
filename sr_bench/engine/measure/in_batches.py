"""Run a network over a dataset in batches: decoding, the device and scoring overlap.

What stands in a batch follows from the dataset and the sizes of its images alone: never from which
thread is faster, from what is remembered, or from how much memory is free. So a record can be
made again to the last digit on the same device.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sr_bench.core.backend import Batch, BatchItem, BatchScoring, BatchSession
from sr_bench.core.case import IMAGE_METRICS
from sr_bench.engine.job import Done, ImageResult, Job, Keep, Progress
from sr_bench.engine.measure.fp32_outputs import Output, Remembered, output_of
from sr_bench.engine.measure.one_by_one import PairCache, about_images, images_asked, score_output
from sr_bench.engine.score.protocol import Pair
from sr_bench.errors import SrBenchError
from sr_bench.imaging.threads import use_one_opencv_thread

WINDOW = 32
"""Consecutive images among which those of one size are sought: two of the largest batches."""

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True)
class _Item:
    """An image of a batch, ready to run."""

    index: int
    pair: Pair


@dataclass(frozen=True)
class _Outcome:
    """The outcome of an image."""

    item: _Item
    computed: BatchItem
    reference: Output | None


def run_batched(
    job: Job,
    session: BatchSession,
    *,
    pairs: PairCache,
    threads: int,
    progress: Progress,
    reference: Remembered | None = None,
    memory: Remembered | None = None,
    keep: Keep | None = None,
    indices: Sequence[int] | None = None,
    done: Done | None = None,
) -> tuple[ImageResult, ...]:
    """Return what `one_by_one.run_job` does, whose arguments these are, by a session with batches.

    Among each `WINDOW` consecutive images those of one size make up batches; a batch is run whole
    if one of its images is asked for. `threads` workers decode the next window and as many score
    the last batch while the device computes. Besides what `pairs` keeps, at most four windows of
    images and the outputs of four batches are held.

    `memory` is given the outputs of each batch; `done` gets each image as soon as it is
    scored, from any thread, `progress` in the order asked for.

    Raises:
        DatasetError: The dataset is empty.
        SrBenchError: An image or the network's output can't be used; the message names it, or the
            images of the batch.
    """
    use_one_opencv_thread()
    asked = images_asked(job, indices)
    wanted = frozenset(asked)  # others are run for the sake of whole batches
    start = partial(_started, job, session, reference, memory, keep is not None)
    score = partial(_scored, job, keep, done)

    def load(index: int) -> _Item:
        return _Item(index, pairs.of(job, index))

    finished: dict[int, ImageResult] = {}
    results: list[ImageResult] = []
    with _workers(threads) as loaders, _workers(threads) as scorers:
        windows = _overlapped(_shared(loaders, load, part) for part in _windows(job.names, asked))
        ran = _overlapped(map(start, _batches(job, session, windows, wanted)))
        parts = ([outcome for outcome in batch if outcome.item.index in wanted] for batch in ran)
        for scored in _overlapped(_shared(scorers, score, part) for part in parts):
            finished.update(scored)
            while len(results) < len(asked) and asked[len(results)] in finished:
                results.append(finished[asked[len(results)]])
                progress(len(results), len(asked), results[-1].image)
    return tuple(results)


@contextmanager
def _workers(threads: int) -> Iterator[Executor]:
    """Give a pool whose waiting work is dropped at the end."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="sr-bench")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)  # nobody waits for it after an error


def _shared(pool: Executor, call: Callable[[S], T], items: Sequence[S]) -> Callable[[], list[T]]:
    """Start ``call(item)`` for each of `items`; return what waits for the results."""
    futures = [pool.submit(call, item) for item in items]
    return lambda: [future.result() for future in futures]


def _overlapped(starts: Iterable[Callable[[], T]]) -> Iterator[T]:
    """Yield what each of `starts` gives, in order, once the next one is started.

    An error in starting one is raised after what was started before has been yielded.
    """
    remaining = iter(starts)
    waiting: Callable[[], T] | None = None
    fault: SrBenchError | None = None
    while True:
        try:
            following = next(remaining, None)
        except SrBenchError as error:
            following, fault = None, error
        if waiting:
            yield waiting()
        if following is None:
            break
        waiting = following
    if fault:
        raise fault


def _windows(names: Sequence[str], asked: Sequence[int]) -> list[range]:
    """Return the windows that hold an image asked for, in that order."""
    starts = dict.fromkeys(index - index % WINDOW for index in asked)
    return [range(start, min(start + WINDOW, len(names))) for start in starts]


def _batches(
    job: Job, session: BatchSession, windows: Iterable[Sequence[_Item]], wanted: frozenset[int]
) -> Iterator[Sequence[_Item]]:
    """Yield the batches that hold a wanted image: of each window, by the size of its images."""
    for window in windows:
        sizes: dict[tuple[int, ...], list[_Item]] = {}  # in order: batches are the same each time
        for item in window:
            sizes.setdefault(job.input_shape(item.pair), []).append(item)
        for shape, items in sizes.items():
            largest = session.batch(shape)
            for start in range(0, len(items), largest):
                batch = items[start : start + largest]
                if any(item.index in wanted for item in batch):
                    yield batch


def _started(
    job: Job,
    session: BatchSession,
    reference: Remembered | None,
    memory: Remembered | None,
    keeps: bool,
    items: Sequence[_Item],
) -> Callable[[], list[_Outcome]]:
    """Start a batch; return what waits for what comes of its images."""
    lrs = [job.network_input(item.pair) for item in items]
    gives = job.card.output
    # A device scores RGB from 0 to white alone.
    how = (
        None
        if gives.choices()
        else BatchScoring(job.protocol, gives.range[1], job.card.scale, IMAGE_METRICS)
    )
    # A device computes no others; the outputs are for those that the host adds.
    needed = keeps or how is None or set(job.metrics) > set(IMAGE_METRICS)
    wants_outputs = needed or not (reference is memory is None)
    with about_images(job, [item.index for item in items]):
        finish = session.start(Batch(lrs, [item.pair.hr for item in items], how, wants_outputs))

    def wait() -> list[_Outcome]:
        with about_images(job, [item.index for item in items]):
            computed = finish()
            references = reference.run_batch(lrs) if reference else [None] * len(items)
        if memory:
            memory.add_batch(lrs, [output_of(item) for item in computed])
        return [_Outcome(*parts) for parts in zip(items, computed, references, strict=True)]

    return wait


def _scored(
    job: Job, keep: Keep | None, done: Done | None, outcome: _Outcome
) -> tuple[int, ImageResult]:
    """Return the number of an image and its result."""
    item, computed, reference = outcome.item, outcome.computed, outcome.reference
    with about_images(job, [item.index]):
        if computed.output is None and computed.scores is not None:  # nobody asked for the output
            result = ImageResult(job.images.items[item.index].name, computed.scores)
        else:
            output = output_of(computed)
            result = score_output(
                job, item.pair, item.index, output, reference, keep, computed.scores
            )
    if done:
        done(item.index, result)
    return item.index, result
