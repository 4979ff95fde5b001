"""Batches follow from the dataset alone, and score as one image at a time does."""

import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Event

import numpy as np
import pytest
import torch

from sr_bench.backends.torch.session import open_module
from sr_bench.core.backend import Batch, BatchItem
from sr_bench.core.network_io import NetworkInput
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.data.source import ImageSet
from sr_bench.engine.job import ImageResult, Job
from sr_bench.engine.measure import in_batches as batched
from sr_bench.engine.measure.fitted import fitted
from sr_bench.engine.measure.fp32_outputs import Outputs, Remembered
from sr_bench.engine.measure.in_batches import run_batched
from sr_bench.engine.measure.one_by_one import PairCache, run_job
from sr_bench.errors import BackendError, DatasetError, ImageError
from tests.ends import CARD

SIZES = [(12, 14), (12, 14), (16, 12), (12, 14), (16, 12), (12, 14), (12, 14)]


@pytest.fixture(autouse=True)
def window(monkeypatch: pytest.MonkeyPatch) -> int:
    """Make windows short."""
    monkeypatch.setattr(batched, "WINDOW", 4)
    return 4


@dataclass(eq=False)
class Item:
    index: int
    size: tuple[int, int]
    fault: str = ""
    gate: Event | None = None
    alive: set[int] = field(default_factory=set)
    peaks: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.index:03d}"

    def load(self) -> tuple[np.ndarray, np.ndarray]:
        if self.gate:
            self.gate.wait(60)
        if self.fault:
            raise ImageError(self.fault)
        shape = (2 * self.size[0], 2 * self.size[1], 3)
        hr = np.random.default_rng(self.index).integers(0, 256, shape).astype(np.uint8)
        self.alive.add(self.index)
        self.peaks.append(len(self.alive))
        weakref.finalize(hr, self.alive.discard, self.index)
        return hr[::2, ::2].copy(), hr

    def digest(self) -> str:
        return self.name


def job_of(sizes: Sequence[tuple[int, int]] = SIZES, **faults: str) -> Job:
    items = [Item(i, size) for i, size in enumerate(sizes)]
    for item in items:
        item.alive, item.peaks = items[0].alive, items[0].peaks
        item.fault = faults.get(f"at_{item.index}", "")
    return Job(CARD, EvalProtocol("native"), ImageSet("d", 2, "evaluation", tuple(items)))


class Nearest:
    """Repeats pixels, up to `largest` images at once, and writes down what it was asked."""

    device = "cpu"

    def __init__(self, largest: int = 2, spoil: Callable = lambda output, batch: output) -> None:
        self.largest = largest
        self.spoil = spoil
        self.events: list[str] = []
        self.batches: list[Batch] = []

    def batch(self, shape: tuple[int, ...]) -> int:
        assert (shape[0], shape[1]) == (1, 3)
        return self.largest

    def run(self, lr: np.ndarray) -> np.ndarray:
        return self.start(Batch([lr]))()[0].output

    def start(self, batch: Batch) -> Callable[[], Sequence[BatchItem]]:
        number = len(self.batches)
        self.batches.append(batch)
        self.events.append(f"start {number}")

        def wait() -> list[BatchItem]:
            self.events.append(f"wait {number}")
            outputs = [lr.repeat(2, axis=2).repeat(2, axis=3) for lr in batch.lrs]
            return [self.receive(self.spoil(output, batch), batch) for output in outputs]

        return wait

    def receive(self, output: np.ndarray, batch: Batch) -> BatchItem:
        return BatchItem(None, output)

    def seen(self, job: Job) -> list[list[int]]:
        """Return the numbers of the images of each batch."""
        lrs = [job.images.load(i)[0] for i in range(len(job.images))]
        return [
            [next(i for i, lr in enumerate(lrs) if np.array_equal(lr, image)) for image in batch]
            for batch in ([lr[0].transpose(1, 2, 0) for lr in b.lrs] for b in self.batches)
        ]


def test_a_batch_is_as_large_as_the_networks_input_allows() -> None:
    given = NetworkInput(colour="y_full", enlarged="cv2_cubic")
    job = replace(job_of([(12, 14)]), card=replace(CARD, input=given))
    session = Nearest()
    shapes = []
    session.batch = lambda shape: (shapes.append(shape), 1)[1]
    session.start = lambda batch: lambda: [BatchItem(None, lr.repeat(3, 1)) for lr in batch.lrs]
    run_batched(job, session, pairs=PairCache(), threads=1, progress=lambda *_: None)
    assert shapes == [(1, 1, 24, 28)]


