"""How close int8 stays to fp32: fidelity by model, plan and mode, beside onnxruntime's calibrators.

Run: python benchmarks/fidelity.py [--models 'pocket_*'] [--datasets photos,set5] [--peers]
     with --weights and --data for networks and images that do not come with the project

For each model it prints a row for each plan and mode: fidelity (PSNR against the fp32 output, all
pixels) on average and of the worst image, of the border ring and of the inside, how far a ring lies
behind its inside at most, and the drop against the ground truth. ``all`` has every layer in int8,
``card`` is the card's plan. With ``--peers`` the same plans are also made by onnxruntime's
quantize_static, with the same images and its three calibrators; what it makes is run with the same
exact kernels; the column ``minmax`` says how far any image is above the one by MinMax at least.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import onnx

from sr_bench.core.backend import PRECISION_KEY, Artefact
from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.case import Case
from sr_bench.core.int8 import Gate, Int8Plan
from sr_bench.core.precision import Precision
from sr_bench.engine.job import ImageResult, quiet
from sr_bench.engine.measure.one_by_one import PairCache, run_job
from sr_bench.engine.measure.runs import Runs
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.errors import NotRunError
from sr_bench.precision.network import read_network
from sr_bench.precision.qdq import int8_share
from sr_bench.system.cpu import usable_cores

MODES = tuple(precision for precision in Precision.all() if precision.dtype == "int8")
PEERS = {
    "ort minmax": "MinMax",
    "ort percentile": "Percentile",
    "ort entropy": "Entropy",
}


@dataclass(frozen=True)
class Row:
    """What one mode of one plan keeps."""

    mode: str
    images: tuple[ImageResult, ...]
    full: tuple[ImageResult, ...]

    def text(self, other: "Row | None" = None) -> str:
        """Return the columns: mean, worst, ring, inside, worst ring below inside, drops.

        With the row of another network, also how far an image is above it at least.
        """
        close = [image.fidelity for image in self.images]
        mean, inside, ring = (
            np.mean([getattr(fidelity, name) for fidelity in close])
            for name in ("all_db", "inside_db", "ring_db")
        )
        worst = min(fidelity.all_db for fidelity in close)
        behind = max(fidelity.inside_db - fidelity.ring_db for fidelity in close)
        drops = [
            np.mean([full.scores[metric] - low.scores[metric] for full, low in self._pairs()])
            for metric in ("psnr", "ssim")
        ]
        return (
            f"{self.mode:16s} {mean:6.2f} {worst:6.2f} {ring:6.2f} {inside:6.2f} {behind:6.2f}"
            f" {drops[0]:8.4f} {drops[1]:9.5f}{self._above(other)}"
        )

    def _above(self, other: "Row | None") -> str:
        if other is None:
            return ""
        pairs = zip(self.images, other.images, strict=True)
        return f" {min(a.fidelity.all_db - b.fidelity.all_db for a, b in pairs):+6.2f}"

    def _pairs(self) -> Iterator[tuple[ImageResult, ImageResult]]:
        return zip(self.full, self.images, strict=True)


HEAD = "mode              mean   worst   ring  inside behind  drop dB drop SSIM minmax"


class Reader:
    """Hands out images one by one, as CalibStridedMinMax wants it."""

    def __init__(self, name: str, load: Sequence[Callable[[], np.ndarray]]) -> None:
        self._name, self._load = name, load
        self._left: Iterator[Callable[[], np.ndarray]] = iter(load)

    def __len__(self) -> int:
        return len(self._load)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Hand out these images next."""
        self._left = iter(self._load[start_index:end_index])

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next image."""
        load = next(self._left, None)
        return {self._name: load()} if load else None


def our_rows(runs: Runs, case: Case) -> Iterator[Row]:
    """Yield a row for each mode."""
    full = runs.of(replace(case, precision=Precision.FP32), quiet).images
    for mode in MODES:
        run = runs.of(replace(case, precision=mode), quiet)
        yield Row(mode, run.images, full)


def quantize_by_onnxruntime(
    source: Path, target: Path, reader: Reader, method: str, excluded: list[str]
) -> None:
    """Write `source` in int8 as onnxruntime's tools do, but for the nodes `excluded`."""
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    quantize_static(
        source,
        target,
        reader,
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=excluded,
        calibrate_method=CalibrationMethod[method],
        extra_options={"CalibStridedMinMax": 1},
    )


