"""The page of all families: what failed, each value at a glance, how to rerun, the environment."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from sr_bench.core.history import Environment, PastSession, SessionInfo
from sr_bench.core.record import Record
from sr_bench.document import numbers
from sr_bench.files.atomic import write_text
from sr_bench.report.markdown.escape import code, escape, fence, link, table
from sr_bench.report.markdown.family import labels, page_name
from sr_bench.report.parts.flat import flat_lines
from sr_bench.report.parts.floor import floor_lines, why
from sr_bench.report.parts.marks import MARKS, heading
from sr_bench.report.parts.order import failures, in_document_order
from sr_bench.report.parts.provenance import INTERVAL, shared_lines
from sr_bench.report.parts.rerun import rerun

_HTML = "html/index.html"  # in the results folder


def write_combined(session: PastSession, folder: Path) -> Path:
    """Write ``README.md`` about all families of `session` into `folder` and return its path.

    Links go to the pages that are in `folder` already.

    Raises:
        SrBenchError: The folder can't be written.
    """
    write_text(target := folder / "README.md", render_combined(session, folder))
    return target


def render_combined(session: PastSession, folder: Path) -> str:
    """Return the page of all families of `session` as markdown, to stand in `folder`."""
    records = in_document_order(session.records)
    parts = ["# sr-bench: claimed and measured", *head(session.info, records)]
    if (folder / _HTML).is_file():
        parts.append(f"All images, plots and filters: {link('HTML report', _HTML)}.")
    if failed := failures(records):
        parts += [f"## Failures: {len(failed)}", _failure_table(failed)]
    if below := floor_lines(records):
        parts += ["## Below the floor", "\n".join(f"- {escape(line)}" for line in below)]
    if flat := flat_lines(records):
        parts += ["## Images left out", "\n".join(f"- {escape(line)}" for line in flat)]
    parts += ["## Families", *_families(records, folder)]
    parts += ["## Run it again", fence(_commands(records, failed), "sh")]
    parts += ["## Environment", _environment(session.info.environment)]
    return "\n\n".join(parts) + "\n"


def head(info: SessionInfo, records: Sequence[Record]) -> list[str]:
    """Return the paragraphs that say which run it is, what computed it, and how it ended."""
    commit = info.environment.commit
    when = f", {escape(info.started)}" if info.started else ""
    at = f", at commit {code(commit)}" if commit else ""
    devices = sorted({record.device for record in records if record.device})
    on = f"Device {escape(', '.join(devices))}." if devices else "Nothing ran on a device."
    known = [f"**{escape(line)}.**" for line in shared_lines(records)]
    if any(record.interval for record in records):
        known.append(f"{escape(INTERVAL)}.")
    ended = escape(numbers.counts(records)) or "no records"
    return [f"Run {code(info.run)}{when}{at}.", *labels(records), on, *known, f"**{ended}**"]


def _failure_table(failed: Sequence[Record]) -> str:
    columns = {
        "Where": [str(record.source or record.node_id) for record in failed],
        "Model": [record.model for record in failed],
        "Precision": [numbers.precision(record) for record in failed],
        "Metric": [numbers.metric(record) for record in failed],
        "Claimed": [numbers.claimed(record) for record in failed],
        "Measured": [numbers.with_unit(numbers.measured(r, extra=1), r) for r in failed],
        "Delta": [numbers.delta(record) for record in failed],
        "Status": [numbers.labelled(record.verdict.status, record) for record in failed],
        "Why": [why(record) for record in failed],
    }
    return table({title: [*map(escape, cells)] for title, cells in columns.items()})


def _families(records: Sequence[Record], folder: Path) -> Iterator[str]:
    shown = {record.verdict.status for record in records if record.dataset}
    if marks := [f"{mark} {escape(status)}" for status, mark in MARKS.items() if status in shown]:
        yield f"As claimed → as measured; ↓ if lower is better; {', '.join(marks)}."
    pages = {path.name for path in folder.glob("*.md")}  # listed: a family may be no file name
    for family, group in groupby(records, key=lambda record: record.family):
        members, page = tuple(group), page_name(family)
        name = link(family, page) if page in pages else escape(family)
        yield f"### {name}"
        yield escape(numbers.counts(members))
        yield _matrix([record for record in members if record.dataset])


def _matrix(records: Sequence[Record]) -> str:
    """Return the table of models x precisions; each dataset and metric of a model has a row."""
    if not records:
        return "Nothing of images was asked for."
    cells: dict[tuple[str, str, str], dict[str, list[Record]]] = {}
    for record in records:
        row = cells.setdefault((record.model, record.dataset, record.metric), {})
        row.setdefault(record.precision, []).append(record)
    names = dict.fromkeys(record.precision for record in records)
    columns = {
        "Model": [escape(model) for model, _, _ in cells],
        "Dataset": [escape(dataset) for _, dataset, _ in cells],
        "Metric": [escape(heading(metric)) for _, _, metric in cells],
        **{escape(name): [_cell(row, name) for row in cells.values()] for name in names},
    }
    return table(columns)


def _cell(row: Mapping[str, Sequence[Record]], name: str) -> str:
    """Return what is known of a precision; the unmeasured only where nothing was measured."""
    records = row.get(name, ())
    shown = [record for record in records if record.measurement] or records
    words = {_word(record) for record in shown}
    # A cell of Markdown has no other line break.
    return "<br>".join(_value(record, name_row=len(words) > 1) for record in shown)


def _word(record: Record) -> str:
    """Return the backend word of the row that the record answers."""
    return record.claim.backend if record.claim else ""


def _value(record: Record, *, name_row: bool) -> str:
    status = record.verdict.status
    value = numbers.interval(record) or numbers.measured(record)
    text = f"{numbers.claimed(record)} → {value} {MARKS.get(status, status)}"
    word = f"{_word(record)}: " if name_row and _word(record) else ""
    return escape(word + numbers.labelled(text, record))


def _commands(records: Sequence[Record], failed: Sequence[Record]) -> str:
    lines = []
    for backend in dict.fromkeys(record.backend for record in records):
        of_backend = [record for record in records if record.backend == backend]
        lines.append(rerun(of_backend, whole_cards=True))
    if failed:
        lines += ["", "# what failed, one by one"]
    lines += [rerun([record]) for record in failed]
    return "\n".join(lines)


def _environment(environment: Environment) -> str:
    facts = {
        "Python": environment.python,
        "System": environment.system,
        "Processor": f"{environment.cpu}, {environment.cores} cores",
        **environment.packages,
        **{f"seed {name}": str(seed) for name, seed in environment.seeds.items()},
    }
    return "\n".join(f"- {escape(name)}: {escape(text)}" for name, text in facts.items())
