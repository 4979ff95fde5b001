"""How close int8 stays to fp32 and what it costs, by model and mode, beside other quantisers.

Run: python benchmarks/fidelity.py [--models 'pocket_*'] [--datasets photos,set5]
         [--peers minmax percentile entropy nncf] [--out rows.jsonl]
     with --weights and --data for networks and images that do not come with the project, and
     --card FILE for a card that is in no suite; it may be of an ONNX file

A row for each dataset, plan and mode: fidelity (PSNR against the fp32 output, all pixels) on
average and of the worst image, of the border ring and of the inside, how far a ring lies behind its
inside at most, the drop against the ground truth, the part of the multiply-accumulates that plain
onnxruntime runs in integers, and its speed in times that of fp32: one thread, --size pixels of a
side, medians of --rounds in which all files take turns in one process. ``card`` is the card's plan,
``all`` has every layer in int8. A peer gets the same fp32 file, the same layers to leave in float
and the same images, or of these the photographs alone, without the drawn ones that make every step
of MinMax coarse; what it makes is run as ours is. Below are the cells, and the images, where ours
is worse. With --out a run that ends early keeps its rows, and the next one goes on. At last come
the tables of docs/explanation/quantisation.md, of all rows that were kept.
"""

import argparse
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
from common import in_turns, open_plain, runner
from fidelity_table import HEAD, Kept, markdown, row_of, worse
from quantizers import QUANTIZERS, Quantizer, Wanted

from sr_bench.cards.load import load_card
from sr_bench.core.card import Evaluation, ModelCard
from sr_bench.core.case import Case
from sr_bench.core.int8 import Gate
from sr_bench.core.precision import Precision
from sr_bench.engine.job import quiet
from sr_bench.engine.measure.runs import Runs
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.code_digest import measuring
from sr_bench.engine.prepare.network import Prepared
from sr_bench.errors import SrBenchError
from sr_bench.files.hashing import sha256_json
from sr_bench.precision.network import read_network
from sr_bench.system.cpu import cpu_model, usable_cores

INT8 = tuple(precision for precision in Precision.all() if precision.dtype == "int8")
SEEN = {"all": "", "photographs": ", photographs"}
"""Which calibration images a peer gets, and what its row is called then. Of ours, no observer sees
the drawn ones: ranges are widened for them where a network needs it."""
ANY = Precision("int8_max")
"""As which a peer's file is measured; its ranges are the peer's."""


@dataclass(frozen=True)
class Bench:
    """What is measured of each model."""

    runs: Runs
    modes: Sequence[Precision]
    peers: Mapping[str, tuple[Quantizer, bool]]
    """By the title of a row; whether it sees the drawn images too."""
    size: int
    rounds: int

    def contenders(self, case: Case) -> Iterator[tuple[str, Case]]:
        """Yield what each row is called, and the case whose run answers it."""
        for mode in self.modes:
            yield str(mode), replace(case, precision=mode)
        prepared = self.runs.jobs.prepared(replace(case, precision=ANY))
        assert prepared.calibration is not None
        for title, (peer, drawn) in self.peers.items():
            if not drawn and not prepared.calibration.stress:
                continue  # it would be the same again
            try:
                path = self._made(title, peer, prepared, drawn=drawn)
            except Exception as cause:  # they raise whatever there is
                print(f"{title}: {type(cause).__name__}: {cause}")
            else:
                card = replace(case.card, name=f"{case.card.name}.{title}")
                card = replace(card, onnx_by_precision={ANY: path})
                yield title, replace(case, card=card, precision=ANY)

    def _made(self, title: str, peer: Quantizer, prepared: Prepared, *, drawn: bool) -> Path:
        """Return the file that `peer` makes, kept by what it is made from."""
        card, images = prepared.card, prepared.calibration
        loads = zip(images.names, images.inputs(), strict=True)
        seen = [load for name, load in loads if drawn or name not in images.stress]

        def make(target: Path) -> None:
            network = read_network(prepared.fp32_onnx())
            source = target.with_suffix(".fp32.onnx")
            onnx.save(network.model, source)
            excluded = [layer.node for layer in network.matching(card.int8.keep)]
            peer.write(Wanted(source, seen, excluded), target)
            source.unlink()

        # Our code decides what the images are like.
        made_from = sha256_json([title, peer.version, prepared.inputs, measuring()])
        return prepared.kept.file(f"peers/{made_from}.onnx", make)

    def speeds(self, full: Path, files: Mapping[str, Path]) -> Mapping[str, float]:
        """Return the speed of plain onnxruntime with each file, times that with the `full` one."""
        if not self.rounds:
            return {}
        sessions = {name: open_plain(path) for name, path in {"": full, **files}.items()}
        dims = zip(sessions[""].get_inputs()[0].shape, (1, 3, self.size, self.size), strict=True)
        shape = [dim if isinstance(dim, int) else free for dim, free in dims]
        image = np.random.default_rng(0).random(shape, np.float32)
        calls = {name: partial(runner(session), image) for name, session in sessions.items()}
        times = in_turns(calls, self.rounds)
        ratios = {name: np.divide(times[""], taken) for name, taken in times.items()}
        return {name: statistics.median(each) for name, each in ratios.items()}


