"""A session with kept images, as small as can be: two models in three precisions on four images."""

import json
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sr_bench.core.claim import Claim, Source
from sr_bench.core.codec import encode
from sr_bench.core.detail import Detail
from sr_bench.core.device import Profile
from sr_bench.core.gate import Drop, GateFinding, GateImage, GateVerdict
from sr_bench.core.history import Environment, HistoryEntry, PastSession, SessionInfo, point
from sr_bench.core.int8 import Gate
from sr_bench.core.precision import Precision
from sr_bench.core.record import (
    SCHEMA_VERSION,
    ImageScore,
    Kept,
    Measurement,
    Record,
    Status,
    Verdict,
)
from sr_bench.imaging.files import write_png
from sr_bench.report.html.build import MAX_BYTES, ReportResult, build_report

SIDE = 96
COUNT = 4
NAMES = tuple(f"image_{number}" for number in range(COUNT))
PRECISIONS = ("fp32", "fp16", "int8_max")
NOISE = {"fp32": 4.0, "fp16": 1.0, "int8_max": 3.0}
ENVIRONMENT = Environment({"torch": "2.13"}, "3.11.7", "Linux x86_64", "a CPU", 2, "abc123")
SPOT = (16, 24)
"""Top and left of the window that `spoil` makes worst."""


def info(number: int = 9, environment: Environment = ENVIRONMENT) -> SessionInfo:
    """Return session number `number` of a month."""
    day = f"{number:02d}"
    return SessionInfo(f"202611{day}T091430-b65233", f"2026-11-{day}T09:14:30+00:00", environment)


def scored(model: str, precision: str, metric: str, *, family: str = "zoo") -> Record:
    """Return a record of PSNR or SSIM with its images, which were kept."""
    base = {"psnr": 30.0, "ssim": 0.9}[metric] - 0.01 * PRECISIONS.index(precision)
    scores = tuple(
        ImageScore(name, base - 0.001 * number * PRECISIONS.index(precision))
        for number, name in enumerate(NAMES)
    )
    text = f"{base:.3f}"
    row = Claim(
        metric, text, model, "", Precision(precision), "", "", "", Source("README.md", 7, 22)
    )
    return Record(
        case_id=f"{model}-{precision}-set_x2-{metric}",
        node_id=f"zoo/card.toml::{model}-{precision}-set_x2-{metric}",
        family=family,
        model=model,
        metric=metric,
        precision=precision,
        dataset="set_x2",
        backend="onnxruntime",
        device="cpu",
        protocol="paper_y",
        fingerprint="f" * 64,
        verdict=Verdict(Status.MATCH, "agrees", base, float(text), 0.0005),
        claim=row,
        measurement=Measurement(metric, "", base, scores, COUNT, notes={"bicubic": base - 1}),
        inputs={"data": "d" * 64},
        kept=Kept(f"outputs/{model}-{precision}", "outputs/pairs"),
    )


def gated(model: str, precision: str, status: Status = Status.WITHIN) -> Record:
    """Return the record of a gate; image 2 is the least faithful."""
    better = 10.0 if precision == "fp16" else 0.0
    fidelity = tuple(value + better for value in (60.0, 59.0, 50.0, 58.0))
    images = tuple(
        GateImage(name, value, value, value, 0.01, 0.001)
        for name, value in zip(NAMES, fidelity, strict=True)
    )
    drop = Drop(0.01, 0.005, 0.015, 0.01, (0.01,) * COUNT)
    questions = ("fidelity", "psnr", "ssim")
    findings = tuple(GateFinding(question, status, f"about {question}") for question in questions)
    gate = GateVerdict(status, "a gate", Gate(45, 0.1, 0.005), findings, drop, drop, images)
    base = scored(model, precision, "psnr")
    scores = tuple(map(ImageScore, NAMES, fidelity))
    return replace(
        base,
        case_id=f"{model}-{precision}-set_x2-fidelity",
        metric="fidelity",
        verdict=Verdict(status, "a gate", 56.75),
        claim=None,
        measurement=Measurement("fidelity", "dB", 56.75, scores, COUNT),
        detail=Detail(gate=gate),
    )


def cost(model: str) -> Record:
    """Return the record of a model's parameters."""
    base = scored(model, "fp32", "psnr")
    return replace(
        base,
        case_id=f"{model}-fp32-params",
        metric="params",
        dataset="",
        device="",
        protocol="",
        verdict=Verdict(Status.MATCH, "agrees", 0.0899, 0.0899, 0.00005),
        claim=replace(base.claim, metric="params", text="0.0899"),
        measurement=Measurement("params", "M", 0.0899, exact=89_900),
        kept=None,
    )


def records_of(*models: str) -> list[Record]:
    """Return all records of each of `models`."""
    records = []
    for model in models:
        records += [scored(model, p, m) for p in PRECISIONS for m in ("psnr", "ssim")]
        records += [gated(model, precision) for precision in PRECISIONS[1:]]
        records.append(cost(model))
    return records