def peers(runs: Runs, case: Case, folder: Path) -> Iterator[Row]:
    """Yield a row for each of onnxruntime's calibrators."""
    full = runs.of(replace(case, precision=Precision.FP32), quiet).images
    prepared = runs.jobs.prepared(replace(case, precision=Precision("int8_max")))
    network = read_network(prepared.fp32_onnx())
    source, target = folder / "fp32.onnx", folder / "int8.onnx"
    onnx.save(network.model, source)
    excluded = {layer.node for layer in network.matching(case.card.int8.keep)}
    reader = Reader(network.input, prepared.calibration.inputs())
    for name, method in PEERS.items():
        quantize_by_onnxruntime(source, target, reader, method, list(excluded))
        model = onnx.load(target)
        model.metadata_props.add(key=PRECISION_KEY, value="int8")
        onnx.save(model, target)
        artefact = Artefact(target, None, Precision("int8_max"), "peer")
        fp32 = Artefact(source, None, Precision.FP32, "peer")
        with (
            runs.here.open_artefact(artefact, prepared) as low,
            runs.here.open_artefact(fp32, prepared) as reference,
        ):
            images = run_job(
                runs.jobs.job(case),
                low,
                pairs=PairCache(),
                threads=usable_cores(),
                progress=quiet,
                reference=reference,
            )
        yield Row(name, images, full)


def cases(card: ModelCard, datasets: Sequence[str]) -> Iterator[Case]:
    """Yield what is to be measured of `card`."""
    for slug in datasets:
        protocols = (e.protocol for e in card.evaluations if e.dataset == slug)
        evaluation = Evaluation(slug, next(protocols, card.usual_protocol))
        yield Case(card, "fidelity", Precision.FP32, "onnxruntime", evaluation)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="pocket_*")
    parser.add_argument("--datasets", default="photos")
    parser.add_argument("--plans", default="all,card")
    parser.add_argument("--suites", type=Path, default=Path("suites"))
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--peers", action="store_true")
    args = parser.parse_args()
    selection = Selection(weights=args.weights, data=args.data, threads=usable_cores())
    runs = Runs(selection, (Path("datasets").resolve(),))
    for path in sorted(args.suites.rglob("card.toml")):
        for card in load_suite(path).card.models:
            if not fnmatchcase(card.name, args.models):
                continue
            try:
                datasets, plans = args.datasets.split(","), args.plans.split(",")
                show(card, runs, datasets, plans, compare=args.peers)
            except NotRunError as cause:
                print(f"{card.name}: {cause}")


def show(
    card: ModelCard, runs: Runs, datasets: Sequence[str], plans: Sequence[str], *, compare: bool
) -> None:
    """Print the tables of one model."""
    for case in cases(replace(card, gate=Gate(0, 0, 0)), datasets):
        for name in plans:
            plan = card.int8 if name == "card" else Int8Plan()
            # Runs are told apart by the model's name: another name is another plan.
            planned = replace(case, card=replace(case.card, name=f"{card.name}.{name}", int8=plan))
            network = read_network(runs.jobs.prepared(planned).fp32_onnx())
            share = int8_share(network, network.matching(plan.keep))
            print(f"\n{card.name} on {case.dataset}, plan {name}: {100 * share:.2f} % int8")
            print(HEAD)
            minmax = None
            if compare:
                with tempfile.TemporaryDirectory() as folder:
                    for row in peers(runs, planned, Path(folder)):
                        minmax = minmax or row  # the first of PEERS
                        print(row.text(), flush=True)
            for row in our_rows(runs, planned):
                print(row.text(minmax), flush=True)


if __name__ == "__main__":
    main()
