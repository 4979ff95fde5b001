"""The whole matrix of one model, calibration included, beside the inference that it can't avoid.

Run: python benchmarks/matrix.py [--quick] [--rounds 3] [--peers]

LESRCNN x2 with random weights in fp32, fp16 and int8 by three observers: PSNR and SSIM of 20 images
at 256x256, from PNG files of DIV2K's size, with the floor of plain bicubic enlargement, and one
calibration on 20 crops of 128x128. The engine starts with an empty cache each round, but for the
exported ONNX file, whose making is timed apart. The floor of the time is what bare ``session.run``
calls take: of the same five networks on the same inputs, as many at once as there are cores, and
of fp32 on the crops. The two take turns. With ``--peers`` onnxruntime's own tools make the int8
networks, and the loop of a zoo's scripts scores all five.
"""

import argparse
import os
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree

import numpy as np
import torch
from common import open_plain
from evaluation import SIDE, naive_scores, seconds
from numpy.typing import NDArray
from pictures import SCALE, make_images, make_job, open_images
from quantisation import NETWORKS, infer
from quantizers import Reader, ready

from sr_bench.backends import onnxruntime as backend
from sr_bench.core.backend import Artefact
from sr_bench.core.precision import Precision
from sr_bench.core.record import Status
from sr_bench.data.source import ImageSet
from sr_bench.engine.bench import Bench
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.engine.prepare.calibration import calibration_set
from sr_bench.engine.prepare.network import prepare
from sr_bench.system.cpu import cpu_model, usable_cores
from sr_bench.zoo.build import build

NETWORK = "lesrcnn_x2"
PRECISIONS = (
    Precision.FP32,
    Precision.FP16,
    Precision("int8_max"),
    Precision("int8_percentile"),
    Precision("int8_kl"),
)
Inputs = Sequence[NDArray[np.float32]]

CARD = """
schema = 1

[protocol.at_256]
base = "lesrcnn_seed"
input_shape = [256, 256]

[[model]]
name = "lesrcnn_x2"
row = "LESRCNN_x2"
scale = 2
architecture = "lesrcnn"
hyper = { n_feats = 64, multi_scale = false }
value_range = 1.0
cost = { rule = "standard", shape = "3x128x128" }
evaluation = [{ dataset = "judged", protocol = "at_256" }]

[model.checkpoint]
file = "lesrcnn_x2.pth"

[model.int8]
calibration = "crops"
"""

TABLE = """# LESRCNN

| Models | PSNR(dB) | SSIM |
| :--- | ---: | ---: |
| LESRCNN_x2 | 10.0 | 0.5 |
"""


def make_zoo(root: Path, count: int) -> Path:
    """Write a suite, its weights, `count` images and as many crops; return the suite's card."""
    suite = root / "lesrcnn"
    suite.mkdir()
    torch.manual_seed(0)
    architecture, hyper = NETWORKS[NETWORK]
    torch.save(build(architecture, hyper, SCALE).state_dict(), suite / f"{NETWORK}.pth")
    (suite / "README.md").write_text(TABLE)
    (suite / "card.toml").write_text(CARD)
    make_images(root / "datasets" / "judged", count)
    make_images(root / "datasets" / "crops", count, (256, 256))
    return suite / "card.toml"


def measure_matrix(card: Path, data: Path) -> None:
    """Measure all precisions in a session of its own."""
    chosen = Selection(data=data, precisions=PRECISIONS, threads=usable_cores())
    suite, bench = load_suite(card), Bench(chosen)
    for case in plan(suite, chosen):
        record = bench.evaluate(case, case.id, lambda *_: None)
        assert record.verdict.status not in (Status.ERROR, Status.NOT_RUN), record.verdict.sentence


def export(card: Path) -> None:
    """Write the network in fp32 to the cache."""
    ((model, _),) = load_suite(card).claims
    prepare(model, Precision.FP32, None, None).onnx()


