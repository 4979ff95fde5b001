"""How many images at once, and how many threads in each network: images a second of evaluation.

Run: python benchmarks/threads.py [--images 8] [--rounds 3]

PSNR and SSIM of LESRCNN x2 and SR4K x2 in fp32 at 256x256, the decoded pairs kept. The settings
take turns; printed is the median of the ratios to one image at a time on one thread.
"""

import argparse
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from pictures import make_images, make_job, open_images
from quantisation import make_network

from sr_bench.backends import onnxruntime as backend
from sr_bench.core.backend import Artefact
from sr_bench.core.precision import Precision
from sr_bench.engine.job import Job, quiet
from sr_bench.engine.measure.one_by_one import PairCache, run_job
from sr_bench.system.cpu import cpu_model, usable_cores

SIDE = 256
SETTINGS = ((1, 1), (2, 1), (1, 2), (3, 1), (2, 2))
"""Images at once, and threads of each network."""


def measure(job: Job, onnx: Path, rounds: int) -> dict[tuple[int, int], list[float]]:
    """Return the images a second by each setting in each round."""
    artefact = Artefact(onnx, None, Precision.FP32, "benchmark")
    speeds: dict[tuple[int, int], list[float]] = {setting: [] for setting in SETTINGS}
    pairs = PairCache()
    with ExitStack() as opened:
        sessions = {
            threads: opened.enter_context(backend.open_session(artefact, threads=threads))
            for threads in {threads for _, threads in SETTINGS}
        }
        for session in sessions.values():  # decodes the pairs, too
            run_job(job, session, pairs=pairs, threads=1, progress=quiet)
        for _ in range(rounds):
            for at_once, threads in SETTINGS:
                start = time.perf_counter()
                run_job(job, sessions[threads], pairs=pairs, threads=at_once, progress=quiet)
                elapsed = time.perf_counter() - start
                speeds[at_once, threads].append(len(job.names) / elapsed)
    return speeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(f"{cpu_model()}, {usable_cores()} cores, {args.images} images, {args.rounds} rounds")
    with tempfile.TemporaryDirectory() as temp:
        folder = Path(temp) / "benchmark"
        make_images(folder, args.images)
        for network in ("lesrcnn_x2", "sr4k_x2"):
            job = make_job(network, open_images(folder), SIDE)
            speeds = measure(job, make_network(network, Path(temp)), args.rounds)
            print(f"\n{network}: images at once x threads of each network")
            for (at_once, threads), rates in speeds.items():
                ratios = [a / b for a, b in zip(rates, speeds[1, 1], strict=True)]
                spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
                middle = f"x{statistics.median(ratios):.2f} ({spread})"
                print(f"  {at_once}x{threads}  {statistics.median(rates):7.2f}/s  {middle}")


if __name__ == "__main__":
    main()