@pytest.mark.parametrize(
    "given", [{"multiple_of": 8}, {"size": (8, 10), "overlap": 2}], ids=["padded", "tiles"]
)
def test_a_network_that_takes_some_sizes_only_scores_in_batches_as_alone(given) -> None:
    reads = NetworkInput(range=(0.0, 255.0), **given)
    job = replace(job_of(), card=replace(CARD, input=reads))
    module = torch.nn.Upsample(scale_factor=2)
    how = {"pairs": PairCache(), "threads": 2, "progress": lambda *_: None}
    with open_module(module, Precision.FP32, threads=1, batches=True) as session:
        whole = fitted(session, reads, 2)
        memory = Remembered(lambda: whole, Outputs(), "m")
        together = run_batched(job, whole, reference=memory, memory=memory, **how)
        alone = run_job(job, whole, **how)
        plain = run_job(job, session, **how)
    assert [result.scores for result in together] == [result.scores for result in alone]
    assert [result.scores for result in alone] == [result.scores for result in plain]
    assert {result.fidelity.all_db for result in together} == {np.inf}


class Scoring(Nearest):
    """Scores on its device."""

    def receive(self, output: np.ndarray, batch: Batch) -> BatchItem:
        return BatchItem({"psnr": 1.0, "ssim": 0.5}, output if batch.wants_outputs else None)


def by_batch(output: np.ndarray, batch: Batch) -> np.ndarray:
    """Make outputs depend on what else is in the batch, as they do in the last bits on a GPU."""
    return output * np.float32(1 - 0.05 * len(batch.lrs)) + batch.lrs[-1][0, 0, 0, 0] / 20


def run(job: Job, session: Nearest, **options: object) -> tuple[ImageResult, ...]:
    defaults = {"pairs": PairCache(), "threads": 2, "progress": lambda *_: None}
    return run_batched(job, session, **(defaults | options))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("largest", [1, 2, 16])
def test_results_are_those_of_one_image_at_a_time(threads: int, largest: int) -> None:
    expected = run_job(job_of(), Nearest(), pairs=PairCache(), threads=1, progress=lambda *_: None)
    assert run(job_of(), Nearest(largest), threads=threads) == expected


def test_a_batch_holds_images_of_one_size_and_one_window() -> None:
    session = Nearest(2)
    run(job_of(), session)
    assert session.seen(job_of()) == [[0, 1], [3], [2], [4], [5, 6]]


def test_the_bits_depend_on_neither_threads_nor_memory_nor_what_is_asked() -> None:
    pairs = PairCache()
    whole = run(job_of(), Nearest(16, by_batch), pairs=pairs)
    assert run(job_of(), Nearest(16, by_batch), threads=3) == whole
    assert run(job_of(), Nearest(16, by_batch), pairs=pairs) == whole
    for indices in ([1], [6, 0], [2, 4, 5]):
        part = run(job_of(), Nearest(16, by_batch), indices=indices)
        assert part == tuple(whole[index] for index in indices)
    alone = run(job_of(), Nearest(1, by_batch))
    assert alone != whole  # else nothing was tested


def test_batches_that_nobody_asked_for_are_not_run() -> None:
    session, job = Nearest(16), job_of()
    run(job, session, indices=[2])
    assert session.seen(job_of()) == [[2]]
    assert len(job.images.items[0].peaks) == 4  # the window is read whole


def test_a_batch_is_started_before_the_last_one_is_waited_for() -> None:
    session = Nearest(2)
    run(job_of(SIZES[:2] * 3), session)
    assert session.events == ["start 0", "start 1", "wait 0", "start 2", "wait 1", "wait 2"]


def test_what_the_device_scored_is_taken_and_no_output_is_asked_for() -> None:
    session = Scoring()
    results = run(job_of(), session)
    assert {(r.scores["psnr"], r.scores["ssim"], r.fidelity) for r in results} == {(1.0, 0.5, None)}
    assert [r.image for r in results] == [f"{i:03d}" for i in range(7)]
    assert not any(batch.wants_outputs for batch in session.batches)
    how = session.batches[0].scoring
    assert (how.protocol, how.white, how.scale) == (job_of().protocol, 255.0, 2)
    assert how.metrics == ("psnr", "ssim")
    assert np.array_equal(session.batches[0].hrs[1], job_of().images.load(1)[1])


