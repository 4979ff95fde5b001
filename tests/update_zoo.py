"""A small zoo on disk, and sessions over it that never ran: any value can be measured."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sr_bench.core.card import ModelCard
from sr_bench.core.case import COST_METRICS
from sr_bench.core.claim import Blank, Claim
from sr_bench.core.history import Environment, PastSession, SessionInfo
from sr_bench.core.modes import UpdateMode
from sr_bench.core.record import ImageScore, Measurement, Record, Status, Verdict
from sr_bench.core.update import Update
from sr_bench.engine.judge.claim import judge
from sr_bench.engine.plan.suite import load_suite
from sr_bench.history.store import SessionStore
from sr_bench.update.documents import update_documents

README = """# Zoo

| Models | Source | Flops(G) | Params(M) | PSNR(dB) | SSIM |
| :-- | :-- | --: | --: | --: | --: |
| A | one | 1.00 | 2.0 | **30.10** | 0.9100 |
| A **vacc int8 max** | - | - | - | 29.50 | 0.8800 |
| B | two | 1.5 | - | - | 0.85 |

A tail that stays.
"""

CARD = """# The card.
schema = 1

[[model]]
name = "a_x2"
row = "A"
scale = 2
onnx = "a.onnx"
evaluation = [{ dataset = "set5", protocol = "paper_y" }]

[[model]]
name = "b_x2"
row = "B"
scale = 2
onnx = "b.onnx"
evaluation = [{ dataset = "set5", protocol = "paper_y" }]
"""

A, A8, B = "a_x2 fp32 psnr", "a_x2 int8_max psnr", "b_x2 fp32 ssim"
GAP = ('metric = "psnr"', 'precision = "fp32"')

INFO = SessionInfo(
    "20261121T091430-b65233",
    "2026-11-21T09:14:30+00:00",
    Environment({"numpy": "2.0"}, "3.11.9", "Linux", "cpu", 2, "abc123def456", {}),
)


@dataclass(frozen=True)
class Zoo:
    """A folder with one suite."""

    root: Path

    @property
    def readme(self) -> Path:
        return self.root / "zoo" / "README.md"

    @property
    def card(self) -> Path:
        return self.root / "zoo" / "card.toml"

    @property
    def ledger(self) -> Path:
        return self.root / "zoo" / "ledger.jsonl"

    @property
    def text(self) -> str:
        return self.readme.read_bytes().decode()

    def gap(self, model: str, *keys: str) -> None:
        """Give `model` a known gap with `keys`, such as ``metric = "psnr"``."""
        before, name, after = self.card.read_text().partition(f'name = "{model}"\n')
        body, header, rest = after.partition("\n[[model]]")
        lines = "\n".join(("[[model.known_gap]]", 'reason = "of one image"', *keys))
        self.card.write_text(f"{before}{name}{body}\n{lines}\n{header}{rest}")

    def edit(self, old: str, new: str) -> None:
        """Replace `old`, which must be in the README, by `new`."""
        assert old in self.text
        self.readme.write_bytes(self.text.replace(old, new).encode())

    def session(self, values: Mapping[str, float]) -> PastSession:
        """Return the session that measured and judged `values`, by ``model precision metric``."""
        suite = load_suite(self.card.relative_to(self.root))
        records = []
        for model, claims in suite.claims:
            for cell in (*claims, *suite.blanks.get(model.name, ())):
                name = f"{model.name} {cell.precision} {cell.metric}"
                records.append(record_of(model, cell, values.get(name)))
        path = self.root / "reports" / "latest.json"
        return PastSession(INFO, tuple(records), path, path.parent)

    def write(self, session: PastSession) -> Path:
        """Write `session` as a session does; return the path of its latest.json."""
        store = SessionStore(session.results, session.info)
        store.start()
        for record in session.records:
            store.add(record)
        return store.finish(session.records)


def make_zoo(root: Path) -> Zoo:
    (root / "zoo").mkdir(parents=True)
    zoo = Zoo(root)
    zoo.readme.write_text(README)
    zoo.card.write_text(CARD)
    return zoo


def record_of(model: ModelCard, cell: Claim | Blank, value: float | None) -> Record:
    claim = cell if isinstance(cell, Claim) else None
    cost = cell.metric in COST_METRICS
    measurement, verdict = None, Verdict(Status.NOT_RUN, "absent")
    if value is not None:
        scores = () if cost else (ImageScore("x", value), ImageScore("y", value))
        measurement = Measurement(cell.metric, "", value, scores, len(scores))
        tolerance = model.tolerance_for(cell.metric, cell.precision)
        gap = model.gap_for(cell.metric, cell.precision, "" if cost else "set5")
        verdict = judge(claim, measurement, tolerance=tolerance, gap=gap if claim else None)
    case = f"{model.name}-{cell.backend}-{cell.precision}-{cell.metric}"
    return Record(
        case_id=case,
        node_id=f"zoo/card.toml::{case}",
        family="zoo",
        model=model.name,
        metric=cell.metric,
        precision=cell.precision,
        dataset="" if cost else "set5_x2",
        backend=cell.backend or "onnxruntime",
        device="" if cost else "cpu",
        protocol="" if cost else "paper_y",
        fingerprint="f1" * 32,
        verdict=verdict,
        claim=claim,
        measurement=measurement,
        place=cell.source,
    )


def changed(session: PastSession, case: str, **fields: object) -> PastSession:
    """Return `session` with other `fields` in the records whose id ends with `case`."""
    chosen = [record for record in session.records if record.case_id.endswith(case)]
    assert chosen
    records = (replace(row, **fields) if row in chosen else row for row in session.records)
    return replace(session, records=tuple(records))


def update(session: PastSession, mode: UpdateMode = "failed", *, write: bool = True) -> Update:
    return update_documents(session, mode, reason="retrained", write=write)


def refused(session: PastSession, zoo: Zoo, mode: UpdateMode = "failed") -> str:
    """Return why nothing was updated, and check that nothing was."""
    before = {path: path.read_bytes() for path in zoo.readme.parent.iterdir()}
    result = update(session, mode)
    assert (result.edits, result.gaps, result.diff) == ((), (), "")
    assert {path: path.read_bytes() for path in zoo.readme.parent.iterdir()} == before
    (reason,) = result.refused
    return reason


def why(result: Update) -> dict[str, str]:
    return {place: left.why for left in result.left_out for place in left.what}


def partial(record: Record) -> Record:
    assert record.measurement is not None
    return replace(
        record,
        measurement=replace(record.measurement, planned=5),
        verdict=replace(record.verdict, status=Status.NOT_RUN, tolerance=None),
    )


def with_more(session: PastSession, *more: Record) -> PastSession:
    return replace(session, records=(*session.records, *more))


def only(session: PastSession) -> Record:
    (record,) = (record for record in session.records if record.measurement)
    return record
