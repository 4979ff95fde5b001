"""Images are decoded, run and scored side by side, in bounded memory and in the dataset's order."""

import time
import weakref
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from sr_bench.core.protocol import EvalProtocol
from sr_bench.data.source import ImageSet
from sr_bench.engine.job import ImageResult, Job
from sr_bench.engine.measure.one_by_one import PairCache, run_job
from sr_bench.errors import BackendError, DatasetError, ImageError, MetricError, SrBenchError
from tests.ends import CARD

PROTOCOL = EvalProtocol("native")


@dataclass(eq=False)
class Images:
    """Makes noisy images when they are loaded, and counts how many are alive at once."""

    alive: int = 0
    peak: int = 0
    loads: list[int] = field(default_factory=list)

    def load(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        hr = np.random.default_rng(index).integers(0, 256, (24, 28, 3)).astype(np.uint8)
        weakref.finalize(hr, self._died)
        self.alive += 1
        self.peak = max(self.peak, self.alive)
        self.loads.append(index)
        return hr[::2, ::2].copy(), hr

    def _died(self) -> None:
        self.alive -= 1


@dataclass(eq=False)
class Item:
    index: int
    images: Images
    fault: str = ""
    seconds: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.index:03d}"

    def load(self) -> tuple[np.ndarray, np.ndarray]:
        time.sleep(self.seconds)
        if self.fault:
            raise ImageError(self.fault)
        return self.images.load(self.index)

    def digest(self) -> str:
        return self.name


class Nearest:
    """A session that repeats pixels; `spoil` may change the output."""

    device = "cpu"

    def __init__(self, spoil=lambda output: output) -> None:
        self.spoil = spoil
        self.runs = 0

    def run(self, lr: np.ndarray) -> np.ndarray:
        self.runs += 1
        return self.spoil(lr.repeat(2, axis=2).repeat(2, axis=3))


def job_of(count: int, images: Images | None = None, **faults: object) -> Job:
    images = images or Images()
    items = tuple(Item(i, images, **faults) if i == 2 else Item(i, images) for i in range(count))
    return Job(CARD, PROTOCOL, ImageSet("d", 2, "evaluation", items))


def run(
    job: Job,
    session: Nearest | None = None,
    *,
    threads: int = 2,
    pairs: PairCache | None = None,
) -> tuple[ImageResult, ...]:
    return run_job(
        job,
        session or Nearest(),
        pairs=pairs or PairCache(0),
        threads=threads,
        progress=lambda *_: None,
    )


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_scores_are_those_of_each_image_in_order_for_any_number_of_threads(
    threads: int,
) -> None:
    results = run(job_of(7, seconds=0.02), threads=threads)  # the third image is late
    assert [result.image for result in results] == [f"{i:03d}" for i in range(7)]
    for index, result in enumerate(results):
        lr, hr = Images().load(index)
        expected = peak_signal_noise_ratio(hr, lr.repeat(2, axis=0).repeat(2, axis=1))
        assert result.scores["psnr"] == pytest.approx(expected, abs=1e-9)
        assert set(result.scores) == {"psnr", "ssim"}


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_memory_does_not_grow_with_the_number_of_images(threads: int) -> None:
    images = Images()
    run(job_of(40, images), threads=threads)
    assert len(images.loads) == 40
    assert images.peak <= threads


def test_a_limit_takes_the_first_images_and_one_above_the_count_takes_all() -> None:
    names = [result.image for result in run(replace(job_of(5), limit=2))]
    assert names == ["000", "001"]
    assert len(run(replace(job_of(5), limit=9))) == 5


def test_an_empty_dataset_is_an_error() -> None:
    with pytest.raises(DatasetError, match="holds no image"):
        run(job_of(0))


def test_an_image_that_cannot_be_read_stops_the_run() -> None:
    images = Images()
    with pytest.raises(ImageError, match=r"002\.png is truncated"):
        run(job_of(60, images, fault="002.png is truncated"))
    assert len(images.loads) < 20


def test_a_slow_image_is_not_overtaken_by_the_whole_dataset() -> None:
    images = Images()
    items = tuple(Item(i, images, seconds=0.15 if i == 0 else 0.0) for i in range(40))
    run(Job(CARD, PROTOCOL, ImageSet("d", 2, "evaluation", items)), threads=2)
    assert images.loads.index(0) < 2 * 2


def fail_on_third(output: np.ndarray) -> np.ndarray:
    if np.array_equal(output[0, :, ::2, ::2].transpose(1, 2, 0), Images().load(2)[0]):
        msg = "out of memory"
        raise BackendError(msg)
    return output


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (fail_on_third, BackendError, "m on 002: out of memory"),
        (lambda output: output * np.nan, ImageError, "m on 000: .*NaN or infinite"),
        (lambda output: output[:, :, :-2], MetricError, "m on 000: .*22x28 and 24x28"),
        (lambda output: output[:, :1], ImageError, "m on 000: .*3 channels, got 1"),
    ],
)
def test_a_fault_of_the_network_names_the_image(
    spoil, error: type[SrBenchError], message: str
) -> None:
    with pytest.raises(error, match=message):
        run(job_of(5), Nearest(spoil), threads=1)


def test_progress_is_reported_for_each_image_in_order() -> None:
    steps: list[tuple[int, int, str]] = []
    run_job(
        job_of(4),
        Nearest(),
        pairs=PairCache(),
        threads=2,
        progress=lambda *args: steps.append(args),
    )
    assert steps == [(i + 1, 4, f"{i:03d}") for i in range(4)]


def test_an_interruption_stops_the_run() -> None:
    images = Images()

    def interrupt(done: int, planned: int, image: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_job(job_of(60, images), Nearest(), pairs=PairCache(), threads=2, progress=interrupt)
    assert len(images.loads) < 20


def test_a_second_run_over_the_same_images_decodes_none() -> None:
    images, pairs, session = Images(), PairCache(), Nearest()
    job = job_of(6, images)
    first = run(job, session, pairs=pairs)
    second = run(replace(job, card=replace(CARD, name="n")), session, pairs=pairs)
    assert first == second
    assert (sorted(images.loads), session.runs) == ([0, 1, 2, 3, 4, 5], 12)


def test_another_preparation_of_the_same_images_is_another_pair() -> None:
    images, pairs = Images(), PairCache()
    job = job_of(2, images)
    run(job, pairs=pairs)
    protocol = EvalProtocol("made", lr_from="hr", lr_resize="cv2_area")
    assert run(replace(job, protocol=protocol), pairs=pairs) != run(job, pairs=pairs)
    assert sorted(images.loads) == [0, 0, 1, 1]


def test_protocols_that_differ_after_the_network_share_their_pairs() -> None:
    images, pairs = Images(), PairCache()
    job = job_of(2, images)
    run(job, pairs=pairs)
    run(replace(job, protocol=EvalProtocol("y", colour="y_float", border=2)), pairs=pairs)
    assert sorted(images.loads) == [0, 1]


def test_a_full_cache_only_costs_time() -> None:
    images, one_pair = Images(), 12 * 14 * 3 + 24 * 28 * 3
    pairs, job = PairCache(2 * one_pair), job_of(4, images)
    assert run(job, pairs=pairs, threads=1) == run(job, pairs=pairs, threads=1)
    assert images.loads == [0, 1, 2, 3, 2, 3]
