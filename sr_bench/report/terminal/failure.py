"""Say in a few lines what differs, by how much, and how to run just that again."""

from decimal import ROUND_CEILING, Context, Decimal
from math import isfinite

from sr_bench.core.case import TIMED_METRICS
from sr_bench.core.gate import GateVerdict
from sr_bench.core.metric import with_unit as metric_unit
from sr_bench.core.record import Record, Status
from sr_bench.document.numbers import claimed, delta, measured, with_unit
from sr_bench.report.parts.rerun import rerun
from sr_bench.report.terminal.dossier import dossier_lines
from sr_bench.report.terminal.forensics import forensics_summary
from sr_bench.report.terminal.gate import (
    comparison_lines,
    explanation_failed,
    gate_lines,
    held_lines,
)
from sr_bench.report.terminal.headline import subject
from sr_bench.text.printable import counted, printable

_ANY_FLOAT = Context(prec=400)  # a float may have 309 digits before the point; the default is 28
_ERROR_LINES = 17  # a sentence, and the 15 lines of output that it may quote


def failure_text(record: Record) -> str:
    """Return the text that a failed item shows: fewer than 12 lines, with forensics up to 16.

    Only a gate takes more, and a device or a process that failed: the last lines of its output.
    """
    lines = [f"{record.claim.source}: {subject(record)}" if record.claim else subject(record)]
    if record.verdict.status is Status.ERROR:
        lines += ["", *record.verdict.sentence.splitlines()[:_ERROR_LINES]]
    elif record.detail.gate:
        lines += _gate(record, record.detail.gate)
    else:
        lines += _numbers(record)
        if record.detail.forensics:
            lines += forensics_summary(record.detail.forensics)
        if record.detail.forensics_by_hand:
            lines.append(f"forensics  {printable(record.detail.forensics_by_hand)}")
    lines += [f"rerun      {rerun([record])}"]
    return printable("\n".join(lines))


def _gate(record: Record, gate: GateVerdict) -> list[str]:
    lines = [f"verdict    {record.verdict.status}: {record.verdict.sentence}", ""]
    lines += gate_lines(gate)
    if record.detail.baseline:
        lines += ["", *held_lines(record.detail.baseline)]
    for compared in record.detail.compared:
        lines += ["", f"against the earlier run, {compared.metric}:", *comparison_lines(compared)]
    if record.detail.dossier:
        lines += ["", *dossier_lines(record.detail.dossier)]
    if record.detail.explanation_failed:
        lines += ["", explanation_failed(record.detail.explanation_failed)]
    return [*lines, ""]


def _timed(record: Record) -> list[str]:
    detail = record.detail
    if not detail.shape:  # a failure that is gone, of a network that did not run
        return []
    threads = f"{counted(detail.threads, 'thread')}, {record.backend} ({record.device})"
    return [f"timed      {detail.shape}, {threads}"]


def _rounded_up(value: float) -> str:
    """Return `value` to six decimals, never below it: a tolerance of this size does pass."""
    if not isfinite(value):
        return str(value)
    # Without the noise of binary floats, which the judge overlooks too: 0.6, not 0.600001.
    decimal = Decimal(repr(round(value, 9))).quantize(Decimal("1e-6"), ROUND_CEILING, _ANY_FLOAT)
    return f"{decimal.normalize(_ANY_FLOAT):f}"


def _numbers(record: Record) -> list[str]:
    verdict = record.verdict
    lines = [
        f"verdict    {verdict.status}: {' '.join(verdict.sentence.split())}",
        f"claimed    {with_unit(claimed(record), record)}",
        f"measured   {with_unit(measured(record, extra=2), record)}"
        f"  (delta {with_unit(delta(record, extra=2), record)})",
    ]
    if record.metric in TIMED_METRICS:
        lines += _timed(record)
    elif verdict.tolerance is not None and verdict.delta is not None:
        cut = verdict.digits == "truncated"
        side = " upwards, as the document cuts digits off" if cut else ""
        lines.append(
            f"tolerance  {metric_unit(f'{verdict.tolerance:.6g}', record.metric)}{side};"
            f" the smallest that passes is {_rounded_up(abs(verdict.delta))}"
        )
    if record.protocol and record.metric not in TIMED_METRICS:
        images = len(record.measurement.images) if record.measurement else 0
        lines.append(
            f"protocol   {record.protocol}, {images} images, {record.backend} ({record.device})"
        )
    if verdict.status is Status.BETTER and record.claim:
        new = measured(record)
        lines.append(f"edit       {record.claim.source}: {record.claim.text} -> {new}")
    return lines
