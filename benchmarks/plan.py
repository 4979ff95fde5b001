"""A plan by search beside NNCF's accuracy control and a greedy search of onnxruntime's tools.

Run: python benchmarks/plan.py pocket_edsr_x2 --min-fidelity 52 [--seconds 60] [--suites suites]
     with --weights and --data as for the tests; NNCF takes part where nncf and openvino are

All three get one fp32 file, one calibration set and one goal: the fidelity of the worst of these
images. Ours keeps a margin to it, as unseen images are to reach it. Then each result is measured on
the images of --dataset, which none of them saw, in the runtime that it is for. The greedy search
leaves in float, one after the other, the layers that in float alone gain most; its clip ranges are
found once, with onnxruntime's MinMax. NNCF's own limit is the drop of a metric, here the worst
image's fidelity where fp32 counts as 100 dB; it takes the time that it needs. Times are of the
processor, all threads together. Plans are those that were made and measured.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from common import runner
from quantizers import Reader, import_nncf, ready

from sr_bench.cli._args.suites import find_model, load_suites
from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.case import Case
from sr_bench.core.found import Candidate
from sr_bench.core.precision import Precision
from sr_bench.engine.measure.runs import Runs
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.score.fidelity import fidelity
from sr_bench.engine.search.held_out import HeldOut
from sr_bench.engine.search.search import Limits, search
from sr_bench.files.onnx_open import open_on_cpu
from sr_bench.precision.network import Network, read_network

Run = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Task:
    """What all get."""

    network: Network
    goal_db: float
    seconds: float
    white: float
    seen: Sequence[np.ndarray]
    seen_full: Sequence[np.ndarray]
    other: Sequence[np.ndarray]
    other_full: Sequence[np.ndarray]

    def lowest(self, run: Run) -> float:
        """Return the worst fidelity on the calibration images."""
        return min(self.values(run, self.seen, self.seen_full))

    def values(self, run: Run, images: Sequence[np.ndarray], full: Sequence[np.ndarray]) -> list:
        """Return the fidelity of each image, or of its ring where that is lower."""
        pairs = zip(images, full, strict=True)
        close = [fidelity(run(x), y, white=self.white) for x, y in pairs]
        return [min(each.all_db, each.ring_db) for each in close]


def show(name: str, task: Task, run: Run, share: float, plans: int, seconds: float) -> None:
    """Print one row."""
    seen = task.values(run, task.seen, task.seen_full)
    other = task.values(run, task.other, task.other_full)
    print(
        f"{name:22s} {100 * share:6.2f} % {np.mean(seen):6.2f} {min(seen):6.2f}"
        f" {np.mean(other):6.2f} {min(other):6.2f} {plans:4d} plans {seconds:6.0f} s",
        flush=True,
    )


def plain(model: onnx.ModelProto) -> Run:
    """Return what plain onnxruntime makes of `model`."""
    return runner(open_on_cpu(model.SerializeToString()))


def ours(task: Task, given: Runs, card: ModelCard, precision: Precision) -> None:
    """Search as `sr-bench plan` does, from an empty cache: what calibrates counts too."""
    with TemporaryDirectory() as folder:
        os.environ["SR_BENCH_CACHE"] = folder
        runs, case = Runs(given.selection, ()), Case(card, "fidelity", precision, "onnxruntime")
        low, full = runs.jobs.prepared(case), runs.jobs.prepared(case.in_fp32)
        low.fp32_onnx()  # which the others get
        start = time.process_time()
        with HeldOut(runs.here, low, full) as held_out:
            how = (precision.calibration, Limits(task.goal_db), task.seconds, Candidate((), {}))
            found = search(held_out, *how, lambda _: None, clock=time.process_time)
        best = found.chosen or max(found.front, key=lambda one: one.unseen_db)
        int8 = replace(card.int8, skips=best.candidate.skips)
        maker = runs.jobs.prepared(replace(case, card=replace(card, int8=int8))).int8_maker()
        ranges = maker.ranges(precision.calibration, best.candidate.observers)
        model = maker.model(ranges, best.candidate.keep)
        spent = time.process_time() - start
    name = f"sr-bench {precision.calibration}" + ("" if found.chosen else " (short)")
    show(name, task, plain(model), best.int8_share, found.tried, spent)


def greedy(task: Task, folder: Path) -> None:
    """Leave layers in float by what each alone gains, with onnxruntime's quantizer."""
    from onnxruntime.quantization import CalibrationMethod, QuantType
    from onnxruntime.quantization.calibrate import create_calibrator
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
    from onnxruntime.quantization.registry import QDQRegistry

    start = time.process_time()
    source = folder / "fp32.onnx"
    onnx.save(task.network.model, source)
    types = list(QDQRegistry)
    calibrator = create_calibrator(
        source, types, str(folder / "augmented.onnx"), CalibrationMethod.MinMax
    )
    for x in task.seen:
        calibrator.collect_data(Reader(task.network.input, ready([x])))
    ranges = calibrator.compute_data()

    def made(excluded: Sequence[str]) -> Run:
        quantizer = QDQQuantizer(
            onnx.load(source), True, False, QuantType.QInt8, QuantType.QUInt8, ranges, [],
            list(excluded), types, {},
        )  # fmt: skip
        quantizer.quantize_model()
        return plain(quantizer.model.model)

    layers = [layer.node for layer in task.network.layers]
    gains = {}
    for node in layers:
        if time.process_time() - start > task.seconds:
            break
        gains[node] = task.lowest(made([node]))
    order = sorted(gains, key=lambda node: -gains[node])
    excluded: list[str] = []
    run = made(excluded)
    while task.lowest(run) < task.goal_db and len(excluded) < len(order):
        if time.process_time() - start > task.seconds:
            break
        excluded.append(order[len(excluded)])
        run = made(excluded)
    share = sum(layer.share for layer in task.network.layers if layer.node not in excluded)
    reached = task.lowest(run) >= task.goal_db
    name = "onnxruntime greedy" + ("" if reached else " (short)")
    plans = len(gains) + 1 + len(excluded)
    show(name, task, run, share, plans, time.process_time() - start)


