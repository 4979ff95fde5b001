"""A family's page: its table again with measured values, and claimed beside measured."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from sr_bench.cards.documents import read_bound
from sr_bench.core.claim import Source
from sr_bench.core.record import Record
from sr_bench.document import numbers
from sr_bench.document.claims import metric_cells, read
from sr_bench.document.mirror import format_like, mirror
from sr_bench.document.tables import Document
from sr_bench.files.atomic import write_text
from sr_bench.report.markdown.escape import code, escape, table
from sr_bench.report.parts.floor import floors, why
from sr_bench.report.parts.provenance import (
    INTERVAL,
    device_lines,
    int8_lines,
    lr_lines,
    shared_lines,
)
from sr_bench.report.parts.speed import join_speed

NOT_MEASURED = "-"
"""Stands in a mirrored cell that this run has no judged value for: never the claimed number."""


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
    for family, members in families.items():
        paths = dict.fromkeys(record.claim.source.path for record in members if record.claim)
        documents = [read_bound(Path(path)) for path in paths]
        target = folder / page_name(family)
        write_text(target, render_family(family, documents, members))
        written.append(target)
    return tuple(written)


def page_name(family: str) -> str:
    """Return the name of the page of `family`; ``README.md`` is left to the page of all."""
    # Any case: the file systems of Windows and macOS take Readme.md for README.md.
    return f"{family}_.md" if family.casefold() == "readme" else f"{family}.md"


def render_family(family: str, documents: Iterable[Document], records: Sequence[Record]) -> str:
    """Return the page of `family` as markdown."""
    values = mirrored_values(records)
    parts = [f"# {escape(family)}: measured", *labels(records)]
    what = "emulated values" if _emulated(records) else "measured values"
    for document in documents:
        # Also the cells that this run was not asked about: the mirror prints no claimed number.
        reading = read(document)
        cells = {cell.source: NOT_MEASURED for cell in metric_cells(reading) if cell.is_number}
        cells |= {source: text for source, text in values.items() if source.path == document.path}
        mirrored = mirror(reading, cells)
        parts += [f"The table of {code(document.path)} with {what}:", _shown(document, mirrored)]
    parts += ["## Claimed and measured", comparison(records)]
    if any(record.interval for record in records):
        parts.append(f"{INTERVAL}.")
    lines = [f"- **{escape(line)}**" for line in shared_lines(records)]
    lines += [f"- {escape(line)}" for line in int8_lines(records)]
    if lines:
        parts += ["## How int8 was made", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _shown(document: Document, mirrored: str) -> str:
    """Return the tables of `document` as Markdown shows them: those of other dialects as code."""
    foreign = [g.dialect for g in document.grids if g.dialect not in ("markdown", "html")]
    return f"~~~{foreign[0]}\n{mirrored}\n~~~" if foreign else mirrored


def mirrored_values(records: Sequence[Record]) -> dict[Source, str]:
    """Return the text of each claimed cell: the measured value in the cell's own format.

    A cell without a whole measurement, or with an emulated value for a device's row, holds
    ``-``: the mirror never repeats a number that was not measured.
    """
    cells = [(record.claim.source, _cell(record)) for record in records if record.claim is not None]
    # A cell that spans rows is a claim of each: any of them that was measured fills it.
    return dict(sorted(cells, key=lambda cell: cell[1] != NOT_MEASURED))


def _cell(record: Record) -> str:
    claim, measurement = record.claim, record.measurement
    # No tolerance: the value was shown, not judged, as it is partial or emulated for a device.
    if claim is None or measurement is None or record.verdict.tolerance is None:
        return NOT_MEASURED
    value = claim.as_printed(measurement.value)
    return format_like(claim.text, value, digits=record.verdict.digits)


def comparison(records: Sequence[Record]) -> str:
    """Return the table of claimed, measured, delta and status, after a row for each floor.

    One row for each record; those of metric ``latency`` become columns instead.
    """
    joined, lowest = join_speed(records), floors(records)
    rows, none = joined.rows, ["-"] * len(lowest)
    columns = {
        "Model": [f"{floor.what} (floor)" for floor in lowest] + [row.model for row in rows],
        "Precision": none + [numbers.precision(row) for row in rows],
        "Metric": [f"{floor.metric} on {floor.dataset}" for floor in lowest]
        + [*map(numbers.metric, rows)],
        "Claimed": none + [numbers.claimed(row) for row in rows],
        "Measured": [floor.text for floor in lowest]
        + [numbers.with_unit(numbers.measured(row, extra=1), row) for row in rows],
        "Interval": ["" for _ in lowest] + [numbers.interval(row) for row in rows],
        "Delta": none + [numbers.delta(row) for row in rows],
        **{column.title: ["" for _ in lowest] + [*column.cells] for column in joined.columns},
        "Device": none + [row.device or "-" for row in rows],
        "Status": none + [_status(row) for row in rows],
        "Why": [f"by {floor.protocol}, {floor.images} images" for floor in lowest]
        + [*map(why, rows)],
    }
    if not any(columns["Interval"]):
        del columns["Interval"]
    return table({title: [*map(escape, cells)] for title, cells in columns.items()})


def labels(records: Sequence[Record]) -> list[str]:
    """Return what must be known of the backend and its device before any number is read."""
    notes = [f"**{escape(line)}.**" for line in [*device_lines(records), *lr_lines(records)]]
    if backend := _emulated(records):
        name = escape(backend)
        what = f"**Backend {name}, emulated: no {name} device took part in this run.**"
        return [what, *notes]
    backends = sorted({record.backend for record in records})
    return [f"Backend {escape(', '.join(backends))}.", *notes]


def _emulated(records: Sequence[Record]) -> str:
    """Return the backend whose device was emulated, or an empty string."""
    return next((record.backend for record in records if record.emulated), "")


def _status(record: Record) -> str:
    """Return the status with how many images it speaks of; the device has a column of its own."""
    of = f" ({numbers.part(record)})" if numbers.part(record) else ""
    return f"{record.verdict.status}{of}"