def measure(bench: Bench, card: ModelCard, plan: str, datasets: Sequence[str], kept: Kept) -> None:
    """Print the rows of one plan of one model on each dataset; its speed is measured once."""
    speeds: Mapping[str, float] = {}
    for case in cases(card, datasets):
        table = (card.name.rpartition(".")[0], case.on_images.dataset, plan)
        print(f"\n{' '.join(table)}\n{HEAD}", flush=True)
        contenders, jobs = dict(bench.contenders(case)), bench.runs.jobs
        if contenders.keys() - {row.by for row in kept.of(table)}:
            files = {by: jobs.prepared(each).onnx() for by, each in contenders.items()}
            full = bench.runs.of(case.in_fp32, quiet).images
            speeds = speeds or bench.speeds(jobs.prepared(case.in_fp32).fp32_onnx(), files)
            for by, each in contenders.items():
                run = bench.runs.of(each, quiet)
                share = run.provenance.get("integer_share")
                told = float(share) if share else None
                kept.add(row_of(table, by, run.images, full, told, speeds.get(by)))
                print(kept.rows[-1].text(), flush=True)
        else:
            print(*(row.text() for row in kept.of(table)), sep="\n")
        print(*worse(kept.of(table)), sep="\n")


def cases(card: ModelCard, datasets: Sequence[str]) -> Iterator[Case]:
    """Yield what is to be measured of `card`."""
    for slug in datasets:
        protocols = (e.protocol for e in card.evaluations if e.dataset == slug)
        evaluation = Evaluation(slug, next(protocols, card.usual_protocol))
        yield Case(card, "fidelity", Precision.FP32, "onnxruntime", evaluation)


def planned(card: ModelCard, plan: str) -> ModelCard:
    """Return `card` with the plan of that name, and a gate, so that fidelity is measured."""
    int8 = card.int8 if plan == "card" else replace(card.int8, keep=(), observers={})
    # Runs are told apart by the model's name: another name is another plan.
    return replace(card, name=f"{card.name}.{plan}", int8=int8, gate=Gate(0, 0, 0))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="pocket_*", help="names or patterns, in commas")
    parser.add_argument("--datasets", default="photos", help="in commas")
    parser.add_argument("--plans", nargs="+", choices=("card", "all"), default=["card"])
    parser.add_argument("--modes", nargs="+", type=Precision, choices=INT8, default=INT8)
    parser.add_argument("--peers", nargs="+", choices=QUANTIZERS, default=[])
    parser.add_argument("--seen", nargs="+", choices=SEEN, default=list(SEEN), help="by peers")
    parser.add_argument("--suites", type=Path, default=Path("suites"))
    parser.add_argument("--card", type=Path, nargs="+", default=[], help="whose code is run")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--size", type=int, default=128, help="pixels of a side, for speed")
    parser.add_argument("--rounds", type=int, default=7, help="for speed; 0: none")
    parser.add_argument("--out", type=Path, help="keeps rows, as lines of JSON")
    args = parser.parse_args()
    print(f"{cpu_model()}, {usable_cores()} cores, onnxruntime {version('onnxruntime')}")
    selection = Selection(weights=args.weights, data=args.data, threads=usable_cores())
    runs = Runs(selection, (Path("datasets").resolve(),))
    bench = Bench(runs, args.modes, peers_of(args), args.size, args.rounds)
    kept = Kept(args.out)
    try:
        cards = chosen(args)
    except SrBenchError as cause:
        parser.error(str(cause))
    for card in cards:
        for plan in args.plans:
            try:
                measure(bench, planned(card, plan), plan, args.datasets.split(","), kept)
            except SrBenchError as cause:
                print(f"{card.name}: {cause}")
    if kept.rows:
        print("", *markdown(kept), sep="\n")


def chosen(args: argparse.Namespace) -> list[ModelCard]:
    """Return the models that are asked for.

    Raises:
        SrBenchError: A card has faults.
    """
    given = [replace(model, trusted=True) for path in args.card for model in load_card(path).models]
    paths = sorted(args.suites.rglob("card.toml"))
    known = [model for path in paths for model in load_card(path).models]
    names = args.models.split(",")
    found = [card for card in (*given, *known) if any(fnmatchcase(card.name, n) for n in names)]
    if not found:
        print(f"no model is called {args.models}")
    return found


def peers_of(args: argparse.Namespace) -> dict[str, tuple[Quantizer, bool]]:
    """Return the quantisers that are asked for and installed, by the title of their rows."""
    peers = [QUANTIZERS[name] for name in args.peers]
    for peer in peers:
        if not peer.version:
            print(f"{peer.title} is not installed: left out (pip install {peer.package})")
    here = [peer for peer in peers if peer.version]
    return {peer.title + SEEN[seen]: (peer, seen == "all") for peer in here for seen in args.seen}


if __name__ == "__main__":
    main()
