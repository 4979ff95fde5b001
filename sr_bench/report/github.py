"""What GitHub shows of a run: a summary of the step, and annotations at the document's lines."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from sr_bench.core.history import PastSession
from sr_bench.core.record import Record, Status
from sr_bench.document.numbers import claimed, measured, metric, precision, with_unit
from sr_bench.errors import SrBenchError
from sr_bench.files.atomic import write_bytes
from sr_bench.files.disk import disk_error
from sr_bench.files.github import SHOWN, Level, annotation
from sr_bench.report.markdown.combined import head
from sr_bench.report.markdown.escape import escape, fence
from sr_bench.report.markdown.family import comparison
from sr_bench.report.parts.floor import below_floor, floor_lines, why
from sr_bench.report.parts.order import failures, in_document_order
from sr_bench.report.terminal.failure import failure_text
from sr_bench.report.terminal.session import not_run_lines
from sr_bench.text.home import without_home
from sr_bench.text.printable import counted, printable

BUDGET = 900_000
"""Bytes that a step's summary may take; GitHub refuses one of more than 1 MiB whole."""

_MESSAGE = 4_000  # characters of an annotation; the summary has them all


@dataclass(frozen=True)
class _Part:
    """A piece of the summary that may be cut between its rows."""

    before: str
    """Stands before the first row, and only if there is one."""
    rows: tuple[str, ...]
    what: str
    """What a row is, such as ``failure``."""


def step_summary(session: PastSession, *, budget: int = BUDGET) -> str:
    """Return the summary of `session` as markdown: failures in full, then the tables.

    Args:
        session: The run.
        budget: Bytes of UTF-8 that the result may take. What does not fit is left out row by row,
            and the last line says how much that is.
    """
    records = in_document_order(session.records)
    title = "## sr-bench: claimed and measured"
    opening = "\n\n".join([title, *head(session.info, records)]) + "\n"
    # Room for the longest closing: no part has more rows than two for each record.
    most = 10 * len(records)
    closing = _left_out({"failure": most, "row": most, "line": most})
    room = budget - _size(opening) - _size(closing)
    if room < 0:  # other commands of the step have filled the page
        return ""
    pieces, left = [opening], dict[str, int]()
    for part in _parts(records):
        taken = _fitting(part, room)
        text = part.before + "".join(taken) if taken else ""
        room -= _size(text)
        pieces.append(text)
        left[part.what] = left.get(part.what, 0) + len(part.rows) - len(taken)
    return "".join([*pieces, _left_out(left)])


def write_step_summary(path: Path, session: PastSession) -> None:
    """Append the summary of `session` to the step's at `path`, as far as others left it room.

    Raises:
        SrBenchError: `path`, ``$GITHUB_STEP_SUMMARY``, can't be read or written, or is no file.
    """
    before = _existing(path)
    if text := step_summary(session, budget=BUDGET - len(before)):
        write_bytes(path, before + text.encode())


def annotations(records: Iterable[Record]) -> list[str]:
    """Return the lines that make GitHub show what is wrong at the document's lines.

    Errors are what fails, warnings what is undecided and new values below the floor, notices
    known gaps; the worst come first. GitHub shows `SHOWN` of each, so no more are returned, but
    for a last notice that says how many there are.
    """
    kept = tuple(records)
    ordered = in_document_order(kept)
    levels: dict[Level, Sequence[Record]] = {
        "error": failures(kept),
        "warning": [record for record in ordered if _is_warned(record)],
        "notice": [record for record in ordered if record.verdict.status is Status.KNOWN_GAP],
    }
    room = dict.fromkeys(levels, SHOWN)
    if any(len(records) > SHOWN for records in levels.values()):
        room["notice"] -= 1  # the last notice, which says how many more there are
    shown = {level: records[: room[level]] for level, records in levels.items()}
    lines = [_annotation(level, record) for level in shown for record in shown[level]]
    more = {level: len(records) - room[level] for level, records in levels.items()}
    if rest := ", ".join(counted(count, level) for level, count in more.items() if count > 0):
        lines.append(annotation("notice", f"and {rest} more: see the step's summary"))
    return lines


def _is_warned(record: Record) -> bool:
    status = record.verdict.status
    return status is Status.UNDECIDED or (status is Status.NEW and bool(below_floor(record)))


def _annotation(level: Level, record: Record) -> str:
    title = f"{record.model} {precision(record)} {metric(record)}: {record.verdict.status}"
    lines = []
    if record.claim:
        lines.append(f"claimed {with_unit(claimed(record), record)}")
    if record.measurement:
        label = " (emulated)" if record.emulated else ""
        lines.append(f"measured {with_unit(measured(record, extra=1), record)}{label}")
    message = "\n".join([*lines, why(record)])
    return annotation(level, message[:_MESSAGE], title=title, place=record.source)


def _parts(records: Sequence[Record]) -> Iterator[_Part]:
    # What needs a look first: the end is left out if room is short.
    failed = failures(records)
    yield _Part(f"\n### Failures: {len(failed)}\n\n", tuple(map(_details, failed)), "failure")
    below = floor_lines(records)
    yield _Part("\n### Below the floor\n\n", tuple(f"- {escape(line)}\n" for line in below), "line")
    with_value = [record for record in records if record.measurement]
    for family, group in groupby(with_value, key=lambda record: record.family):  # sorted by it
        header, alignment, *rows = map(_narrow, comparison(tuple(group)).splitlines())
        before = f"\n### {escape(family)}\n\n{header}{re.sub('-+', '-', alignment)}"
        yield _Part(before, tuple(rows), "row")
    absent = not_run_lines(records)
    yield _Part("\n### Not run\n\n", tuple(f"- {escape(line)}\n" for line in absent), "line")


def _details(record: Record) -> str:
    """Return the whole text of a failure, which a reader unfolds."""
    text = failure_text(record)
    headline = printable(without_home(text.partition("\n")[0]))
    label = " (emulated)" if record.emulated else ""
    # HTML, as Markdown is not read in this line.
    title = html.escape(f"{headline}: {record.verdict.status}{label}")
    return f"<details><summary>{title}</summary>\n\n{fence(text)}\n\n</details>\n\n"


def _narrow(row: str) -> str:
    """Return a table's row without the blanks that only align it: they would cost the budget."""
    return re.sub(" {2,}", " ", row) + "\n"


def _fitting(part: _Part, room: int) -> tuple[str, ...]:
    """Return the rows of `part` that fit into `room` bytes.

    A failure that is too long leaves its place to those after it; a table ends at such a row.
    """
    room -= _size(part.before)
    taken = []
    for row in part.rows:
        if _size(row) <= room:
            room -= _size(row)
            taken.append(row)
        elif part.what != "failure":
            break
    return tuple(taken)


def _left_out(counts: dict[str, int]) -> str:
    rest = ", ".join(counted(count, what) for what, count in counts.items() if count)
    return f"\nLeft out, as GitHub limits this page: {rest}; latest.json has all.\n" if rest else ""


def _size(text: str) -> int:
    return len(text.encode())


def _existing(path: Path) -> bytes:
    """Return what other commands of the step have written, and an empty line after it."""
    if not path.parent.is_dir() or (path.exists() and not path.is_file()):
        msg = (
            f"GITHUB_STEP_SUMMARY={path}: expected a file in a folder that exists;"
            " correct the variable, or unset it"
        )
        raise SrBenchError(msg)
    try:
        written = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise disk_error(error, path, "read") from error
    return written and written.rstrip(b"\n") + b"\n\n"  # HTML of theirs ends only at one
