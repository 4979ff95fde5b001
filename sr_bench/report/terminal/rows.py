"""The rows of a session: all that was measured as a table, or one line for each that needs you."""

from collections.abc import Sequence
from itertools import pairwise

from tabulate import tabulate

from sr_bench.core.record import Record, Status
from sr_bench.document.numbers import (
    claimed,
    delta,
    interval,
    labelled,
    measured,
    metric,
    precision,
)
from sr_bench.report.parts.order import NEEDS_YOU, by_need
from sr_bench.report.parts.provenance import INTERVAL
from sr_bench.report.parts.speed import Joined, join_speed
from sr_bench.report.terminal.headline import outcome, place, subject
from sr_bench.report.terminal.line import WIDE, Line, fit
from sr_bench.report.terminal.tables import plain_table
from sr_bench.text.home import without_home
from sr_bench.text.printable import counted, printable_line

_SHOWN = 12


def row_lines(records: Sequence[Record], width: int) -> list[Line]:
    """Return a row for each record: in a table, else in lines of at most `width` characters.

    The table has no columns for which there is no room; in the log of a job there is room.
    """
    joined = join_speed(records)
    columns = _columns(joined)
    for name in ("", "interval", "delta"):
        columns.pop(name, None)
        cells = list(zip(*columns.values(), strict=True))
        head, rule, *texts = plain_table(tuple(columns), cells, left=(0, 1, 2, len(columns) - 1))
        if width >= WIDE or len(rule) <= width:
            rows = zip(texts, joined.rows, strict=True)
            told = [Line(text, row.verdict.status) for text, row in rows]
            explained = [Line(), Line(INTERVAL)] if "interval" in columns else []
            return [Line(head), Line(rule), *told, *explained]
    return _plain_lines(records, width)


def _columns(joined: Joined) -> dict[str, Sequence[str]]:
    """Return the cells of a table by its heads; an interval only where there is one."""
    rows = joined.rows
    # A model's name stands in its first row only, so that the eye finds where the next begins.
    keys = [(row.family, row.model, precision(row)) for row in rows]
    named = [key != before for before, key in pairwise([None, *keys])]
    columns: dict[str, Sequence[str]] = {
        "model": _where(named, [row.model for row in rows]),
        "precision": _where(named, [precision(row) for row in rows]),
        "metric": [metric(row) for row in rows],
        "claimed": [claimed(row) for row in rows],
        "measured": [measured(row) for row in rows],
        "interval": [interval(row) for row in rows],
        "delta": [delta(row) for row in rows],
        **{column.short: _where(named, column.cells) for column in joined.columns},
        "status": [labelled(row.verdict.status, row) for row in rows],
    }
    if not any(columns["interval"]):
        del columns["interval"]
    return columns


def needs_you_lines(records: Sequence[Record], width: int) -> list[Line]:
    """Return a line of at most `width` characters for each record that somebody must look at.

    The numbers come first and the worst records lead; of many the first are shown.
    """
    asking = [record for record in records if record.verdict.status in NEEDS_YOU]
    asking.sort(key=lambda record: by_need(record.verdict.status))
    lines = _plain_lines(asking[:_SHOWN], width)
    if more := len(asking) - len(lines):
        lines.append(Line(f"  and {more} more: --sr-verbose prints all rows"))
    return [Line(f"{counted(len(asking), 'value')} to look at:"), *lines, Line()] if lines else []


def _plain_lines(records: Sequence[Record], width: int) -> list[Line]:
    cells = [[outcome(row), subject(row), without_home(_why(row))] for row in records]
    texts = tabulate([map(printable_line, row) for row in cells], tablefmt="plain").splitlines()
    return [
        Line(fit(f"  {text}".rstrip(), width), row.verdict.status)
        for text, row in zip(texts, records, strict=True)
    ]


def _why(record: Record) -> str:
    """Return the cell whose number differs; of what is no match, the sentence of the verdict."""
    if record.verdict.status is Status.MATCH:
        return ""
    plain = record.verdict.status in (Status.DIFFERS, Status.BETTER)
    return place(record) if plain else record.verdict.sentence.partition("\n")[0]


def _where(named: Sequence[bool], cells: Sequence[str]) -> list[str]:
    """Return `cells` with those emptied that repeat what the row above says."""
    return [cell if first else "" for first, cell in zip(named, cells, strict=True)]
