"""Say in one line how an item failed, the number first: ``0.1999 -> 0.1928 differs (a.md:3:9)``."""

from collections.abc import Iterator

from sr_bench.core.case import GATE_METRIC
from sr_bench.core.detail import Detail
from sr_bench.core.gate import Drop, GateVerdict, quantity
from sr_bench.core.int8 import DropLimit
from sr_bench.core.metric import metric_info, with_unit
from sr_bench.core.record import Record, Status
from sr_bench.document.numbers import measured
from sr_bench.report.parts.marks import loss_name
from sr_bench.text.home import without_home
from sr_bench.text.printable import printable_line


def headline(record: Record) -> str:
    """Return the numbers, how it ended, and where: the document's cell, else what judges it."""
    return printable_line(f"{outcome(record)} ({without_home(place(record))})")


def message(record: Record) -> str:
    """Return the numbers and how it ended, with why, or what it is about if that says nothing."""
    return printable_line(f"{outcome(record)}: {reason(record) or subject(record)}")


def reason(record: Record) -> str:
    """Return the first line of why it ended so; empty where the numbers say that."""
    plain = record.verdict.status in (Status.DIFFERS, Status.BETTER)
    return "" if plain else printable_line(record.verdict.sentence.strip().partition("\n")[0])


def subject(record: Record) -> str:
    """Return what was asked, such as ``m_x2 int8_max PSNR on set5_x2``."""
    where = f" on {record.dataset}" if record.dataset else ""
    return f"{record.model} {record.precision} {metric_info(record.metric).title}{where}"


def card_path(record: Record) -> str:
    """Return the path of the card that asks, relative to where pytest was started."""
    return record.node_id.partition("::")[0]


def outcome(record: Record) -> str:
    """Return the numbers and how it ended: ``0.1999 -> 0.1928 differs``."""
    status, failure = record.verdict.status, record.detail.failure
    if status is Status.LOSS and (lost := next(_losses(record.detail), "")):
        return f"{lost}: loss"
    if status is Status.ERROR:
        ended = f"error: {failure}" if failure else "error"
        return f"{record.claim.text} -> {ended}" if record.claim else f"{subject(record)}: {ended}"
    value = measured(record)
    if value == "-":  # a failure that is gone, of a case whose value is absent
        return str(status)
    if record.claim:
        return f"{record.claim.text} -> {value} {status}"
    return f"{with_unit(value, record.metric)} {status}"


def place(record: Record) -> str:
    """Return the cell; of a value worse than approved, the baseline's line; else the card."""
    gate, held = record.detail.gate, record.detail.baseline
    if gate and gate.status is not Status.LOSS and held and held.falls:
        return held.falls[0].place
    return str(record.source or card_path(record))


def _losses(detail: Detail) -> Iterator[str]:
    """Yield what fell and its limit: the card's, then what was approved, then an earlier run's."""
    for finding in detail.gate.findings if detail.gate else ():
        if detail.gate and finding.status is Status.LOSS:
            yield _beyond(detail.gate, finding.question)
    for fall in detail.baseline.falls if detail.baseline else ():
        yield f"{fall.expected:g} -> {fall.got:g} {fall.quantity}"
    for compared in detail.compared:
        if compared.drop and compared.status is Status.LOSS:
            yield _dropped(compared.metric, compared.drop, DropLimit(compared.limit))


def _beyond(gate: GateVerdict, question: str) -> str:
    if question == GATE_METRIC:
        lowest = min(image.lowest_db for image in gate.images)
        limit = with_unit(f"{gate.limits.min_fidelity_db:g}", GATE_METRIC)
        return f"{quantity(GATE_METRIC, lowest)} < {limit} {metric_info(GATE_METRIC).title}"
    drop = gate.psnr if question == "psnr" else gate.ssim
    return _dropped(question, drop, gate.limits.of(question))


def _dropped(metric: str, drop: Drop, limit: DropLimit) -> str:
    if limit.image is not None and drop.worst > limit.image:
        value, most = drop.worst, limit.image
    else:
        value, most = drop.mean, limit.mean
    return f"{quantity(metric, value)} > {with_unit(f'{most:g}', metric)} {loss_name(metric)}"