def test_the_host_adds_the_scores_that_no_device_computes() -> None:
    more, session = replace(job_of(), metrics=("psnr", "ssim", "mae")), Scoring()
    how = {"pairs": PairCache(), "threads": 1, "progress": lambda *_: None}
    alone = [item.scores["mae"] for item in run_job(more, Nearest(), **how)]
    assert [item.scores for item in run(more, session)] == [
        {"psnr": 1.0, "ssim": 0.5, "mae": value} for value in alone
    ]
    assert session.batches[0].scoring.metrics == ("psnr", "ssim")


@pytest.mark.parametrize("kind", [Nearest, Scoring])
def test_each_output_is_compared_with_the_reference_and_kept(kind: type[Nearest]) -> None:
    kept: dict[int, np.ndarray] = {}
    shown: dict[int, tuple] = {}
    expected = run_job(
        job_of(),
        Nearest(),
        pairs=PairCache(),
        threads=1,
        progress=lambda *_: None,
        reference=Nearest(spoil=lambda output, _batch: output + 1),
        keep=lambda index, pair, output: shown.update({index: (pair, output)}),
    )
    reference = Remembered(
        lambda: Nearest(spoil=lambda output, _batch: output + 1), Outputs(), "fp32"
    )

    def keep(index: int, pair: object, output: np.ndarray) -> None:
        assert np.array_equal(pair.hr, shown[index][0].hr)
        kept[index] = output

    for options in ({"reference": reference, "keep": keep}, {"reference": reference}):
        results = run(job_of(), kind(), **options)
        assert [r.fidelity for r in results] == [r.fidelity for r in expected]
    assert all(np.array_equal(kept[i], shown[i][1]) for i in range(7))


def test_a_reference_is_remembered_by_batch() -> None:
    outputs, opened = Outputs(), []

    def open_session() -> Nearest:
        opened.append(Nearest(spoil=by_batch))
        return opened[-1]

    full = Remembered(open_session, outputs, "fp32")
    run(job_of(), Nearest(2, by_batch), memory=full)
    same = run(job_of(), Nearest(2, by_batch), reference=full)
    assert not opened
    assert {r.fidelity.all_db for r in same} == {float("inf")}
    run(job_of(), Nearest(16, by_batch), reference=full)  # other batches
    assert [len(batch.lrs) for batch in opened[0].batches] == [3]


def test_a_batch_is_remembered_by_network_and_by_all_its_images() -> None:
    outputs, opened = Outputs(), []

    def open_session() -> Nearest:
        opened.append(Nearest())
        return opened[-1]

    a, b, c = np.random.default_rng(0).random((3, 1, 3, 4, 4), dtype=np.float32)
    memory = Remembered(open_session, outputs, "fp32")
    for lrs in ([a, b], [a, c], [c, b], [a, b]):
        for lr, output in zip(lrs, memory.run_batch(lrs), strict=True):
            np.testing.assert_array_equal(output[:, :, ::2, ::2], lr)
    assert [len(session.batches) for session in opened] == [3]
    Remembered(open_session, outputs, "another").run_batch([a, b])
    assert [len(session.batches) for session in opened] == [3, 1]


def test_a_second_run_over_the_same_images_decodes_none() -> None:
    pairs, job = PairCache(), job_of()
    assert run(job, Nearest(), pairs=pairs) == run(job, Nearest(16), pairs=pairs)
    assert len(job.images.items[0].peaks) == 7


def test_a_reference_without_batches_runs_each_image() -> None:
    class Alone:
        def run(self, lr: np.ndarray) -> np.ndarray:
            return lr.repeat(2, axis=2).repeat(2, axis=3)

    results = run(job_of(), Nearest(), reference=Remembered(Alone, Outputs(), "fp32"))
    assert {r.fidelity.all_db for r in results} == {float("inf")}


def test_an_output_without_a_score_is_refused_as_one_image_at_a_time_refuses_it() -> None:
    def spoil(output: np.ndarray, batch: Batch) -> np.ndarray:
        return output * np.nan if output.shape[2] == 32 else output

    with pytest.raises(ImageError) as expected:
        run_job(
            job_of(),
            Nearest(spoil=spoil),
            pairs=PairCache(),
            threads=1,
            progress=lambda *_: None,
        )
    with pytest.raises(ImageError) as error:
        run(job_of(), Nearest(spoil=spoil))
    assert str(error.value) == str(expected.value)
    assert "m on 002: " in str(error.value)


def test_a_batch_that_fails_is_named_after_the_batches_before_it_are_done() -> None:
    class Small(Nearest):
        def start(self, batch: Batch) -> Callable:
            if len(self.batches) == 3:
                msg = "out of memory"
                raise BackendError(msg)
            return super().start(batch)

    progress: list[int] = []
    with pytest.raises(BackendError, match="m on 2 images from 006 to 007: out of memory"):
        run(
            job_of([(12, 14)] * 8),
            Small(),
            done=lambda index, _result: progress.append(index),
        )
    assert sorted(progress) == [0, 1, 2, 3, 4, 5]


