"""What calibration and int8 cost: time, memory, speed of inference; for peers see `peers.py`.

Run: python benchmarks/quantisation.py time      calibration against bare inference
     python benchmarks/quantisation.py memory    peak memory by number and size of images
     python benchmarks/quantisation.py int8      int8 inference against fp32 and onnxruntime's file

The networks are LESRCNN x2 and EDSR baseline x2 with random weights, as speed does not depend on
them; the images are crops of scikit-image's photographs. Everything that is compared takes turns
in one process, and medians of ratios are printed; memory is measured in a process of its own.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from common import histograms_of, in_turns, open_plain, print_ratios, runner, seconds
from quantizers import Wanted, by_onnxruntime, ready

from sr_bench.backends import onnxruntime as backend
from sr_bench.core.backend import Artefact
from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.core.precision import Precision
from sr_bench.precision.network import read_network
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.write import quantise
from sr_bench.precision.ranges import clip_ranges
from sr_bench.precision.statistics.calibrate import collect
from sr_bench.system.cpu import cpu_model, usable_cores

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

UNIT = ClipRange(0.0, 1.0)
NETWORKS = {
    "lesrcnn_x2": ("lesrcnn", {"n_feats": 64, "multi_scale": False}),
    "edsr_baseline_x2": (
        "edsr",
        {"form": "official", "n_feats": 64, "n_resblocks": 16, "res_scale": 1.0, "rgb_range": 1.0},
    ),
    "sr4k_x2": (
        "rcan",
        {
            "form": "official",
            "n_resgroups": 2,
            "n_resblocks": 2,
            "n_feats": 28,
            "attention": False,
            "reduction": 0,
            "res_scale": 1.0,
            "rgb_range": 1.0,
            "rgb_mean": "div2k",
            "mean_shift": "plain",
            "head": "stride2",
            "upsample": "single",
        },
    ),
}
KEPT = {
    "lesrcnn_x2": ("sub_mean.shifter", "conv1.0", "conv18.0", "add_mean.shifter"),
    "edsr_baseline_x2": ("sub_mean", "head.0", "add_mean"),
}
OBSERVERS = ("max", "percentile", "kl", "mse")


def make_network(name: str, folder: Path) -> Path:
    """Write the network `name` with random weights."""
    import torch  # here, so that the processes whose memory is measured don't hold it

    from sr_bench.export.to_onnx import export_onnx
    from sr_bench.zoo.build import build

    torch.manual_seed(0)
    architecture, hyper = NETWORKS[name]
    export_onnx(build(architecture, hyper, 2), folder / f"{name}.onnx")
    return folder / f"{name}.onnx"


def make_images(count: int, height: int, width: int) -> list[np.ndarray]:
    """Return `count` different images, float32 1 x 3 x height x width, 0 to 1."""
    from skimage import data

    sources = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    crops = []
    for index in range(count):
        source = np.roll(sources[index % len(sources)], 17 * index, axis=(0, 1))
        times = (-(-height // source.shape[0]), -(-width // source.shape[1]), 1)
        crop = np.tile(source, times)[:height, :width]
        crops.append(np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32) / 255)
    return crops


def calibrate(network: object, images: Sequence[np.ndarray], mib: int = 1024) -> None:
    """Collect, and derive the clip ranges of all observers."""
    inputs = {f"image {i}": partial(lambda x: x, image) for i, image in enumerate(images)}
    observed = collect(
        network,
        inputs,
        memory_bytes=mib * 2**20,
        moments=True,
        workers=usable_cores(),
        progress=lambda *_: None,
    )
    for observer in OBSERVERS:
        clip_ranges(network, observed.histograms, observer, Int8Plan(), input_range=UNIT)


def infer(session: "InferenceSession", images: Sequence[np.ndarray]) -> None:
    """Run the network on every image, on as many threads as there are cores."""
    name = session.get_inputs()[0].name
    with ThreadPoolExecutor(usable_cores()) as pool:
        list(pool.map(lambda x: session.run(None, {name: x}), images))


def time_against_inference(folder: Path, rounds: int) -> None:
    """Print the time of calibration as a multiple of inference."""
    for name in ("lesrcnn_x2", "edsr_baseline_x2"):
        path = make_network(name, folder)
        network, session = read_network(path), open_plain(path)
        for size, count in ((128, 8), (256, 4)):
            images = make_images(count, size, size)
            infer(session, images)
            ratios = []
            for _ in range(rounds):
                plain = seconds(partial(infer, session, images))
                ratios.append(seconds(partial(calibrate, network, images)) / plain)
            print_ratios(f"{name} {size}x{size}, {count} images", ratios)


def memory(folder: Path) -> None:
    """Print the peak memory of calibration for some numbers and sizes of images."""
    for name, count, height, width, mib in (
        ("lesrcnn_x2", 5, 128, 128, 1024),
        ("lesrcnn_x2", 200, 128, 128, 1024),
        ("lesrcnn_x2", 5, 256, 256, 1024),
        ("lesrcnn_x2", 50, 256, 256, 1024),
        ("sr4k_x2", 2, 1080, 1920, 1024),
    ):
        path = make_network(name, folder)
        command = [
            sys.executable,
            __file__,
            "one",
            str(path),
            *map(str, (count, height, width, mib)),
        ]
        result = subprocess.run(command, check=True, capture_output=True, text=True)
        print(f"{name}, {count} images of {width}x{height}: peak {result.stdout.strip()} MB")


def measure_child(path: str, count: str, height: str, width: str, mib: str) -> None:
    """Calibrate, and print the peak memory of this process in MB."""
    rng = np.random.default_rng(0)
    shape = (1, 3, int(height), int(width))
    base = [rng.random(shape, np.float32) for _ in range(4)]
    images = [base[index % 4] for index in range(int(count))]
    calibrate(read_network(Path(path)), images, int(mib))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def int8_speed(folder: Path, rounds: int) -> None:
    """Print the speed of int8 as a multiple of fp32's, by what opens whose file.

    First and last layers stay in float as in the cards; onnxruntime's own file leaves the same out.
    """
    for name, keep in KEPT.items():
        path = make_network(name, folder)
        network, images = read_network(path), make_images(2, 128, 128)
        kept, weights = network.matching(keep), integer_weights(network, {})
        observed = histograms_of(network, images)
        clip = clip_ranges(network, observed.histograms, "max", Int8Plan(), input_range=UNIT)
        own = folder / "own.onnx"
        onnx.save(network.model, path)
        by_onnxruntime(Wanted(path, ready(images), [layer.node for layer in kept]), own)
        runs = {"fp32": runner(open_plain(path)), "onnxruntime's file": runner(open_plain(own))}
        for skips in ("float", "int8"):
            model = quantise(network, clip, weights, Int8Plan(skips=skips), kept, notes={})
            low = folder / f"{skips}.onnx"
            low.write_bytes(model.SerializeToString())
            runs[f"ours, skips in {skips}"] = runner(open_plain(low))
            ours = backend.open_session(Artefact(low, None, Precision("int8_max"), ""))
            runs[f"ours, skips in {skips}, in our session"] = ours.run
        calls = {what: partial(run, images[0]) for what, run in runs.items()}
        taken = in_turns(calls, rounds)
        for what, times in taken.items():
            ratios = np.divide(taken["fp32"], times)
            print_ratios(f"{name} 128x128, {what}, times as fast", list(ratios))


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("time", "memory", "int8", "one"))
    parser.add_argument("of_one", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    if args.what == "one":
        measure_child(*args.of_one)
        return
    print(f"{cpu_model()}, {usable_cores()} cores, onnxruntime {version('onnxruntime')}")
    with tempfile.TemporaryDirectory() as folder:
        if args.what == "time":
            time_against_inference(Path(folder), args.rounds)
        elif args.what == "memory":
            memory(Path(folder))
        else:
            int8_speed(Path(folder), args.rounds)


if __name__ == "__main__":
    main()
