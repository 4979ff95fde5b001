"""What a cluster costs: two workers of ``local:2`` beside two plain processes, and beside one.

Run: python benchmarks/cluster.py [--images 16] [--side 256] [--rounds 3] [--tasks 500]

``speed`` measures one run, LESRCNN x2 in fp32 on images squared to `side` pixels from PNG files of
512x768 pixels, in one process, in two processes that have half of the images each (what
``pytest -n 2`` does at best), and by a cluster of two local workers. They take turns; medians of
the ratios are printed. All keep the open network and the decoded pairs between turns, so that
what is left is inference, scoring and hand-over.

``overhead`` measures what a task costs that does nothing, once by Dask alone and once as a shard
of a run of tiny images, with all that we do around it; `scale.py` uses these.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

from common import print_ratios
from pictures import NETWORKS, make_images, make_job, open_images

from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.engine.elsewhere.cluster.client import Cluster, split
from sr_bench.engine.elsewhere.cluster.connect import connected
from sr_bench.engine.elsewhere.cluster.sessions import SharingWorker
from sr_bench.engine.job import ImageResult, quiet
from sr_bench.engine.measure.worker import Work, Worker
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.network import prepare
from sr_bench.export.to_onnx import export_onnx
from sr_bench.system.cpu import cpu_model, usable_cores
from sr_bench.zoo.build import build

NETWORK, WORKERS = "lesrcnn_x2", 2


def make_work(folder: Path, images: int, side: int) -> Work:
    make_images(folder, images, (512, 768))
    onnx = folder / "network.onnx"
    architecture, hyper = NETWORKS[NETWORK]
    export_onnx(build(architecture, hyper, 2).eval(), onnx)
    job = make_job(NETWORK, open_images(folder), side)
    card = replace(job.card, onnx=onnx, architecture="")
    return Work(replace(job, card=card), prepare(card, Precision.FP32, None))


def make_tiny(folder: Path, like: Work, images: int) -> Work:
    """Return a run of `images` images of 16 x 16 pixels."""
    make_images(folder, images, (16, 16))
    rule = EvalProtocol("native")
    return replace(like, job=replace(like.job, images=open_images(folder), protocol=rule))


def measure(executor: Worker | Cluster, work: Work, indices: Sequence[int]) -> dict[int, float]:
    results: dict[int, ImageResult] = {}
    executor.measure(work, indices, begin=lambda *_: None, done=results.__setitem__, progress=quiet)
    return {index: result.scores["psnr"] for index, result in sorted(results.items())}


@cache
def own_worker() -> SharingWorker:
    """Return what this process keeps, as a worker of the cluster does: networks and pairs."""
    return SharingWorker(Selection())


def measure_part(work: Work, indices: Sequence[int]) -> dict[int, float]:
    return measure(own_worker(), work, indices)


def halves(pool: ProcessPoolExecutor, work: Work) -> dict[int, float]:
    parts = [range(start, len(work.job.names), WORKERS) for start in range(WORKERS)]
    scores: dict[int, float] = {}
    for part in pool.map(partial(measure_part, work), parts):
        scores |= part
    return dict(sorted(scores.items()))


def timed(way: Callable[[], dict[int, float]]) -> tuple[float, dict[int, float]]:
    start = time.perf_counter()
    scores = way()
    return time.perf_counter() - start, scores


def compare(work: Work, cluster: Cluster, rounds: int) -> None:
    everything = range(len(work.job.names))
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        ways = {
            "one": lambda: measure_part(work, everything),
            "two": lambda: halves(pool, work),
            "cluster": lambda: measure(cluster, work, everything),
        }
        scores = [way() for way in ways.values()]  # imports, and the first look at the files
        if not scores[0] == scores[1] == scores[2]:
            msg = "the three ways gave different numbers"
            raise SystemExit(msg)
        rows = []
        for turn in range(rounds):
            names = list(ways)[turn % 3 :] + list(ways)[: turn % 3]
            rows.append({name: timed(ways[name])[0] for name in names})
    print_ratios("two processes, times faster than one", [r["one"] / r["two"] for r in rows])
    print_ratios("cluster of two, times faster than one", [r["one"] / r["cluster"] for r in rows])
    print_ratios("cluster of two, time of two processes", [r["cluster"] / r["two"] for r in rows])


def overhead(work: Work, cluster: Cluster, tasks: int) -> None:
    with connected(f"local:{WORKERS}") as client:
        client.gather(client.map(abs, range(100), pure=False))
        start = time.perf_counter()
        client.gather(client.map(abs, range(tasks), pure=False))
        print(f"Dask alone: {1e3 * (time.perf_counter() - start) / tasks:.2f} ms a task")
    images = range(len(work.job.names))
    shards = len(split(images))
    measure(cluster, work, images)
    seconds = [timed(lambda: measure(cluster, work, images))[0] for _ in range(3)]
    alone = timed(lambda: measure_part(work, images))[0]
    print(
        f"shards of tiny images: {1e3 * statistics.median(seconds) / shards:.2f} ms a shard"
        f" ({shards} shards, {len(images)} images, which take {alone:.2f} s in one process)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", type=int, default=500)
    args = parser.parse_args()
    print(f"{cpu_model()}, {usable_cores()} cores, {args.images} images of {args.side}x{args.side}")
    with (
        tempfile.TemporaryDirectory() as temp,
        closing(Cluster(Selection(cluster="local:2"))) as cluster,
    ):
        work = make_work(Path(temp) / "benchmark", args.images, args.side)
        compare(work, cluster, args.rounds)
        overhead(make_tiny(Path(temp) / "tiny", work, args.tasks), cluster, args.tasks)


if __name__ == "__main__":
    main()
