"""SRB210: latency or FPS of which nothing says what they were measured on."""

from collections.abc import Iterator

from sr_bench.core.case import TIMED_METRICS
from sr_bench.core.metric import metric_info, quantity
from sr_bench.lint.entries import Entry
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject
from sr_bench.text.printable import counted

RULE = Rule(
    "SRB210",
    Severity.NOTE,
    "a time is printed without the device or the input size it was measured on",
    "Latency, FPS and peak memory are true of one device and one size of the input. Prose is not"
    " read: a column, a header, the heading or the card says both.",
    "print them, or say device and shape under [model.latency] of the card",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each set of things that rows with a time do not say."""
    found: dict[str, list[Entry]] = {}
    for entry in subject.entries:
        if entry.claims.keys() & set(TIMED_METRICS) and (missing := _missing(subject, entry)):
            found.setdefault(missing, []).append(entry)
    for missing, entries in found.items():
        first = entries[0]
        claim = next(first.claims[name] for name in TIMED_METRICS if name in first.claims)
        more = f", as in {counted(len(entries) - 1, 'more row')}" if len(entries) > 1 else ""
        yield RULE.found(
            claim.source,
            f"{first.name}: {metric_info(claim.metric).title} {quantity(claim)}: nothing says"
            f" {missing}{more}",
            row=first.row,
        )


def _missing(subject: Subject, entry: Entry) -> str:
    """Return what neither the document nor the card says of the entry's times; empty if nothing."""
    model = subject.model(entry)
    device = entry.device or (model and model.latency.device)
    size = entry.size or (model and (model.latency.shape or model.input.size))
    said = {"the device": device, "the input size": size}
    return " and ".join(name for name, value in said.items() if not value)
