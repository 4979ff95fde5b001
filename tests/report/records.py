"""Synthetic records of the shipped documents, as a session makes them."""

from dataclasses import replace
from pathlib import Path

from sr_bench.core.case import COST_METRICS
from sr_bench.core.claim import Claim, Source
from sr_bench.core.device import Profile
from sr_bench.core.precision import Precision
from sr_bench.core.record import ImageScore, Measurement, Record, Status, Verdict
from sr_bench.document.tables import read_document
from tests.reading import read_claims

CLAIM = Claim("psnr", "30.10", "M", "", Precision.FP32, "", "", "", Source("README.md", 7, 22))


def record(
    claim: Claim | None = CLAIM,
    value: float | None = 30.104,
    *,
    status: Status = Status.MATCH,
    tolerance: float | None = 0.005,
    metric: str = "psnr",
) -> Record:
    """Return the record of a claim that was measured as `value` and judged."""
    metric = claim.metric if claim else metric
    cost = metric in COST_METRICS
    measurement = None
    if value is not None:
        scores = () if cost else (ImageScore("a", value), ImageScore("b", value))
        measurement = Measurement(metric, "", value, scores, len(scores))
    return Record(
        case_id="m",
        node_id="zoo/card.toml::m",
        family="zoo",
        model="m_x2",
        metric=metric,
        precision=claim.precision if claim else "fp32",
        dataset="" if cost else "set5_x2",
        backend="onnxruntime",
        device="" if cost else "cpu",
        protocol="" if cost else "paper_y",
        fingerprint="",
        verdict=Verdict(status, "a reason", value, claim.value if claim else None, tolerance),
        claim=claim,
        measurement=measurement,
    )


def without_value(base: Record, sentence: str = "absent") -> Record:
    """Return `base` without a measurement."""
    verdict = Verdict(Status.NOT_RUN, sentence, claimed=base.verdict.claimed)
    return replace(base, verdict=verdict, measurement=None, device="")


def emulated(base: Record) -> Record:
    """Return `base`, a device's row, as an emulation of the device leaves it: shown, not judged."""
    verdict = replace(base.verdict, status=Status.NOT_RUN, tolerance=None)
    return replace(base, verdict=verdict, backend="vacc", device="emulated")


def with_interval(base: Record, other: float) -> Record:
    """Return `base` as int8 of an emulated device, with the value of the finer reading."""
    assert base.measurement is not None
    notes = {**base.measurement.notes, Profile.FINE: other}
    return replace(base, device="emulated", measurement=replace(base.measurement, notes=notes))


def records_of(readme: Path) -> list[Record]:
    """Return a matching record for each number of the document, digits beyond it included."""
    records = []
    for claim in read_claims(read_document(readme)):
        value = claim.value + 0.4 * claim.half_step
        records.append(replace(record(claim, value), family=readme.parent.name))
    return records
