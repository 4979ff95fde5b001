"""What a session prints: a header of what runs, and at the end one screen of how it went."""

from collections.abc import Sequence
from os import PathLike

from sr_bench import __version__
from sr_bench.core.backend import BackendInfo
from sr_bench.core.claim import Claim
from sr_bench.core.record import Record, Status
from sr_bench.document.numbers import counts
from sr_bench.report.parts.flat import flat_lines
from sr_bench.report.parts.floor import floor_lines
from sr_bench.report.parts.next_step import next_step_lines
from sr_bench.report.parts.order import not_run_reasons, worst_failure
from sr_bench.report.parts.provenance import cached_lines, device_lines, lr_lines, shared_lines
from sr_bench.report.parts.speed import join_speed
from sr_bench.report.terminal.gate import baseline_lines
from sr_bench.report.terminal.line import WIDE, Line, fit
from sr_bench.report.terminal.rows import needs_you_lines, row_lines
from sr_bench.report.terminal.suites import suite_lines
from sr_bench.text.home import without_home
from sr_bench.text.printable import counted, printable

_REASONS_SHOWN = 6
_FEW = 16
"""Rows that leave room for all else on one screen."""


def header(asked: Sequence[tuple[str, Claim | None]], info: BackendInfo) -> list[str]:
    """Return the lines that say what was collected and what computes it.

    Args:
        asked: The family and the claim of each case.
        info: Of the backend.
    """
    claims = sum(claim is not None for _, claim in asked)
    suites = len({family for family, _ in asked})
    collected = f"{counted(claims, 'claim')} in {counted(suites, 'suite')}"
    unclaimed = len(asked) - claims
    new = f", plus {counted(unclaimed, 'unclaimed measurement')}" if unclaimed else ""
    backend = f"backend {info.name}: {'EMULATED ' * info.emulated}{info.note}"
    return [f"sr-bench {__version__}: {collected}{new}", printable(backend)]


def summary(
    records: Sequence[Record],
    arguments: Sequence[str | PathLike[str]] = (),
    *,
    verbose: bool = False,
    width: int = WIDE,
) -> list[Line]:
    """Return the lines that close a session in a terminal of `width` characters.

    Few values are shown in full, as all are if `verbose`. Of many those are shown that need
    somebody, with a line for each of several suites.
    Behind them stands the step that makes most of what was not run measurable, from `arguments`,
    those of pytest.
    """
    shown = [r for r in records if r.measurement or r.verdict.status is Status.ERROR]
    if in_full := verbose or len(join_speed(shown).rows) <= _FEW:
        lines = [*row_lines(shown, width), Line()] if shown else [Line()]
    else:
        lines = needs_you_lines(records, width)
    several = len({record.family for record in records}) > 1
    if several and (verbose or not in_full):
        lines += [*suite_lines(records, width), Line()]
    elif absent := not_run_lines(records):
        lines += [Line("not run:"), *(Line(f"  {line}") for line in absent), Line()]
    if steps := next_step_lines(records, arguments, width):
        lines += [*map(Line, steps), Line()]
    notes = [device_lines, shared_lines, floor_lines, cached_lines, baseline_lines]
    if in_full:
        notes[1:1] = [lr_lines, flat_lines]
    told = (note for note_lines in notes for note in note_lines(records))
    lines += [Line(note if in_full else fit(note, width)) for note in told]
    passed = Status.MATCH if any(record.measurement for record in records) else Status.NOT_RUN
    lines.append(Line(counts(records), worst_failure(records) or passed))
    return [Line(printable(without_home(line.text)), line.status) for line in lines]


def not_run_lines(records: Sequence[Record]) -> list[str]:
    """Return why records were not run, the most frequent reason first, and how often."""
    reasons = not_run_reasons(records)
    shown = reasons[:_REASONS_SHOWN]
    lines = [f"{count:3d} x {sentence}".partition("\n")[0] for sentence, count in shown]
    if more := len(reasons) - len(shown):
        lines.append(f"and {counted(more, 'more reason')}: see latest.json, or pytest -rs")
    return lines
