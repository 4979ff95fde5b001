"""What runtimes of others compute of one file: beside onnxruntime, in output and in time.

Run: python benchmarks/runtimes.py [--models 'pocket_*'] [--precisions fp32,int8_max] [--size 128]
     with --weights for networks that do not come with the project

Each network's file is opened by every runtime that is installed and offers its precision. On tops
of the images of `photos`, all take turns at each image, on one thread. For each it prints the PSNR
against onnxruntime's output of the same file and of the fp32 file, over all pixels and of the worst
image, and how many images it takes in the time of one of onnxruntime's, of the same file and of
the fp32 file, by medians over the rounds.
"""

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
from fidelity import cases

from sr_bench import discovery
from sr_bench.core.backend import Artefact, Session
from sr_bench.core.case import Case
from sr_bench.core.precision import Precision
from sr_bench.engine.measure.runs import Runs
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.errors import BackendError, NotRunError
from sr_bench.system.cpu import cpu_model, usable_cores

OURS = "onnxruntime"
OTHERS = ("openvino", "ncnn", "mnn", "tract")
HEAD = "runtime          same file  (worst)  fp32 file  (worst)    speed  of fp32  int8 layers"

Outputs = dict[str, list[np.ndarray]]
Times = dict[str, list[float]]


def images_of(runs: Runs, case: Case, size: int, count: int) -> Iterator[np.ndarray]:
    """Yield the network's inputs: the tops of the first images."""
    job = runs.jobs.job(case)
    for index in range(min(count, len(job.names))):
        yield np.ascontiguousarray(job.network_input(job.pair(index))[:, :, :size, :size])


def opened(artefacts: Sequence[Artefact], stack: ExitStack) -> Iterator[tuple[str, Session]]:
    """Yield the sessions of fp32 and of the low precision in onnxruntime, then those of others."""
    for name in (OURS, *OTHERS):
        backend = discovery.load("sr_bench.backends", name)
        for artefact in artefacts if name == OURS else artefacts[-1:]:
            try:
                session = stack.enter_context(backend.open_session(artefact))
            except (BackendError, NotRunError) as cause:
                print(f"{name:16s} {cause}")
            else:
                yield "fp32" if artefact is not artefacts[-1] else name, session


def take_turns(
    sessions: dict[str, Session], images: Sequence[np.ndarray], rounds: int
) -> tuple[Outputs, Times]:
    """Return each one's outputs, and its seconds for each image and round."""
    outputs = {name: [session.run(x) for x in images] for name, session in sessions.items()}
    times: Times = {name: [] for name in sessions}
    for image in list(images) * rounds:
        for name, session in sessions.items():
            start = time.perf_counter()
            session.run(image)
            times[name].append(time.perf_counter() - start)
    return outputs, times


def apart(outputs: Sequence[np.ndarray], others: Sequence[np.ndarray], white: float) -> str:
    """Return the PSNR over all pixels, and that of the worst image."""
    errors = [np.mean((a.astype(float) - b) ** 2) for a, b in zip(outputs, others, strict=True)]
    decibels = [10 * np.log10(white**2 / max(e, 1e-30)) for e in (np.mean(errors), max(errors))]
    return "{:10.1f} {:8.1f}".format(*decibels)


def show(runs: Runs, case: Case, precision: Precision, size: int, count: int, rounds: int) -> None:
    """Print the rows of one network in one precision."""
    kinds = dict.fromkeys([Precision.FP32, precision])
    prepared = [runs.jobs.prepared(Case(**{**vars(case), "precision": p})) for p in kinds]
    images = list(images_of(runs, case, size, count))
    print(f"\n{case.card.name} {precision}, {len(images)} images of {size}x{size}\n{HEAD}")
    with ExitStack() as stack:
        sessions = dict(opened([each.artefact() for each in prepared], stack))
        outputs, times = take_turns(sessions, images, rounds)
        medians = {name: statistics.median(seconds) for name, seconds in times.items()}
        full = "fp32" if "fp32" in sessions else OURS
        white = case.card.output.range[1]
        for name, session in sessions.items():
            against = [apart(outputs[name], outputs[other], white) for other in (OURS, full)]
            speeds = [medians[other] / medians[name] for other in (OURS, full)]
            notes = session.notes.get("int8_layers", "").partition(" int8")[0]
            print(f"{name:16s} {' '.join(against)} {speeds[0]:8.2f} {speeds[1]:8.2f}  {notes}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="pocket_*")
    parser.add_argument("--precisions", default="fp32,fp16,int8_max")
    parser.add_argument("--suites", type=Path, default=Path("suites"))
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--size", type=int, default=128, help="pixels of a side")
    parser.add_argument("--images", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    print(cpu_model(), *(f"{n} {discovery.load('sr_bench.backends', n).describe().version};"
                         for n in (OURS, *OTHERS)))  # fmt: skip
    selection = Selection(weights=args.weights, data=args.data, threads=usable_cores())
    runs = Runs(selection, (Path("datasets").resolve(),))
    for path in sorted(args.suites.rglob("card.toml")):
        for card in load_suite(path).card.models:
            if fnmatchcase(card.name, args.models):
                (case,) = cases(card, ["photos"])
                for word in args.precisions.split(","):
                    precision = Precision.parse_option(word)
                    show(runs, case, precision, args.size, args.images, args.rounds)


if __name__ == "__main__":
    main()
