"""What batches and scoring on the GPU gain: LESRCNN x2, fp32, 48 images of one size.

Run: python benchmarks/gpu.py [--size 128] [--rounds 5]

The same images go through the whole evaluation by one session on the GPU, decoded before: one at a
time and scored by the CPU, as on any backend; in batches, scored by the CPU; and in batches, scored
by the GPU. They take turns, and the medians of the ratios are printed. Weights are random.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from common import print_ratios
from skimage import data

from sr_bench.backends import torch as torch_backend
from sr_bench.core.backend import Artefact, Batch, BatchItem, BatchSession
from sr_bench.core.card import ModelCard
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.data.source import ImageSet
from sr_bench.engine.job import ImageResult, Job
from sr_bench.engine.measure.in_batches import run_batched
from sr_bench.engine.measure.one_by_one import PairCache, run_job
from sr_bench.imaging.resize import resize
from sr_bench.system.cpu import cpu_model, usable_cores
from sr_bench.zoo.build import build

HYPER = {"n_feats": 64, "multi_scale": False}
IMAGES = 48


@dataclass(frozen=True)
class Photo:
    """A photograph and noise, by number."""

    index: int
    side: int

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.index:04d}"

    def load(self) -> tuple[np.ndarray, np.ndarray]:
        """Return LR and HR."""
        source = (data.astronaut(), data.chelsea(), data.coffee())[self.index % 3]
        size = (2 * self.side, 2 * self.side)
        hr = resize(np.ascontiguousarray(source), size, "cv2_cubic").astype(int)
        hr += np.random.default_rng(self.index).integers(-6, 7, hr.shape)
        image = np.clip(hr, 0, 255).astype(np.uint8)
        return resize(image, (self.side, self.side), "cv2_area"), image

    def digest(self) -> str:
        """Return what decides the image."""
        return self.name


@dataclass(frozen=True)
class ScoredByCpu:
    """A session whose scores are not asked for."""

    session: BatchSession

    def batch(self, shape: tuple[int, ...]) -> int:
        """Return how many to run at once."""
        return self.session.batch(shape)

    def start(self, batch: Batch) -> Callable[[], Sequence[BatchItem]]:
        """Start `batch` without what its outputs are compared with."""
        return self.session.start(Batch(batch.lrs))


def make_job(side: int) -> Job:
    card = ModelCard(
        name="lesrcnn_x2",
        family="lesrcnn",
        folder=Path(),
        row="",
        row_source="",
        scale=2,
        architecture="lesrcnn",
        hyper=HYPER,
    )
    images = ImageSet("photos", 2, "evaluation", tuple(Photo(i, side) for i in range(IMAGES)))
    return Job(card, EvalProtocol("native"), images)


def quiet(_done: int, _planned: int, _name: str) -> None:
    """Show no progress."""


def timed(call: Callable[[], tuple[ImageResult, ...]]) -> tuple[float, tuple[ImageResult, ...]]:
    torch.cuda.synchronize()
    start = time.perf_counter()
    results = call()
    return time.perf_counter() - start, results


def measure(job: Job, session: BatchSession, *, rounds: int) -> None:
    """Time the three ways in turns, so that noise hits all alike, and print ratios."""
    pairs: PairCache = PairCache(2**32)
    options = {"pairs": pairs, "threads": usable_cores(), "progress": quiet}
    ways = (
        lambda: run_job(job, session, **options),
        lambda: run_batched(job, ScoredByCpu(session), **options),
        lambda: run_batched(job, session, **options),
    )
    scores = [timed(way)[1] for way in ways]  # decodes and warms up, too
    rows = [[timed(way)[0] for way in ways] for _ in range(rounds)]
    print_ratios("batches, scored by the CPU: images/s", [alone / cpu for alone, cpu, _ in rows])
    print_ratios("batches, scored by the GPU: images/s", [alone / gpu for alone, _, gpu in rows])
    print_ratios("scoring by the GPU against the CPU", [cpu / gpu for _, cpu, gpu in rows])
    for metric in ("psnr", "ssim"):
        pairs_of = zip(scores[1], scores[2], strict=True)
        worst = max(abs(a.scores[metric] - b.scores[metric]) for a, b in pairs_of)
        print(f"{metric} of GPU and CPU differ by at most {worst:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--size", type=int, default=128, help="side of LR (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("torch sees no GPU here: run this on a machine with one, with torch for CUDA")
    artefact = Artefact(None, lambda: build("lesrcnn", HYPER, 2), Precision.FP32, "benchmark")
    with torch_backend.open_session(artefact) as session:
        if not isinstance(session, BatchSession):
            sys.exit("torch computes on the CPU here, which gains nothing by batches")
        print(f"{torch_backend.describe().version}, {cpu_model()}, {usable_cores()} cores")
        batch = session.batch((1, 3, args.size, args.size))
        print(
            f"{IMAGES} images of {args.size}x{args.size}, {batch} at once; against one at a time:"
        )
        measure(make_job(args.size), session, rounds=args.rounds)


if __name__ == "__main__":
    main()
