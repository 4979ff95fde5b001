"""What evaluation costs on top of bare inference, at 256x256, from PNG files of DIV2K's size.

Run: python benchmarks/evaluation.py [--quick] [--images 20] [--rounds 3]

The same inputs run in several ways in one process, in turns every few images:

bare        ``session.run`` calls, shared out over as many threads as there are cores
first pass  the whole evaluation: decoding, resizing, keeping that, inference, PSNR and SSIM
next night  the evaluation in a new session with new weights: pairs are read from the disk
pairs kept  the evaluation again in the same session, which finds the pairs in memory
floor       plain bicubic enlargement, which a session scores once for all precisions
decoding    of the files alone, by OpenCV: what the first pass can't do without
naive       the loop of a zoo's scripts: one image after the other, inference on all cores

In `first pass` and `next night` the digests of all files are taken, as by a session.

Printed are medians of the ratios to ``bare``, of wall time and of CPU time, which other work on the
machine disturbs less. That every way gives the same scores is checked.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from common import histograms_of
from numpy.typing import NDArray
from pictures import SCALE, make_images, make_job, open_images
from quantisation import make_images as make_crops
from quantisation import make_network

from sr_bench.backends import onnxruntime as backend
from sr_bench.core.backend import Artefact, Session
from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.core.precision import Precision
from sr_bench.data.source import ImageSet
from sr_bench.engine.job import ImageResult, Job, quiet
from sr_bench.engine.measure.kept_pairs import KeptPairs
from sr_bench.engine.measure.one_by_one import PairCache, run_job
from sr_bench.engine.score.bicubic import Bicubic
from sr_bench.files import hashing
from sr_bench.files.kept import Spare
from sr_bench.imaging.threads import use_one_opencv_thread
from sr_bench.precision.network import read_network
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.write import quantise
from sr_bench.precision.ranges import clip_ranges
from sr_bench.system.cpu import cpu_model, usable_cores

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

UNIT = ClipRange(0.0, 1.0)
SIDE = 256
Times = Mapping[str, NDArray[np.float64]]
"""Seconds of wall and CPU time of each way."""


@dataclass(frozen=True)
class Contest:
    """One network in one precision."""

    network: str
    onnx: Path
    precision: Precision
    at_once: int
    """Images of one turn: enough for a turn that lasts."""
    naive: bool
    """Whether the naive loop takes part."""


def time_ways(contest: Contest, images: ImageSet, folder: Path, rounds: int) -> None:
    """Time all ways on a few images at a time, in turns, and print the ratios."""
    import onnxruntime

    artefact = Artefact(contest.onnx, None, contest.precision, "benchmark")
    plain = onnxruntime.InferenceSession(contest.onnx)
    with backend.open_session(artefact) as session:
        print(f"\n{contest.network} {contest.precision}", *session.notes.values(), sep="; ")
        session.run(np.zeros((1, 3, SIDE, SIDE), np.float32))  # the first run allocates
        turns = [
            time_turn(
                make_job(contest.network, part, SIDE),
                session,
                (lambda job: naive_scores(job, plain, folder)) if contest.naive else None,
                folder / f"pairs{number}-{contest.network}-{contest.precision}",
                bare_first=bool(number % 2),
            )
            for number, part in enumerate(parts(images, contest.at_once, rounds))
        ]
    print_ratios(turns, contest.at_once)


def parts(images: ImageSet, at_once: int, rounds: int) -> Iterator[ImageSet]:
    for _ in range(rounds):
        for start in range(0, len(images) - at_once + 1, at_once):
            yield replace(images, items=images.items[start : start + at_once])


def time_turn(
    job: Job,
    session: Session,
    naive: Callable[[Job], Sequence[tuple[float, float]]] | None,
    folder: Path,
    *,
    bare_first: bool,
) -> Times:
    """Return the time of each way on the images of `job`; `folder`, not there yet, is for pairs."""
    threads = usable_cores()
    pairs = [job.pair(index) for index in range(len(job.names))]
    inputs = [job.network_input(pair) for pair in pairs]
    bicubic = Bicubic(job.protocol, 1.0, SCALE)
    scores: dict[str, tuple[ImageResult, ...]] = {}

    def bare() -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(session.run, inputs))

    def on_disk() -> PairCache:
        hashing._read_once.cache_clear()  # as in a new process
        return PairCache(kept=KeptPairs(folder, 2**30, Spare("benchmark")))

    def evaluate(way: str, network: Session | Bicubic, cache: PairCache) -> None:
        scores[way] = run_job(job, network, pairs=cache, threads=threads, progress=quiet)

    def decode() -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(job.images.load, range(len(job.names))))

    memory = PairCache()
    for index in range(len(job.names)):
        memory.of(job, index)
    # The first pass fills the disk for the next night.
    ways: list[tuple[str, Callable[[], object]]] = [
        ("first pass", lambda: evaluate("first pass", session, on_disk())),
        ("next night", lambda: evaluate("next night", session, on_disk())),
        ("pairs kept", lambda: evaluate("pairs kept", session, memory)),
        ("floor", lambda: evaluate("floor", bicubic, memory)),
        ("decoding", decode),
    ]
    times = {}
    for way, call in [("bare", bare), *ways] if bare_first else [*ways, ("bare", bare)]:
        times[way] = seconds(call)
    assert scores["first pass"] == scores["next night"] == scores["pairs kept"]
    if naive is not None:
        expected: list[tuple[float, float]] = []
        times["naive"] = seconds(lambda: expected.extend(naive(job)))
        ours = [tuple(result.scores.values()) for result in scores["first pass"]]
        np.testing.assert_allclose(ours, expected, atol=2e-3)  # other threads sum in another order
    return times


def seconds(call: Callable[[], object]) -> NDArray[np.float64]:
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return np.array([time.perf_counter() - wall, time.process_time() - cpu])


def print_ratios(turns: Sequence[Times], at_once: int) -> None:
    print(f"{len(turns)} turns of {at_once} images, as multiples of bare inference")
    rows = {way: [turn[way] / turn["bare"] for turn in turns] for way in turns[0] if way != "bare"}
    both = [(turn["first pass"] + turn["floor"]) / turn["bare"] for turn in turns]
    for way, ratios in {**rows, "first pass and floor": both}.items():
        wall, cpu = zip(*ratios, strict=True)
        spread = f"{min(wall):.2f} to {max(wall):.2f}"
        middle, middle_cpu = statistics.median(wall), statistics.median(cpu)
        print(f"  {way:21} wall x{middle:.3f} ({spread}), CPU x{middle_cpu:.3f}", flush=True)


def naive_scores(job: Job, session: "InferenceSession", folder: Path) -> list[tuple[float, float]]:
    """Return PSNR and SSIM of each image, as a zoo's script computes them."""
    cv2.setNumThreads(-1)  # OpenCV's own choice, as in the scripts
    scores = []
    for name in job.names:
        lr, hr = (cv2.imread(str(folder / kind / f"{name}.png")) for kind in ("LR", "HR"))
        lr = cv2.resize(lr, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        hr = cv2.resize(hr, (SCALE * SIDE,) * 2, interpolation=cv2.INTER_AREA)
        x = cv2.cvtColor(lr, cv2.COLOR_BGR2RGB).transpose(2, 0, 1)[np.newaxis]
        (y,) = session.run(None, {session.get_inputs()[0].name: x.astype(np.float32) / 255})
        sr = (np.clip(y[0], 0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0)[..., ::-1]
        a, b = sr.astype(np.float64), hr.astype(np.float64)
        psnr = 10 * np.log10(255**2 / np.mean((a - b) ** 2))
        scores.append((psnr, np.mean([naive_ssim(a[..., c], b[..., c]) for c in range(3)])))
    use_one_opencv_thread()
    return scores


def naive_ssim(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return SSIM by five filters with the whole window in float64, as BasicSR computes it."""
    line = cv2.getGaussianKernel(11, 1.5)

    def mean(image: NDArray[np.float64]) -> NDArray[np.float64]:
        return cv2.filter2D(image, -1, line @ line.T)[5:-5, 5:-5]

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_x, mean_y = mean(x), mean(y)
    variances = mean(x**2) - mean_x**2 + mean(y**2) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return float(np.mean(luminance * (2 * covariance + c2) / (variances + c2)))


def make_int8(fp32: Path) -> Path:
    """Write the network `fp32` in int8, calibrated on four crops."""
    network = read_network(fp32)
    observed = histograms_of(network, make_crops(4, 128, 128))
    clip = clip_ranges(network, observed.histograms, "max", Int8Plan(), input_range=UNIT)
    model = quantise(network, clip, integer_weights(network, {}), Int8Plan(), (), notes={})
    target = fp32.with_suffix(".int8.onnx")
    target.write_bytes(model.SerializeToString())
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="4 images, one round, no naive loop")
    args = parser.parse_args()
    count, rounds = (4, 1) if args.quick else (args.images, args.rounds)
    print(f"{cpu_model()}, {usable_cores()} cores, {count} images, {rounds} rounds")
    with tempfile.TemporaryDirectory() as temp:
        folder = Path(temp) / "benchmark"
        make_images(folder, count)
        lesrcnn, sr4k = (make_network(name, Path(temp)) for name in ("lesrcnn_x2", "sr4k_x2"))
        naive = not args.quick
        for contest in (
            Contest("lesrcnn_x2", lesrcnn, Precision.FP32, 4, naive),
            Contest("lesrcnn_x2", make_int8(lesrcnn), Precision("int8_max"), 4, naive=False),
            Contest("sr4k_x2", sr4k, Precision.FP32, count, naive),
        ):
            time_ways(contest, open_images(folder), folder, rounds)


if __name__ == "__main__":
    main()
