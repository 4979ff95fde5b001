"""A model's page: its numbers, its gates, what its errors look like, and how it was made."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sr_bench.core.codec import encode
from sr_bench.core.dossier import Dossier
from sr_bench.core.record import Record
from sr_bench.report.html.explorer import PageData
from sr_bench.report.html.overview import RunHead
from sr_bench.report.html.subjects import PageSubject
from sr_bench.report.html.values import Past, Value, value_of
from sr_bench.report.parts.marks import MARKS
from sr_bench.report.parts.provenance import INTERVAL, device_lines, int8_lines, shared_lines
from sr_bench.report.parts.speed import Joined, join_speed
from sr_bench.report.terminal.dossier import dossier_lines
from sr_bench.report.terminal.gate import comparison_lines, gate_lines

_TOLD_ELSEWHERE = {
    "gate", "compared", "dossier", "adapter", "warning", "observer", "calibration_set",
    "calibration_images", "calibration_shared", "int8_share", "float_operators", "int8_rules",
    "int8_layers", "int8_kernel",
}  # fmt: skip
"""Keys of a record's detail that the page shows in their own way."""


@dataclass(frozen=True)
class Found:
    """The answer to one of a gate's questions, or to the comparison with an earlier run."""

    question: str
    status: str
    glyph: str
    sentence: str


@dataclass(frozen=True)
class GateView:
    """A gate of a precision."""

    precision: str
    status: str
    glyph: str
    emulated: bool
    findings: tuple[Found, ...]
    table: str
    """The same as the terminal shows it, with the worst images."""


@dataclass(frozen=True)
class RankedLayer:
    """A layer of a ranking."""

    name: str
    share: float
    """Of the MACs, in percent."""
    alone: str
    gain: str
    bar: float
    """The noise it makes, in percent of the noisiest layer's."""


@dataclass(frozen=True)
class DossierView:
    """Why a precision loses."""

    precision: str
    emulated: bool
    signs: tuple[str, ...]
    caption: str
    layers: tuple[RankedLayer, ...]
    closing: tuple[str, ...]
    """What would pass, and how long was searched."""


@dataclass(frozen=True)
class Detail:
    """Something else that a record holds, as text."""

    precision: str
    name: str
    text: str


@dataclass(frozen=True)
class Tile:
    """One picture of a crop."""

    label: str
    file: str


@dataclass(frozen=True)
class CropView:
    """A worst crop."""

    precision: str
    label: str
    against: str
    image: str
    number: int
    place: str
    """Corner and size in pixels, and the PSNR of the window."""
    focus: str
    """Left, top, width and height as shares of the image, for the explorer."""
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class NumberRow:
    """A row of the page's numbers."""

    value: Value
    speed: tuple[str, ...]
    """A cell for each of the page's `speed`; it stands in the first row of a precision."""


@dataclass(frozen=True)
class ModelPage:
    """All that a model's page shows."""

    head: RunHead
    page: str
    family: str
    model: str
    dataset: str
    protocol: str
    backend: str
    siblings: tuple[tuple[str, str], ...]
    """Label and page of the same model on other data sets."""
    trend: str
    rows: tuple[NumberRow, ...]
    speed: tuple[str, ...]
    """Titles of the columns for what was timed."""
    gates: tuple[GateView, ...]
    dossiers: tuple[DossierView, ...]
    details: tuple[Detail, ...]
    crops: tuple[CropView, ...]
    provenance: tuple[str, ...]
    warnings: tuple[str, ...]
    interval: str
    """What intervals are; empty if the page shows none."""
    missing: tuple[str, ...]
    kept: bool
    """Whether any record kept images."""
    data: PageData


def model_page(
    head: RunHead,
    subject: PageSubject,
    past: Past,
    siblings: tuple[tuple[str, str], ...],
    trend: str,
    missing: tuple[str, ...],
    pictures: tuple[tuple[CropView, ...], PageData],
) -> ModelPage:
    """Return the page of `subject`; `pictures` are its crops and what its explorer shows."""
    records = subject.records
    joined = join_speed(records)
    return ModelPage(
        head=head,
        page=subject.page,
        family=subject.family,
        model=subject.model,
        dataset=subject.dataset,
        protocol=subject.protocol,
        backend=subject.backend,
        siblings=siblings,
        trend=trend,
        rows=tuple(_rows(joined, past)),
        speed=tuple(column.title for column in joined.columns),
        gates=tuple(_gates(records)),
        dossiers=tuple(_dossiers(records)),
        details=tuple(dict.fromkeys(_details(records))),
        crops=pictures[0],
        provenance=tuple(int8_lines(records)),
        warnings=(*device_lines(records), *shared_lines(records)),
        interval=INTERVAL if any(record.interval for record in records) else "",
        missing=missing,
        kept=any(record.kept for record in records),
        data=pictures[1],
    )


def _rows(joined: Joined, past: Past) -> Iterator[NumberRow]:
    told = set()
    for index, record in enumerate(joined.rows):
        cells = tuple(column.cells[index] for column in joined.columns)
        if any(cells):
            first = record.precision not in told
            told.add(record.precision)
            cells = cells if first else ("",) * len(cells)
        yield NumberRow(value_of(record, past), cells)


def _gates(records: Sequence[Record]) -> Iterator[GateView]:
    for record in records:
        gate = record.detail.gate
        if gate is None:
            continue
        found = [
            Found(f.question, f.status.value, MARKS[f.status], f.sentence) for f in gate.findings
        ]
        lines = gate_lines(gate)
        for told in record.detail.compared:
            question = f"{told.metric} against the earlier run"
            found.append(Found(question, told.status.value, MARKS[told.status], told.sentence))
            lines += ["", question, *comparison_lines(told)]
        status = gate.status
        yield GateView(
            record.precision,
            status.value,
            MARKS[status],
            record.emulated,
            tuple(found),
            "\n".join(lines),
        )


def _dossiers(records: Sequence[Record]) -> Iterator[DossierView]:
    for record in records:
        dossier = record.detail.dossier
        if dossier is None:
            continue
        lines = [line for line in dossier_lines(dossier) if line]
        closing = lines[-2:] if dossier.layers else lines[-1:]
        caption = next((line for line in lines if line.startswith("layers by")), "")
        yield DossierView(
            record.precision,
            record.emulated,
            dossier.signs,
            caption,
            tuple(_layers(dossier)),
            tuple(closing),
        )


def _layers(dossier: Dossier) -> Iterator[RankedLayer]:
    lowest = min((layer.alone_db for layer in dossier.layers), default=0.0)
    for layer in dossier.layers:
        gain = "-" if layer.gain_db is None else f"{layer.gain_db:+.2f} dB"
        # Noise power against the noisiest layer's; inf dB is no noise at all.
        bar = 100 * 10 ** ((lowest - layer.alone_db) / 10) if lowest != float("inf") else 0.0
        yield RankedLayer(layer.layer, 100 * layer.share, f"{layer.alone_db:.2f} dB", gain, bar)


def _details(records: Sequence[Record]) -> Iterator[Detail]:
    for record in records:
        for name, value in record.detail.flat().items():
            if name not in _TOLD_ELSEWHERE:
                text = value if isinstance(value, str) else json.dumps(encode(value), indent=1)
                yield Detail(record.precision, name.replace("_", " "), text)
