"""What evaluation costs on top of bare inference: LESRCNN x2, fp32, squared images of 256 pixels.

Run: python benchmarks/evaluation.py [--images 20] [--rounds 3]

Each round runs the same inputs three times in one process: the bare ``session.run`` calls, shared
out over as many threads as there are cores; the whole evaluation, from PNG files of DIV2K's size
through decoding, resizing, inference, PSNR and SSIM; and the evaluation again, with the decoded
pairs kept. The medians of the ratios are printed. A second process measures that the peak memory
does not follow the number of images.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from skimage import data

from sr_bench.backends import onnxruntime
from sr_bench.cards.protocol_files import load_protocol
from sr_bench.core.backend import Artefact
from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.data.locate import load_dataset
from sr_bench.data.source import ImageSet, open_dataset
from sr_bench.engine.pairs import PairCache
from sr_bench.engine.run import Job, run_job
from sr_bench.engine.scoring import network_input, prepare_pair
from sr_bench.export.to_onnx import export_onnx
from sr_bench.history.environment import cpu_model, usable_cores
from sr_bench.imaging.files import write_png
from sr_bench.imaging.resize import resize
from sr_bench.zoo.build import build

HR_SIZE, LR_SIZE = (1356, 2040), (678, 1020)
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


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def compare(job: Job, artefact: Artefact, *, rounds: int) -> None:
    threads = usable_cores()
    with onnxruntime.open_session(artefact) as session:
        pairs = [prepare_pair(*job.images.load(i), job.protocol, 2) for i in range(len(job.names))]
        inputs = [network_input(pair.lr, job.protocol, 1.0) for pair in pairs]

        def bare() -> None:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(session.run, inputs))

        session.run(inputs[0])
        rows = []
        for _ in range(rounds):
            cache = PairCache()
            floor = timed(bare)
            first, again = (
                timed(lambda: run_job(job, session, pairs=cache, threads=threads, progress=quiet))  # noqa: B023
                for _ in range(2)
            )
            rows.append((floor, first / floor, again / floor))
            print(f"  bare {floor:.2f} s, first pass x{rows[-1][1]:.3f}, again x{rows[-1][2]:.3f}")
    first, again = (statistics.median(row[i] for row in rows) for i in (1, 2))
    print(f"median: first pass x{first:.3f} of bare inference, decoded pairs kept x{again:.3f}")


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
        run_job(job, session, pairs=PairCache(64 * 2**20), threads=usable_cores(), progress=quiet)


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
