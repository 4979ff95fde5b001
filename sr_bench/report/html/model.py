"""A model's page: its numbers, its gates, what its errors look like, and how it was made."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from sr_bench.core.baseline import Held
from sr_bench.core.codec import encode
from sr_bench.core.dossier import Dossier, LayerBlame
from sr_bench.core.gate import Comparison, GateFinding
from sr_bench.core.history import SessionInfo
from sr_bench.core.record import Record, Status
from sr_bench.report.hooks import Additions, Section
from sr_bench.report.html.explorer import PageData
from sr_bench.report.html.subjects import PageSubject, Topic
from sr_bench.report.html.values import Past, Value, all_emulated, ran, value_of
from sr_bench.report.parts.order import by_need
from sr_bench.report.parts.provenance import (
    INTERVAL,
    device_lines,
    int8_lines,
    lr_lines,
    shared_lines,
)
from sr_bench.report.parts.speed import Joined, join_speed
from sr_bench.report.terminal.dossier import dossier_lines
from sr_bench.report.terminal.gate import (
    comparison_lines,
    explanation_failed,
    gate_lines,
    held_lines,
)

# Keys of a record's detail that the page shows in their own way.
_SHOWN_ELSEWHERE = {
    "gate", "baseline", "compared", "dossier", "adapter", "warning", "observer", "calibration_set",
    "calibration_images", "calibration_shared", "int8_share", "integer_share", "float_operators",
    "int8_rules", "int8_layers", "int8_kernel", "given_file", "printed_as", "lr_made_by",
    "input_fit", "weights", "missing",
}  # fmt: skip


@dataclass(frozen=True)
class GateView:
    """A gate of a precision."""

    precision: str
    worst: str
    """Status of the first finding."""
    status: str
    """The verdict's: another one than `worst` where the two readings of a device disagree."""
    sentence: str
    emulated: bool
    findings: tuple[tuple[str, str], ...]
    """Status and sentence of each of its questions, and of the comparison with an earlier run;
    the worst first."""
    table: str
    """The same as the terminal shows it, with the worst images."""


@dataclass(frozen=True)
class DossierView:
    """Why a precision loses."""

    precision: str
    emulated: bool
    signs: tuple[str, ...]
    caption: str
    layers: tuple[tuple[LayerBlame, float], ...]
    """Each with the noise it makes, in percent of the noisiest layer's."""
    closing: tuple[str, ...]
    """What would pass, and how long was searched."""


@dataclass(frozen=True)
class CropView:
    """A worst crop."""

    precision: str
    label: str
    number: int
    """Of the image, in the page's order."""
    place: str
    """Corner and size in pixels, and the PSNR of the window."""
    focus: str
    """Left, top, width and height as shares of the image, for the explorer."""
    tiles: tuple[tuple[str, str], ...]
    """Label and file of each picture."""


@dataclass(frozen=True)
class NumberRow:
    """A row of the page's numbers."""

    value: Value
    speed: tuple[str, ...]
    """A cell for each of the page's `speed`; it stands in the first row of a precision."""
    added: tuple[str, ...]
    """A cell for each of the page's `added`."""


