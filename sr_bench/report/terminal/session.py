"""What a session prints: a header of what runs, and at the end the table of all claims."""

from collections.abc import Sequence
from itertools import pairwise

from sr_bench import __version__
from sr_bench.core.backend import BackendInfo
from sr_bench.core.case import Case
from sr_bench.core.record import Record, Status
from sr_bench.document.numbers import (
    claimed,
    counts,
    delta,
    interval,
    labelled,
    measured,
    metric,
    precision,
)
from sr_bench.report.parts.flat import flat_lines
from sr_bench.report.parts.floor import floor_lines
from sr_bench.report.parts.order import not_run_reasons
from sr_bench.report.parts.provenance import (
    INTERVAL,
    cached_lines,
    device_lines,
    lr_lines,
    shared_lines,
)
from sr_bench.report.parts.speed import join_speed
from sr_bench.report.terminal.gate import baseline_lines
from sr_bench.report.terminal.tables import plain_table
from sr_bench.text.home import without_home
from sr_bench.text.printable import counted, printable

_REASONS_SHOWN = 6


def header(cases: Sequence[Case], info: BackendInfo) -> list[str]:
    """Return the lines that say what was collected and what will compute it."""
    claims = sum(case.claim is not None for case in cases)
    suites = len({case.card.family for case in cases})
    collected = f"{counted(claims, 'claim')} in {counted(suites, 'suite')}"
    unclaimed = len(cases) - claims
    new = f", plus {counted(unclaimed, 'unclaimed measurement')}" if unclaimed else ""
    return [f"sr-bench {__version__}: {collected}{new}", printable(backend_line(info))]


def backend_line(info: BackendInfo) -> str:
    """Return the line that says what computes, and whether it is the real thing."""
    how = "EMULATED " if info.emulated else ""
    return f"backend {info.name}: {how}{info.note}"


def summary(records: Sequence[Record]) -> list[str]:
    """Return the lines of the closing table, and why cases were not run."""
    shown = [r for r in records if r.measurement or r.verdict.status is Status.ERROR]
    lines = [*_table(shown), ""] if shown else [""]
    if absent := not_run_lines(records):
        lines += ["not run:", *(f"  {line}" for line in absent), ""]
    notes = (device_lines, lr_lines, shared_lines, floor_lines, flat_lines, cached_lines)
    for note_lines in (*notes, baseline_lines):
        lines += note_lines(records)
    return [printable(without_home(line)) for line in [*lines, counts(records)]]


def _table(records: Sequence[Record]) -> list[str]:
    """Return the lines of the table, and what explains its columns."""
    joined = join_speed(records)
    rows = joined.rows
    # A model's name stands in its first row only, so that the eye finds where the next begins.
    keys = [(row.family, row.model, precision(row)) for row in rows]
    named = [key != before for before, key in pairwise([None, *keys])]
    columns = {
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
    explained = ["", INTERVAL] if any(columns["interval"]) else []
    if not explained:
        del columns["interval"]
    cells = list(zip(*columns.values(), strict=True))
    return [*plain_table(tuple(columns), cells, left=(0, 1, 2, len(columns) - 1)), *explained]


def _where(named: Sequence[bool], cells: Sequence[str]) -> list[str]:
    """Return `cells` with those emptied that repeat what the row above says."""
    return [cell if first else "" for first, cell in zip(named, cells, strict=True)]


def not_run_lines(records: Sequence[Record]) -> list[str]:
    """Return why records were not run, the most frequent reason first, and how often."""
    reasons = not_run_reasons(records)
    shown = reasons[:_REASONS_SHOWN]
    lines = [f"{count:3d} x {sentence}".partition("\n")[0] for sentence, count in shown]
    if more := len(reasons) - len(shown):
        lines.append(f"and {counted(more, 'more reason')}: see latest.json, or pytest -rs")
    return lines