def nncf_control(task: Task, folder: Path) -> None:
    """Quantise with NNCF until the worst image's fidelity is within its limit."""
    nncf = import_nncf()
    import openvino

    source = folder / "fp32.onnx"
    onnx.save(task.network.model, source)
    core = openvino.Core()
    network = core.read_model(source)

    def run_of(compiled: object) -> Run:
        return lambda x: compiled([x])[0]

    calls = 0

    def metric(compiled: object, items: object) -> tuple[float, list[float]]:
        nonlocal calls
        calls += 1
        run = run_of(compiled)
        pairs = [(item, task.seen_full[_index(task, item)]) for item in items]
        close = [fidelity(run(x), y, white=task.white) for x, y in pairs]
        values = [min(each.all_db, each.ring_db, 100.0) for each in close]
        return min(values), values

    images = nncf.Dataset(list(task.seen))
    start = time.process_time()
    quantised = nncf.quantize_with_accuracy_control(
        network,
        calibration_dataset=images,
        validation_dataset=images,
        validation_fn=metric,
        max_drop=100.0 - task.goal_db,
        drop_type=nncf.DropType.ABSOLUTE,
        subset_size=len(task.seen),
    )
    spent = time.process_time() - start
    run = run_of(core.compile_model(quantised, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}))
    reached = task.lowest(run) >= task.goal_db
    name = "NNCF" + ("" if reached else " (short)")
    show(name, task, run, _share(quantised, task.network), calls, spent)


def _index(task: Task, image: np.ndarray) -> int:
    return next(i for i, other in enumerate(task.seen) if np.array_equal(other, image))


def _share(model: object, network: Network) -> float:
    """Return the part of the multiplications whose convolution reads rounded values."""
    shares = {layer.node: layer.share for layer in network.layers}
    total = 0.0
    for node in model.get_ops():
        if "Convolution" not in node.get_type_name():
            continue
        before = node.input(0).get_source_output().get_node()
        if before.get_type_name() == "FakeQuantize":
            names = (node.get_friendly_name(), node.get_friendly_name().split("/WithoutBiases")[0])
            total += next((shares[name] for name in names if name in shares), 0.0)
    return total


def tasks(args: argparse.Namespace, runs: Runs, card: ModelCard) -> Iterator[Task]:
    """Yield what is to be done for each goal."""
    precision = Precision("int8_max")
    case = Case(card, "fidelity", precision, "onnxruntime")
    prepared = runs.jobs.prepared(case)
    network = read_network(prepared.fp32_onnx())
    full = plain(network.model)
    images = prepared.calibration
    loads = zip(images.names, images.inputs(), strict=True)
    # Those that stress a network are calibrated with by us, and no goal for any.
    seen = [load() for name, load in loads if name not in images.stress]
    job = runs.jobs.job(replace(case, evaluation=Evaluation(args.dataset, card.usual_protocol)))
    other = [job.network_input(job.pair(index)) for index in range(len(job.names))]
    white = card.output.with_white(card.usual_protocol.output_range).span
    for goal in args.min_fidelity:
        outputs = [full(x) for x in seen], [full(x) for x in other]
        yield Task(network, goal, args.seconds, white, seen, outputs[0], other, outputs[1])


def main() -> None:
    """Print a table for each goal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--min-fidelity", type=float, nargs="+", required=True)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--dataset", default="photos")
    parser.add_argument("--suites", type=Path, default=Path("suites"))
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--data", type=Path)
    args = parser.parse_args()
    runs = Runs(Selection(weights=args.weights, data=args.data, threads=1), ())
    card = find_model(load_suites([args.suites]), args.model)
    for task in tasks(args, runs, card):
        print(f"\n{args.model}, to reach {task.goal_db:g} dB: int8; mean, worst seen; not seen")
        for observer in ("max", "percentile"):
            ours(task, runs, card, Precision(f"int8_{observer}"))
        with TemporaryDirectory() as folder:
            greedy(task, Path(folder))
            try:
                nncf_control(task, Path(folder))
            except ImportError as cause:
                print(f"NNCF: {cause}")


if __name__ == "__main__":
    main()
