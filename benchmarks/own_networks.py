"""What a first pass costs on top of bare inference, for networks of other people and sizes.

Run: python benchmarks/own_networks.py [--rounds 5] [--images 12]

PAN x4 and IMDN x3 are the classes of tests/foreign_zoos, VDSR is built in and gets LR enlarged by
4; all have random weights and run on `photos` by the protocol ``paper_y``, in fp32 by onnxruntime.
The two ways take turns: ``session.run`` on inputs that are ready, and the whole first pass, which
decodes, resizes, runs and scores. Printed are medians of the ratios.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from evaluation import seconds
from numpy.typing import NDArray

from sr_bench.backends import onnxruntime as backend
from sr_bench.cards.load import load_card
from sr_bench.cards.protocol_files import load_protocol
from sr_bench.core.backend import Artefact, Session
from sr_bench.core.card import ModelCard
from sr_bench.core.precision import Precision
from sr_bench.data.locate import load_dataset
from sr_bench.data.source import open_dataset
from sr_bench.engine.job import Job, quiet
from sr_bench.engine.measure.one_by_one import PairCache, run_job
from sr_bench.export.to_onnx import export_onnx
from sr_bench.system.cpu import cpu_model, usable_cores
from sr_bench.zoo.build import build_network

ROOT = Path(__file__).resolve().parent.parent


def networks() -> Iterator[ModelCard]:
    for suite, name in (("pan", "pan_x4"), ("imdn", "imdn_x3")):
        models = load_card(ROOT / "tests" / "foreign_zoos" / suite / "card.toml").models
        yield next(replace(model, trusted=True) for model in models if model.name == name)
    (vdsr,) = load_card(ROOT / "suites" / "vdsr" / "card.toml").models
    yield replace(vdsr, scale=4, input=replace(vdsr.input, enlarged="matlab_bicubic"))


def job_of(card: ModelCard, images: int) -> Job:
    photos = open_dataset(load_dataset("photos", ()), scale=card.scale)
    part = replace(photos, items=photos.items[:images])
    return Job(card, load_protocol("paper_y"), part)


def ratio(job: Job, session: Session, *, bare_first: bool) -> NDArray[np.float64]:
    """Return wall and CPU time of the first pass on the images of `job`, as multiples of bare."""
    threads = usable_cores()
    inputs = [job.network_input(job.pair(index)) for index in range(len(job.names))]

    def bare() -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(session.run, inputs))

    def first() -> None:
        run_job(job, session, pairs=PairCache(), threads=threads, progress=quiet)

    times = {way: seconds(way) for way in ((bare, first) if bare_first else (first, bare))}
    turn: NDArray[np.float64] = times[first] / times[bare]
    return turn


def ratios(card: ModelCard, images: int, rounds: int, folder: Path) -> str:
    path = folder / f"{card.name}.onnx"
    export_onnx(build_network(card).eval(), path, card.input)
    job = job_of(card, images)
    with backend.open_session(Artefact(path, None, Precision.FP32, "benchmark")) as session:
        for index in range(len(job.names)):
            session.run(job.network_input(job.pair(index)))  # the first run allocates
        turns = [ratio(job, session, bare_first=bool(turn % 2)) for turn in range(rounds)]
    wall, cpu = zip(*turns, strict=True)
    low, high = min(wall), max(wall)
    middle = statistics.median(wall)
    return f"wall {middle:.3f} ({low:.2f} to {high:.2f}), CPU {statistics.median(cpu):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    print(f"{cpu_model()}, {usable_cores()} cores; first pass / bare inference")
    with tempfile.TemporaryDirectory() as folder:
        for card in networks():
            print(f"{card.name}: {ratios(card, args.images, args.rounds, Path(folder))}")


if __name__ == "__main__":
    main()
