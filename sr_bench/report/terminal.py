"""What a session prints: a header of what runs, and at the end the table of all claims."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from sr_bench import __version__
from sr_bench.core.backend import BackendInfo
from sr_bench.core.case import Case
from sr_bench.core.record import Record, Status
from sr_bench.report.numbers import claimed, delta, interval, measured, metric, precision
from sr_bench.report.provenance import INTERVAL, device_lines, shared_lines
from sr_bench.report.tables import plain_table

_REASONS_SHOWN = 6


def header(cases: Sequence[Case], info: BackendInfo) -> list[str]:
    """Return the lines that say what was collected and what will compute it."""
    claims = sum(case.claim is not None for case in cases)
    suites = len({case.card.family for case in cases})
    counted = f"{claims} claim{'s' * (claims != 1)} in {suites} suite{'s' * (suites != 1)}"
    new = f", {len(cases) - claims} without a claim" if claims < len(cases) else ""
    return [f"sr-bench {__version__}: {counted}{new}", backend_line(info)]


def backend_line(info: BackendInfo) -> str:
    """Return the line that says what computes, and whether it is the real thing."""
    how = "EMULATED " if info.emulated else ""
    return f"backend {info.name}: {how}{info.note}"


def summary(records: Sequence[Record]) -> list[str]:
    """Return the lines of the closing table, and why cases were not run."""
    measured_ones = [record for record in records if record.measurement is not None]
    lines: list[str] = []
    if measured_ones:
        lines += _table(measured_ones)
    told = (*device_lines(records), *shared_lines(records))
    return [*lines, "", *_not_run(records), *told, _counts(records)]


def _table(records: Sequence[Record]) -> list[str]:
    """Return the lines of the table, and what explains its columns."""
    headers = ["model", "precision", "metric", "claimed", "measured", "delta", "status"]
    rows = list(_rows(records))
    intervals = [interval(record) for record in records]
    if not any(intervals):
        return plain_table(headers, rows, left=(0, 1, 2, 6))
    headers.insert(5, "interval")
    for row, text in zip(rows, intervals, strict=True):
        row.insert(5, text)
    return [*plain_table(headers, rows, left=(0, 1, 2, 7)), "", INTERVAL]


def _rows(records: Sequence[Record]) -> Iterator[list[str]]:
    for _, group in groupby(records, key=_row_key):
        for index, record in enumerate(group):
            first = index == 0
            yield [
                record.model if first else "",
                precision(record) if first else "",
                metric(record),
                claimed(record),
                measured(record),
                delta(record),
                _status(record),
            ]


def _row_key(record: Record) -> tuple[str, str, str]:
    return (record.family, record.model, precision(record))


def _status(record: Record) -> str:
    """The emulated label stands in each row, so that no line can be quoted without it."""
    label = " (emulated)" if record.emulated else ""
    return f"{record.verdict.status}{label}"


def _not_run(records: Sequence[Record]) -> Iterator[str]:
    reasons = Counter(
        record.verdict.sentence
        for record in records
        if record.verdict.status is Status.NOT_RUN and record.measurement is None
    )
    if not reasons:
        return
    yield "not run:"
    for sentence, count in reasons.most_common(_REASONS_SHOWN):
        yield f"  {count:3d} x {sentence.splitlines()[0]}"
    if len(reasons) > _REASONS_SHOWN:
        yield f"  and {len(reasons) - _REASONS_SHOWN} more reasons: see latest.json, or pytest -rs"
    yield ""


def _counts(records: Sequence[Record]) -> str:
    counts = Counter(record.verdict.status for record in records)
    return ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
