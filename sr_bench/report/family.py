"""A family's page: its table again with measured values, and claimed beside measured."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from sr_bench.core.claim import Source
from sr_bench.core.record import Record
from sr_bench.document.claims import read_claims
from sr_bench.document.mirror import format_like, mirror
from sr_bench.document.tables import Document, read_document
from sr_bench.files.atomic import write_text
from sr_bench.report.numbers import (
    claimed,
    delta,
    interval,
    measured,
    metric,
    precision,
    with_unit,
)
from sr_bench.report.provenance import INTERVAL, device_lines, int8_lines, shared_lines

NOT_MEASURED = "-"
"""Stands in a mirrored cell that this run has no judged value for: never the claimed number."""

_MARKUP = re.compile(r"[\\`*|<&\[~]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown would not print as it is; an underscore inside a word is harmless."""


def write_family_reports(records: Sequence[Record], folder: Path) -> tuple[Path, ...]:
    """Write ``<family>.md`` for each family in `records` and return the paths.

    Raises:
        DocumentError: The family's document changed while the session ran.
        SrBenchError: The folder can't be written.
    """
    families: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        families[record.family].append(record)
    written = []
    for family, own in families.items():
        paths = dict.fromkeys(record.claim.source.path for record in own if record.claim)
        documents = [read_document(Path(path)) for path in paths]
        target = folder / f"{family}.md"
        write_text(target, render_family(family, documents, own))
        written.append(target)
    return tuple(written)


def render_family(family: str, documents: Iterable[Document], records: Sequence[Record]) -> str:
    """Return the page of `family` as markdown."""
    values = mirrored_values(records)
    parts = [f"# {family}: measured", *_labels(records)]
    what = "emulated values" if _emulated(records) else "measured values"
    for document in documents:
        # Also the cells that this run was not asked about: the mirror prints no claimed number.
        cells = {claim.source: NOT_MEASURED for claim in read_claims(document)}
        own = {source: text for source, text in values.items() if source.path == document.path}
        table = mirror(document, cells | own)
        parts += [f"The table of `{document.path}` with {what}:", table]
    parts += ["## Claimed and measured", comparison(records)]
    if any(record.interval for record in records):
        parts.append(f"{INTERVAL}.")
    if made := int8_lines(records):
        warned = [f"- **{_escape(line)}**" for line in shared_lines(records)]
        told = [*warned, *(f"- {_escape(line)}" for line in made)]
        parts += ["## How int8 was made", "\n".join(told)]
    return "\n\n".join(parts) + "\n"


def mirrored_values(records: Sequence[Record]) -> dict[Source, str]:
    """Return the text of each claimed cell: the measured value in the cell's own format.

    A cell without a whole measurement, or with an emulated value for a device's row, holds
    ``-``: the mirror never repeats a number that was not measured.
    """
    return {record.claim.source: _cell(record) for record in records if record.claim is not None}


def _cell(record: Record) -> str:
    claim, measurement = record.claim, record.measurement
    if claim is None or measurement is None or record.verdict.tolerance is None:
        return NOT_MEASURED
    return format_like(claim.text, measurement.value, digits=record.verdict.digits)


def comparison(records: Sequence[Record]) -> str:
    """Return the table of claimed, measured, delta and status, one row for each record."""
    columns = {
        "Model": [record.model for record in records],
        "Precision": [precision(record) for record in records],
        "Metric": [metric(record) for record in records],
        "Claimed": [claimed(record) for record in records],
        "Measured": [with_unit(measured(record, extra=1), record) for record in records],
        "Interval": [interval(record) for record in records],
        "Delta": [delta(record) for record in records],
        "Device": [record.device or "-" for record in records],
        "Status": [record.verdict.status.value for record in records],
        "Why": [_escape(record.verdict.sentence) for record in records],
    }
    if not any(columns["Interval"]):
        del columns["Interval"]
    frame = pd.DataFrame(columns)
    return frame.to_markdown(index=False, disable_numparse=True)


def _labels(records: Sequence[Record]) -> list[str]:
    told = [f"**{_escape(line)}.**" for line in device_lines(records)]
    if backend := _emulated(records):
        what = f"**Backend {backend}, emulated: no {backend} device took part in this run.**"
        return [what, *told]
    backends = sorted({record.backend for record in records})
    return [f"Backend {', '.join(backends)}.", *told]


def _emulated(records: Sequence[Record]) -> str:
    """Return the backend whose device was emulated, or an empty string."""
    return next((record.backend for record in records if record.emulated), "")


def _escape(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