@dataclass(frozen=True)
class ModelPage:
    """All that a model's page shows."""

    head: SessionInfo
    topic: Topic
    all_emulated: bool
    """Whether no value came from a device."""
    siblings: tuple[tuple[str, str], ...]
    """Label and page of the same model on other data sets."""
    trend: str
    rows: tuple[NumberRow, ...]
    """What ran; if nothing did, all there is."""
    not_run: tuple[Value, ...]
    """The others."""
    speed: tuple[str, ...]
    """Titles of the columns for what was timed."""
    added: tuple[str, ...]
    """Titles of the columns of others."""
    sections: tuple[Section, ...]
    """Those of others."""
    gates: tuple[GateView, ...]
    dossiers: tuple[DossierView, ...]
    details: tuple[tuple[str, str, str], ...]
    """Precisions, name and text of what else records hold."""
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
    head: SessionInfo,
    subject: PageSubject,
    past: Past,
    siblings: tuple[tuple[str, str], ...],
    trend: str,
    missing: tuple[str, ...],
    crops: tuple[CropView, ...],
    data: PageData,
    additions: Additions,
) -> ModelPage:
    """Return the page of `subject`; `data` is what its explorer shows."""
    records = subject.records
    joined = join_speed(records)
    rows = [*zip(map(ran, joined.rows), _rows(joined, past, additions), strict=True)]
    some = any(map(ran, joined.rows))
    return ModelPage(
        head=head,
        topic=subject.topic,
        all_emulated=all_emulated(records),
        siblings=siblings,
        trend=trend,
        rows=tuple(row for there, row in rows if there or not some),
        not_run=tuple(row.value for there, row in rows if some and not there),
        speed=tuple(column.title for column in joined.columns),
        added=additions.titles,
        sections=additions.sections(records, "model"),
        gates=tuple(sorted(_gates(records), key=lambda gate: by_need(Status(gate.worst)))),
        dossiers=tuple(_dossiers(records)),
        details=tuple(_details(records)),
        crops=crops,
        provenance=(*int8_lines(records), *lr_lines(records)),
        warnings=(*device_lines(records), *shared_lines(records)),
        interval=INTERVAL if any(record.interval for record in records) else "",
        missing=missing,
        kept=any(record.kept for record in records),
        data=data,
    )


def _rows(joined: Joined, past: Past, additions: Additions) -> Iterator[NumberRow]:
    shown = set()
    for index, record in enumerate(joined.rows):
        cells = tuple(column.cells[index] for column in joined.columns)
        if record.precision in shown:
            cells = ("",) * len(cells)
        elif any(cells):
            shown.add(record.precision)
        yield NumberRow(value_of(record, past), cells, additions.cells(record))


def _gates(records: Sequence[Record]) -> Iterator[GateView]:
    for record in records:
        gate = record.detail.gate
        if gate is None:
            continue
        held = [record.detail.baseline] if record.detail.baseline else []
        answers: tuple[GateFinding | Held | Comparison, ...]
        answers = (*gate.findings, *held, *record.detail.compared)
        answers = tuple(sorted(answers, key=lambda answer: by_need(answer.status)))
        findings = tuple((answer.status.value, answer.sentence) for answer in answers)
        lines = gate_lines(gate)
        for compared in record.detail.compared:
            question = f"{compared.metric} against the earlier run"
            lines += ["", question, *comparison_lines(compared)]
        if held:
            lines += ["", *held_lines(held[0])]
        if failed := record.detail.explanation_failed:
            lines += ["", explanation_failed(failed)]
        verdict, table = record.verdict, "\n".join(lines)
        found = findings[0][0], verdict.status.value, verdict.sentence
        yield GateView(record.precision, *found, record.emulated, findings, table)


def _dossiers(records: Sequence[Record]) -> Iterator[DossierView]:
    for record in records:
        dossier = record.detail.dossier
        if dossier is None or not (dossier.signs or dossier.layers):
            continue
        lines = [line for line in dossier_lines(dossier) if line]
        closing = lines[-2:] if dossier.layers else lines[-1:]  # as dossier_lines ends
        caption = next((line for line in lines if line.startswith("layers by")), "")
        yield DossierView(
            record.precision,
            record.emulated,
            dossier.signs,
            caption,
            tuple(_layers(dossier)),
            tuple(closing),
        )


def _layers(dossier: Dossier) -> Iterator[tuple[LayerBlame, float]]:
    lowest = min((layer.alone_db for layer in dossier.layers), default=0.0)
    for layer in dossier.layers:
        # Noise power against the noisiest layer's; inf dB is no noise at all.
        yield layer, 100 * 10 ** ((lowest - layer.alone_db) / 10) if lowest != inf else 0.0


def _details(records: Sequence[Record]) -> Iterator[tuple[str, str, str]]:
    precisions: dict[tuple[str, str], dict[str, None]] = {}  # those of one run repeat them
    for record in records:
        for name, value in record.detail.flat().items():
            if name not in _SHOWN_ELSEWHERE:
                text = value if isinstance(value, str) else json.dumps(encode(value), indent=1)
                known = precisions.setdefault((name.replace("_", " "), text), {})
                known[record.precision] = None
    yield from ((", ".join(of), *what) for what, of in precisions.items())
