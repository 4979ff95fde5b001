"""Peak memory of a run by the number of its images, beside that of bare inference.

Run: python benchmarks/memory.py [--quick]

SR4K x2 in fp32 at 64x64, from PNG files of DIV2K's size; beyond 20 images they are links to those
20. Each line is a process of its own: the network's scores and the floor's, with the memory for
decoded pairs that a session has. Bare inference imports onnxruntime and NumPy alone. Linux only.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from sr_bench.system.cpu import cpu_model, usable_cores

SIDE = 64
COUNTS = (1, 20, 200, 2000)

BARE = """
import sys, numpy, onnxruntime
from concurrent.futures import ThreadPoolExecutor
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options)
x = numpy.zeros((1, 3, int(sys.argv[2]), int(sys.argv[2])), numpy.float32)
with ThreadPoolExecutor(int(sys.argv[3])) as pool:
    list(pool.map(lambda _: session.run(None, {session.get_inputs()[0].name: x}), range(40)))
"""

# Not getrusage: its peak may be that of the process which started this one.
PEAK = "\nprint(next(x for x in open('/proc/self/status') if x.startswith('VmHWM')).split()[1])"


def evaluate(folder: str, onnx: str) -> None:
    """Score the network and the floor on all images of `folder`."""
    from pictures import SCALE, make_job, open_images

    from sr_bench.backends import onnxruntime as backend
    from sr_bench.core.backend import Artefact
    from sr_bench.core.precision import Precision
    from sr_bench.engine.job import quiet
    from sr_bench.engine.measure.one_by_one import PairCache, run_job
    from sr_bench.engine.score.bicubic import Bicubic

    job, pairs = make_job("sr4k_x2", open_images(Path(folder)), SIDE), PairCache()
    with backend.open_session(Artefact(Path(onnx), None, Precision.FP32, "benchmark")) as session:
        for network in (session, Bicubic(job.protocol, 1.0, SCALE)):
            run_job(job, network, pairs=pairs, threads=usable_cores(), progress=quiet)


def peak_mb(code: str, *arguments: object) -> float:
    """Return the peak resident memory of a process that runs `code`."""
    command = [sys.executable, "-c", code + PEAK, *map(str, arguments)]
    result = subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
    )
    return float(result.stdout.splitlines()[-1]) / 1024


def main() -> None:
    from pictures import link_images, make_images
    from quantisation import make_network

    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="up to 200 images")
    args = parser.parse_args()
    print(f"{cpu_model()}, {usable_cores()} cores")
    with tempfile.TemporaryDirectory() as temp:
        source = Path(temp) / "source"
        make_images(source, 20)
        onnx = make_network("sr4k_x2", Path(temp))
        bare = peak_mb(BARE, onnx, SIDE, usable_cores())
        print(f"bare inference: {bare:.0f} MB", flush=True)
        for count in COUNTS[:-1] if args.quick else COUNTS:
            folder = Path(temp) / f"images_{count}"
            link_images(folder, source, count)
            peak = peak_mb("import sys, memory; memory.evaluate(*sys.argv[1:])", folder, onnx)
            print(f"{count:5} images: {peak:.0f} MB, {peak - bare:+.0f} MB", flush=True)


if __name__ == "__main__":
    main()
