"""What evaluation costs on top of bare inference: LESRCNN x2, fp32, squared images of 256 pixels.

Run: python benchmarks/evaluation.py [--images 20] [--rounds 3]

The same inputs run three times in one process: as bare ``session.run`` calls, shared out over as
many threads as there are cores; as the whole evaluation, from PNG files of DIV2K's size through
decoding, resizing, inference, PSNR and SSIM; and as the evaluation again, with the decoded pairs
kept. They take turns every few images, and the medians of the ratios are printed. A second process
measures that the peak memory does not follow the number of images.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from skimage import data

from sr_bench.backends import onnxruntime
from sr_bench.cards.protocol_files import load_protocol
from sr_bench.core.backend import Artefact, Session
from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.data.locate import load_dataset
from sr_bench.data.source import ImageSet, open_dataset
from sr_bench.engine.run import Job, pair_cache, run_job
from sr_bench.engine.scoring import network_input, prepare_pair
from sr_bench.export.to_onnx import export_onnx
from sr_bench.history.environment import cpu_model, usable_cores
from sr_bench.imaging.files import write_png
from sr_bench.imaging.resize import resize
from sr_bench.zoo.build import build

HR_SIZE, LR_SIZE = (1356, 2040), (678, 1020)
CHUNK = 4
HYPER = {"n_feats": 64, "multi_scale": False}

MANIFEST = """
title = "Benchmark"
description = "photographs enlarged to the size of DIV2K"
licence = "see scikit-image"
homepage = "https://scikit-image.org"
scales = [2]
count = {count}
stems = {{ first = 1, last = {count}, width = 4 }}

[[layout]]
hr = "HR/{{stem}}.png"
lr = "LR/{{stem}}.png"
"""


def make_images(folder: Path, count: int) -> None:
    """Write `count` pairs: photographs at DIV2K's size, with noise so that PNG stays as large."""
    rng = np.random.default_rng(0)
    sources = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket()]
    for index in range(1, count + 1):
        hr = resize(np.ascontiguousarray(sources[index % 4]), HR_SIZE, "cv2_cubic").astype(int)
        hr = np.clip(hr + rng.integers(-6, 7, hr.shape), 0, 255).astype(np.uint8)
        for kind, image in (("HR", hr), ("LR", resize(hr, LR_SIZE, "cv2_area"))):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            write_png(folder / kind / f"{index:04d}.png", image)
    (folder / "dataset.toml").write_text(MANIFEST.format(count=count))


def open_images(folder: Path) -> ImageSet:
    return open_dataset(load_dataset(folder.name, (folder.parent,)), scale=2, given=folder)


def protocol() -> EvalProtocol:
    seed = load_protocol("lesrcnn_seed")
    return EvalProtocol(
        name="lesrcnn_seed at 256",
        lr_resize=seed.lr_resize,
        gt_resize=seed.gt_resize,
        input_shape=(256, 256),
    )


def make_job(images: ImageSet) -> Job:
    rule = protocol()
    card = ModelCard(
        name="lesrcnn_x2",
        family="lesrcnn",
        folder=Path(),
        row="",
        row_source="",
        scale=2,
        architecture="lesrcnn",
        hyper=HYPER,
        evaluations=(Evaluation("benchmark", rule),),
    )
    return Job(card, rule, images)


def quiet(_done: int, _planned: int, _name: str) -> None:
    """Show no progress."""


def compare(job: Job, artefact: Artefact, *, rounds: int) -> None:
    """Time the three ways on a few images at a time, in turns, so that noise hits all alike."""
    with onnxruntime.open_session(artefact) as session:
        rows = [
            compare_chunk(chunk, session, turn) for turn, chunk in enumerate(chunks(job, rounds))
        ]
    print(f"{len(rows)} turns of {CHUNK} images; wall and CPU time as multiples of bare inference")
    for index, name in enumerate(("first pass", "pairs kept")):
        wall = [row["wall"][index + 1] / row["wall"][0] for row in rows]
        cpu = [row["cpu"][index + 1] / row["cpu"][0] for row in rows]
        middle = statistics.median(wall)
        spread = f"{min(wall):.2f} to {max(wall):.2f}"
        print(f"{name}: wall x{middle:.3f} ({spread}), CPU x{statistics.median(cpu):.3f}")


def chunks(job: Job, rounds: int) -> Iterator[Job]:
    items = job.images.items
    for _ in range(rounds):
        for start in range(0, len(items) - CHUNK + 1, CHUNK):
            images = replace(job.images, items=items[start : start + CHUNK])
            yield replace(job, images=images)


def compare_chunk(job: Job, session: Session, turn: int) -> dict[str, list[float]]:
    threads = usable_cores()
    pairs = [prepare_pair(*job.images.load(i), job.protocol, 2) for i in range(CHUNK)]
    inputs = [network_input(pair.lr, job.protocol, 1.0) for pair in pairs]
    cache = pair_cache()

    def bare() -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(session.run, inputs))

    def evaluate() -> None:
        run_job(job, session, pairs=cache, threads=threads, progress=quiet)

    # The second evaluation finds the pairs that the first one kept.
    ways = [(0, bare), (1, evaluate), (2, evaluate)]
    measured = {"wall": [0.0] * 3, "cpu": [0.0] * 3}
    for index, way in ways if turn % 2 else [*ways[1:], ways[0]]:
        wall, cpu = time.perf_counter(), time.process_time()
        way()
        measured["wall"][index] = time.perf_counter() - wall
        measured["cpu"][index] = time.process_time() - cpu
    return measured


def peak_memory_mb(folder: Path, onnx: Path, images: int) -> float:
    """Return the peak resident memory of a process that evaluates `images` images."""
    code = (
        "import resource, sys; sys.path.insert(0, sys.argv[1]);"
        "import evaluation as e; e.evaluate_only(*sys.argv[2:]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    arguments = [str(Path(__file__).parent), str(folder), str(onnx), str(images)]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def evaluate_only(folder: str, onnx: str, images: str) -> None:
    job = make_job(open_images(Path(folder)))
    job = Job(job.card, job.protocol, job.images, limit=int(images))
    artefact = Artefact(Path(onnx), None, Precision.FP32, "benchmark")
    with onnxruntime.open_session(artefact) as session:
        run_job(job, session, pairs=pair_cache(64 * 2**20), threads=usable_cores(), progress=quiet)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temp:
        folder, onnx = Path(temp) / "benchmark", Path(temp) / "lesrcnn_x2.onnx"
        make_images(folder, args.images)
        export_onnx(build("lesrcnn", HYPER, 2).eval(), onnx)
        print(f"{cpu_model()}, {usable_cores()} cores, {args.images} images of 256x256")
        artefact = Artefact(onnx, None, Precision.FP32, "benchmark")
        compare(make_job(open_images(folder)), artefact, rounds=args.rounds)
        for count in (max(1, args.images // 4), args.images):
            print(f"peak memory at {count} images: {peak_memory_mb(folder, onnx, count):.0f} MB")


if __name__ == "__main__":
    main()
