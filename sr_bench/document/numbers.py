"""Spell numbers the way the tables do: with the claim's decimals and in its unit."""

from collections import Counter
from collections.abc import Iterable

from sr_bench.core.metric import metric_info
from sr_bench.core.record import Record, Status
from sr_bench.core.status import VERIFIED
from sr_bench.document.mirror import format_like


def claimed(record: Record) -> str:
    """Return the number as the document prints it; ``-`` if it prints none."""
    return record.claim.text if record.claim else "-"


def measured(record: Record, *, extra: int = 0) -> str:
    """Return the measured value with the claim's decimals and `extra` more; ``-`` if none."""
    if (value := record.verdict.measured) is None:
        return "-"
    # With more digits than the document prints, nothing is cut as the document cuts.
    digits = record.verdict.digits if not extra else "rounded"
    return format_like(_longer(_pattern(record), extra), _printed(value, record), digits=digits)


def interval(record: Record) -> str:
    """Return the values by the readings of an emulated device; empty if there is one value."""
    if record.interval is None:
        return ""
    printed = (_printed(value, record) for value in record.interval)
    low, high = (format_like(_pattern(record), value) for value in printed)
    return f"{low} .. {high}"


def delta(record: Record, *, extra: int = 1) -> str:
    """Return measured minus claimed with a sign; ``-`` if one of the two is missing."""
    difference = record.verdict.delta
    if difference is None or record.claim is None:
        return "-"
    text = format_like(_longer(record.claim.text, extra), _printed(difference, record))
    return text if text.startswith("-") or not float(text) else f"+{text}"


def precision(record: Record) -> str:
    """Return the precision, after the backend word of the claim's row."""
    word = record.claim.backend if record.claim else ""
    return f"{word} {record.precision}".strip()


def metric(record: Record) -> str:
    """Return the metric, the dataset it was measured on, and what tells its row from a twin."""
    words = f"{record.metric} on {record.dataset}" if record.dataset else record.metric
    variant = record.claim.variant if record.claim else ""
    return f"{words} ({variant})" if variant else words


def part(record: Record) -> str:
    """Return ``64 of 100 images`` if images were left out, else nothing."""
    measurement = record.measurement
    if measurement is None or not measurement.partial:
        return ""
    return f"{len(measurement.images)} of {measurement.planned} images"


def labelled(text: str, record: Record) -> str:
    """Return `text` with what must stand wherever a value is quoted: emulated, or of a part."""
    labels = ", ".join(filter(None, ("emulated" if record.emulated else "", part(record))))
    return f"{text} ({labels})" if labels else text


def with_unit(text: str, record: Record) -> str:
    """Return `text` with the claim's unit, or the bare ``-`` that stands for no number."""
    return text if text == "-" else f"{text} {unit(record)}".rstrip()


def unit(record: Record) -> str:
    """Return the unit in which numbers about `record` are printed; empty if it has none."""
    printed = record.claim.unit if record.claim else ""
    return printed or metric_info(record.metric).unit


def counts(records: Iterable[Record]) -> str:
    """Return how many records ended how: ``76 match + 11 within of 174, 87 not_run``."""
    number = Counter(record.verdict.status for record in records)
    told = {status: f"{count} {status}" for status in Status if (count := number[status])}
    good = " + ".join(told.pop(status) for status in VERIFIED if status in told)
    last = told.pop(Status.NOT_RUN, "")
    parts = (good and f"{good} of {number.total()}", *told.values(), last)
    return ", ".join(filter(None, parts))


def plain_pattern(metric: str) -> str:
    """Return a number with the decimals of `metric` where no document prints one."""
    return f"{0:.{metric_info(metric).decimals}f}"


def _pattern(record: Record) -> str:
    return record.claim.text if record.claim else plain_pattern(record.metric)


def _printed(value: float, record: Record) -> float:
    return record.claim.as_printed(value) if record.claim else value


def _longer(pattern: str, extra: int) -> str:
    point = "." if extra and "." not in pattern else ""
    return f"{pattern}{point}{'0' * extra}"
