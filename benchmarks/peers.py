"""Calibration and int8 networks beside onnxruntime's calibrators and NNCF, from the same images.

Run: python benchmarks/peers.py [--rounds 5] [--quick]

LESRCNN x2 with random weights, 20 images of 128x128. All take turns in one process; printed are
medians of how many times as long a peer takes.

onnxruntime's three calibrators, one after the other, against our one pass for all four observers:
as people call them, and with ``CalibStridedMinMax=1``, their best setting.

``nncf.quantize`` (it also corrects the bias of each layer) against ours from the fp32 network to
the int8 one: for one observer with weights rounded to nearest, as NNCF's are, then with learned
rounding (by the second moments of each layer's inputs), and so for all four observers from one
pass. What int8 adds is printed as noise beside the output's power, on the same images in the same
runtime; weights are random, so it only tells the tools apart. Without NNCF (``pip install nncf``)
that part is left out.
"""

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from importlib.metadata import version
from io import StringIO
from pathlib import Path

import numpy as np
import onnx
from common import open_plain, print_ratios, runner, seconds
from numpy.typing import NDArray
from quantisation import OBSERVERS, calibrate, make_images, make_network
from quantizers import QUANTIZERS, Reader, Wanted, by_nncf, ready

from sr_bench.backends import onnxruntime as backend
from sr_bench.core.backend import Artefact
from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.core.precision import Precision
from sr_bench.precision.network import Network, read_network
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.write import quantise
from sr_bench.precision.ranges import clip_ranges
from sr_bench.precision.statistics.calibrate import collect
from sr_bench.system.cpu import cpu_model, usable_cores

UNIT = ClipRange(0.0, 1.0)
METHODS = ("MinMax", "Percentile", "Entropy")
Images = Sequence[NDArray[np.float32]]


def onnxruntime_calibrators(path: Path, images: Images, stride: int) -> None:
    """Run onnxruntime's three calibrators one after the other, on `stride` images at a time."""
    from onnxruntime.quantization import CalibrationMethod
    from onnxruntime.quantization.calibrate import create_calibrator
    from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

    loads = ready(images)
    for method in METHODS:
        calibrator = create_calibrator(
            path,
            op_types_to_calibrate=list({*QLinearOpsRegistry, *QDQRegistry}),
            augmented_model_path=str(path.with_suffix(".augmented.onnx")),
            calibrate_method=CalibrationMethod[method],
        )
        name = calibrator.infer_session.get_inputs()[0].name
        for start in range(0, len(images), stride):
            calibrator.collect_data(Reader(name, loads[start : start + stride]))
        calibrator.compute_data()


def beside_onnxruntime(path: Path, images: Images, rounds: int) -> None:
    """Print the time of onnxruntime's calibrators as a multiple of calibration."""
    network = read_network(path)
    ways = {"as people call them": len(images), "CalibStridedMinMax=1": 1}
    ratios: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        ours_s = seconds(partial(calibrate, network, images))
        for name, stride in ways.items():
            call = partial(onnxruntime_calibrators, path, images, stride)
            with redirect_stdout(StringIO()):  # they print what they do
                ratios[name].append(seconds(call) / ours_s)
    for name, times in ratios.items():
        print_ratios(f"onnxruntime's three, {name}", times)


def ours(
    network: Network,
    images: Images,
    observers: Sequence[str],
    target: Path,
    plan: Int8Plan,
) -> None:
    """Write the int8 network of each observer; the last one stays in `target`."""
    observed = collect(
        network,
        {f"image {i}": partial(lambda x: x, image) for i, image in enumerate(images)},
        memory_bytes=2**30,
        moments=plan.rounding == "learned",
        workers=usable_cores(),
        progress=lambda *_: None,
    )
    weights = integer_weights(network, observed.moments)
    for observer in observers:
        clip = clip_ranges(network, observed.histograms, observer, plan, input_range=UNIT)
        onnx.save(quantise(network, clip, weights, plan, (), notes={}), target)


def beside_nncf(path: Path, images: Images, rounds: int) -> None:
    """Print NNCF's time as a multiple of ours, and what the networks keep of fp32."""
    if not QUANTIZERS["nncf"].version:
        print("NNCF is not installed: left out (pip install nncf)")
        return
    network, int8, other = read_network(path), path.with_suffix(".own"), path.with_suffix(".other")
    learned, nearest = Int8Plan(), Int8Plan(rounding="nearest")
    ways = {
        "one observer, weights to nearest": (("mse",), nearest),
        "one observer": (("mse",), learned),
        "all four": (OBSERVERS, learned),
    }
    wanted = Wanted(path, ready(images))
    ratios: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        theirs = seconds(partial(by_nncf, wanted, other))
        for name, (observers, plan) in ways.items():
            call = partial(ours, network, images, observers, int8, plan)
            ratios[name].append(theirs / seconds(call))
    for name, times in ratios.items():
        print_ratios(f"NNCF / ours for {name}", times)
    print(f"signal to noise, NNCF: {signal_to_noise_db(path, other, images):.2f} dB")
    for observer in OBSERVERS:
        ours(network, images, [observer], int8, learned)
        print(f"ours, {observer}: {signal_to_noise_db(path, int8, images):.2f} dB", flush=True)


def signal_to_noise_db(fp32: Path, int8: Path, images: Images) -> float:
    """Return the mean of the outputs' power over that of what int8 adds to them, in dB."""
    plain, levels = runner(open_plain(fp32)), []
    artefact = Artefact(int8, None, Precision("int8_max"), "peer")
    with backend.open_session(artefact) as session:
        for image in images:
            expected = plain(image)
            error = np.mean((session.run(image).astype(np.float64) - expected) ** 2)
            levels.append(10 * np.log10(np.mean(expected.astype(np.float64) ** 2) / error))
    return statistics.mean(levels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="4 images, one round")
    args = parser.parse_args()
    count, rounds = (4, 1) if args.quick else (20, args.rounds)
    print(
        f"{cpu_model()}, {usable_cores()} cores, onnxruntime {version('onnxruntime')},"
        f" {count} images, {rounds} rounds"
    )
    with tempfile.TemporaryDirectory() as folder:
        path, images = make_network("lesrcnn_x2", Path(folder)), make_images(count, 128, 128)
        beside_onnxruntime(path, images, rounds)
        beside_nncf(path, images, rounds)


if __name__ == "__main__":
    main()
