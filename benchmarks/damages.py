"""Which damages to an int8 network are seen: by claims, by the gate's limits, by its baseline.

Run: python benchmarks/damages.py [--model pocket_edsr_x2] [--precision int8_percentile] [--more]

Each damage is done to the int8 ONNX file before it is measured, as a user's toolchain may do it. A
row says what it costs, who sees it, and which causes are named. ``--more`` adds further ones.

It exits with 1 if a damage is not seen, or a healthy mode is not within.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

from damage_kinds import LATER, MORE, TEN, Damage
from onnx import ModelProto

from sr_bench.core.case import GATE_METRIC, Case
from sr_bench.core.precision import Precision
from sr_bench.core.record import Record
from sr_bench.core.status import Status
from sr_bench.engine.bench import Bench
from sr_bench.engine.job import quiet
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.engine.prepare.int8 import Int8Maker

SUITE = Path(__file__).resolve().parent.parent / "suites" / "pocket" / "card.toml"


def records(name: str, precision: str, damage: Damage | None, seconds: float) -> list[Record]:
    """Return what a session measures of the model in `precision`, its file damaged."""
    write = Int8Maker.write

    def written(self: Int8Maker, model: ModelProto, target: Path) -> None:
        if damage:
            damage(model, self.network)
        write(self, model, target)

    suite = load_suite(SUITE)
    card, claims = next(pair for pair in suite.claims if pair[0].name == name)
    evaluation, kind = card.evaluations[0], Precision(precision)
    claimed = [Case(card, c.metric, kind, "onnxruntime", evaluation, c) for c in claims
               if (c.precision, c.backend) == (kind, "onnxruntime")]  # fmt: skip
    # Of a session of its own, as networks that were made before are other ones.
    chosen = Selection(explain_s=seconds, cache="off", session=uuid4().hex)
    with patch.object(Int8Maker, "write", written):
        bench = Bench(chosen, suite.card.manifest_folders)
        cases = [*claimed, Case(card, GATE_METRIC, kind, "onnxruntime", evaluation)]
        answers = [bench.evaluate(case, case.id, quiet) for case in cases]
        bench.close()
    return answers


def row(name: str, answers: list[Record]) -> str:
    """Return the line of the table."""
    *claims, gate = answers
    detail, seen = gate.detail, gate.measurement
    if detail.gate is None or detail.baseline is None or seen is None:
        return f"| {name} | - | - | - | error | - | - | {gate.verdict.sentence} |"
    failing = [claim.metric for claim in claims if claim.verdict.status is not Status.MATCH]
    why = detail.dossier.signs if detail.dossier else ()
    file = "damaged" if "file_faults" in detail.notes else "-"
    cause = detail.explanation_failed or "; ".join(
        sign.partition(":")[0] for sign in why if not sign.startswith("made again")
    )
    return (
        f"| {name} | {seen.value:.2f} | {-detail.gate.psnr.mean:+.3f}"
        f" | {', '.join(failing) or 'match'} | {detail.gate.status} | {detail.baseline.status}"
        f" | {file} | {cause} |"
    )


def healthy() -> Iterator[tuple[str, str]]:
    """Yield each pocket model and mode."""
    for card, _ in load_suite(SUITE).claims:
        for mode in ("int8_max", "int8_percentile", "int8_kl"):
            yield card.name, mode


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="pocket_edsr_x2")
    parser.add_argument("--precision", default="int8_percentile")
    parser.add_argument("--seconds", type=float, default=2.0, help="to search for causes")
    parser.add_argument("--more", action="store_true", help="damages beyond the ten")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SR_BENCH_CACHE"] = folder
        missed = list(table(args))
    print(f"not as expected: {', '.join(missed) or 'none'}")
    return bool(missed)


def table(args: argparse.Namespace) -> Iterator[str]:
    """Print the rows; yield what is not as expected."""
    print("| damage | fidelity | PSNR | claims | limits | baseline | file | named cause |")
    print("|---|--:|--:|---|---|---|---|---|")
    for name, damage in (TEN | (MORE | LATER if args.more else {})).items():
        answers = records(args.model, args.precision, damage, args.seconds)
        print(row(name, answers), flush=True)
        if answers[-1].verdict.status is not Status.LOSS:
            yield name
    for model, mode in healthy():
        answers = records(model, mode, None, 0.0)
        print(row(f"none: {model} {mode}", answers), flush=True)
        if answers[-1].verdict.status is not Status.WITHIN:
            yield f"{model} {mode}"


if __name__ == "__main__":
    sys.exit(main())