def test_a_batch_that_fails_later_is_named_too() -> None:
    def fail(output: np.ndarray, batch: Batch) -> np.ndarray:
        msg = "device fault"
        raise BackendError(msg)

    with pytest.raises(BackendError, match="m on 2 images from 000 to 001: device fault"):
        run(job_of(), Nearest(spoil=fail))
    with pytest.raises(BackendError, match="m on 000: device fault"):
        run(job_of(), Nearest(1, fail))


def test_an_image_that_cannot_be_kept_is_named() -> None:
    def keep(index: int, _pair: object, _output: np.ndarray) -> None:
        if index == 4:
            msg = "disk full"
            raise ImageError(msg)

    with pytest.raises(ImageError, match="m on 004: disk full"):
        run(job_of(), Scoring(), keep=keep)


def test_an_image_that_cannot_be_read_stops_the_run_after_the_windows_before() -> None:
    progress: list[int] = []
    job = job_of([(12, 14)] * 60, at_5="005.png is truncated")
    with pytest.raises(ImageError, match=r"^005\.png is truncated$"):
        run(job, Nearest(), done=lambda index, _result: progress.append(index))
    assert sorted(progress) == [0, 1, 2, 3]
    assert len(job.images.items[0].peaks) < 20


def test_results_are_in_the_order_asked_for() -> None:
    progress: list[tuple[int, int, str]] = []
    completed: dict[int, ImageResult] = {}
    indices = [5, 2, 0, 3, 6]
    results = run(
        job_of(),
        Nearest(),
        indices=indices,
        progress=lambda *step: progress.append(step),
        done=completed.__setitem__,
    )
    assert [r.image for r in results] == ["005", "002", "000", "003", "006"]
    assert progress == [(i, 5, r.image) for i, r in enumerate(results, 1)]
    assert completed == dict(zip(indices, results, strict=True))


def test_memory_does_not_grow_with_the_number_of_images(window: int) -> None:
    class Forgetful(Nearest):
        def start(self, batch: Batch) -> Callable:
            wait = super().start(batch)
            self.batches.clear()
            return wait

    job = job_of([(12, 14)] * 80)
    run(job, Forgetful(), pairs=PairCache(0))
    peaks = job.images.items[0].peaks
    assert len(peaks) == 80
    assert max(peaks) <= 4 * window


@pytest.mark.parametrize("kept", [True, False])
def test_torch_in_batches_scores_as_the_cpu_does(kept: bool) -> None:
    class Enlarge(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.interpolate(x, scale_factor=2.0)

    expected = run_job(job_of(), Nearest(), pairs=PairCache(), threads=1, progress=lambda *_: None)
    outputs: dict[int, np.ndarray] = {}
    keep = (lambda index, _pair, output: outputs.update({index: output})) if kept else None
    with open_module(Enlarge(), Precision.FP32, threads=1, batches=True) as session:
        results = run(job_of(), session, keep=keep)
    for result, wanted in zip(results, expected, strict=True):
        assert result.image == wanted.image
        assert result.scores == pytest.approx(wanted.scores, abs=1e-6, rel=0)
    for index, output in outputs.items():
        lr = job_of().images.load(index)[0].transpose(2, 0, 1)[None]
        np.testing.assert_array_equal(output[:, :, ::2, ::2], lr)
    assert len(outputs) == (7 if kept else 0)


def test_a_limit_takes_the_first_images() -> None:
    session = Nearest(16)
    assert [r.image for r in run(replace(job_of(), limit=3), session)] == ["000", "001", "002"]
    assert session.seen(job_of()) == [[0, 1], [2]]


def test_an_empty_dataset_is_an_error() -> None:
    with pytest.raises(DatasetError, match="holds no image"):
        run(job_of([]), Nearest())


def test_an_interruption_drops_what_waits_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, ended = Event(), []

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            ended.append(self)
            if len(ended) == 2:  # those that score, then those that load
                gate.set()
            super().shutdown()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(batched, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(batched, "WINDOW", 40)
    job = job_of([(12, 14)] * 80)
    for item in job.images.items[40:]:
        item.gate = gate
    with pytest.raises(KeyboardInterrupt):
        run(job, Nearest(1), progress=interrupt)
    assert len(job.images.items[0].peaks) <= 40 + 2