def with_mae(model: str) -> list[Record]:
    """Return the records of `model`, and its MAE: worst on image 1, and of fp16 above int8."""
    records = records_of(model)
    for precision, rise in zip(PRECISIONS, (0.0, 0.2, 0.1), strict=True):
        values = (2.0 + rise, 3.0 + 2 * rise, 2.5, 2.5)
        base = scored(model, precision, "psnr")
        scores = tuple(map(ImageScore, NAMES, values))
        base = replace(base, metric="mae", case_id=f"{model}-{precision}-set_x2-mae", claim=None)
        measurement = Measurement("mae", "levels", 2.5, scores, COUNT)
        records.append(replace(base, measurement=measurement))
    return records


def lower(record: Record, by: float, folder: str = "") -> Record:
    """Return `record` from another network, worse by `by`, with outputs in another folder."""
    if record.measurement is None or not record.measurement.images:
        return record
    images = tuple(
        replace(score, value=score.value - by * (1 + number % 2) - 1e-6 * number)
        for number, score in enumerate(record.measurement.images)
    )
    value = sum(score.value for score in images) / len(images)
    measurement = replace(record.measurement, images=images, value=value)
    kept = Kept(folder, record.kept.pairs) if folder else record.kept
    inputs = {**record.inputs, "network": sha256(str(by).encode()).hexdigest()}
    return replace(
        record, measurement=measurement, kept=kept, inputs=inputs, fingerprint=str(inputs)
    )


def emulated(record: Record) -> Record:
    """Return `record` as an emulated device leaves it, with an interval."""
    notes = {**record.measurement.notes, Profile.FINE: record.measurement.value + 0.02}
    measurement = replace(record.measurement, notes=notes)
    return replace(record, device="emulated", measurement=measurement)


def past_session(results: Path, records: list[Record], number: int = 9) -> PastSession:
    """Return the session of `records`, as it is read from `results`."""
    return PastSession(info(number), tuple(records), results / "latest.json", results)


def squeezed(session: PastSession, wanted: str) -> ReportResult:
    """Build the report with less and less room until it counts an image as `wanted`."""
    build = partial(build_report, session, (), session.results / "html")
    result, budget = build(), MAX_BYTES
    while getattr(result, wanted) == 0:
        budget = min(budget, result.size + 40_000) - 12_000
        result = build(max_bytes=budget)
        assert result.size <= budget
    return result


def history_of(records: list[Record], days: int = 3) -> list[HistoryEntry]:
    """Return sessions of the same records; another torch on the last day, and other data."""
    sessions = []
    for day in range(1, days + 1):
        last = day == days
        environment = replace(ENVIRONMENT, packages={"torch": "2.14"}) if last else ENVIRONMENT
        inputs = {"data": ("e" if last else "d") * 64}
        points = tuple(point(replace(record, inputs=inputs)) for record in records)
        sessions.append(HistoryEntry(info(day, environment), points))
    return sessions


def write_run(session: PastSession, history: list[HistoryEntry]) -> Path:
    """Write what `sr-bench report` reads, and return the path of ``latest.json``."""
    head = {"schema_version": SCHEMA_VERSION, **encode(session.info)}
    folder = session.results / "history"
    folder.mkdir(parents=True, exist_ok=True)
    session.path.write_text(json.dumps({**head, "records": encode(session.records)}))
    lines = [json.dumps({"schema_version": SCHEMA_VERSION, **encode(entry)}) for entry in history]
    (folder / "index.jsonl").write_text("".join(line + "\n" for line in lines))
    return session.path


def keep_images(results: Path, records: list[Record], side: int = SIDE) -> None:
    """Write the images that `records` name: noise over a ramp, the same for the same name."""
    for kept in dict.fromkeys(record.kept for record in records if record.kept):
        precision = kept.sr.rsplit("-", 1)[1]
        for number in range(COUNT):
            hr = _ramp(number, side)
            pairs, sr = results / kept.pairs, results / kept.sr
            write_png(pairs / f"{number:04d}-hr.png", hr)
            write_png(pairs / f"{number:04d}-lr.png", np.ascontiguousarray(hr[::2, ::2]))
            write_png(sr / f"{number:04d}.png", _noisy(hr, NOISE[precision], number))


def spoil(path: Path) -> None:
    """Make a window of 64 pixels at `SPOT` worse than any other of the image."""
    image = cv2.imread(str(path))
    top, left = SPOT
    image[top : top + 64, left : left + 64] ^= 32
    cv2.imwrite(str(path), image)


def deepen(path: Path) -> None:
    """Turn an image into one of 16 bits per channel, of the same look."""
    image = cv2.imread(str(path))
    cv2.imwrite(str(path), image.astype(np.uint16) * 257)


def _ramp(number: int, side: int) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:side, :side]
    channels = [rows + 8 * number, columns, (rows + columns) // 2]
    return (np.stack(channels, axis=2) % 200 + 20).astype(np.uint8)


def _noisy(image: NDArray[np.uint8], amount: float, number: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(number).normal(0, amount, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)