def networks(card: Path, crops: ImageSet) -> Mapping[Precision, Path]:
    """Return the ONNX files that `measure_matrix` made, from the cache."""
    ((model, _),) = load_suite(card).claims
    images = calibration_set(model, crops, ())
    return {
        kind: prepare(model, kind, None, images if kind.dtype == "int8" else None).onnx()
        for kind in PRECISIONS
    }


def measure_floor(files: Mapping[Precision, Path], inputs: Inputs, crops: Inputs) -> None:
    """Run each network on all inputs, and fp32 on the crops."""
    infer(open_plain(files[Precision.FP32]), crops)
    for precision, path in files.items():
        artefact = Artefact(path, None, precision, "benchmark")
        with backend.open_session(artefact) as session, ThreadPoolExecutor(usable_cores()) as pool:
            list(pool.map(session.run, inputs))


def measure_peers(files: Mapping[Precision, Path], judged: Path, crops: Inputs) -> None:
    """Quantise by onnxruntime's three calibrators, and score all networks as scripts do."""
    import onnxruntime
    from onnxruntime.quantization import CalibrationMethod, quantize_static

    fp32 = files[Precision.FP32]
    name = open_plain(fp32).get_inputs()[0].name
    networks = [fp32, files[Precision.FP16]]
    for method in CalibrationMethod.MinMax, CalibrationMethod.Percentile, CalibrationMethod.Entropy:
        networks.append(fp32.with_suffix(f".{method.name}.onnx"))
        reader = Reader(name, ready(crops))
        quantize_static(fp32, networks[-1], reader, calibrate_method=method, per_channel=True)
    job = make_job(NETWORK, open_images(judged), SIDE)
    for path in networks:
        naive_scores(job, onnxruntime.InferenceSession(path), judged)


def inputs_of(images: ImageSet, side: int) -> Inputs:
    job = make_job(NETWORK, images, side)
    pairs = [job.pair(index) for index in range(len(images))]
    return [job.network_input(pair) for pair in pairs]


def compare(root: Path, card: Path, rounds: int, *, peers: bool) -> None:
    """Time the matrix and its floor in turns, and print the ratios."""
    data, exported = root / "datasets", root / "exported"
    seen = open_images(data / "crops")
    inputs, crops = inputs_of(open_images(data / "judged"), SIDE), inputs_of(seen, SIDE // 2)
    os.environ["SR_BENCH_CACHE"] = str(exported)
    alone = seconds(lambda: export(card))
    print(f"export: {alone[0]:.1f} s, CPU {alone[1]:.1f} s", flush=True)
    rows = []
    for number in range(rounds):
        cache = root / f"cache_{number}"
        copytree(exported, cache)
        os.environ["SR_BENCH_CACHE"] = str(cache)
        matrix = seconds(lambda: measure_matrix(card, data))
        files = networks(card, seen)
        floor = seconds(lambda files=files: measure_floor(files, inputs, crops))
        rows.append(matrix / floor)
        print_ratio(f"matrix {matrix[0]:.1f} s, floor {floor[0]:.1f} s", matrix / floor)
    print_ratio("medians", np.median(rows, axis=0))
    if peers:
        taken = seconds(lambda: measure_peers(files, data / "judged", crops))
        print_ratio("onnxruntime's calibrators and the naive loop", taken / floor)


def print_ratio(label: str, ratio: NDArray[np.float64]) -> None:
    print(f"{label}: wall x{ratio[0]:.3f}, CPU x{ratio[1]:.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="4 images, one round")
    parser.add_argument("--peers", action="store_true", help="also onnxruntime's tools; slow")
    args = parser.parse_args()
    count, rounds = (4, 1) if args.quick else (20, args.rounds)
    print(f"{cpu_model()}, {usable_cores()} cores, {count} images, {rounds} rounds")
    with tempfile.TemporaryDirectory() as temp:
        card = make_zoo(Path(temp), count)
        compare(Path(temp), card, rounds, peers=args.peers)


if __name__ == "__main__":
    main()
