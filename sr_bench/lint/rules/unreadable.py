"""SRB001: a document, or its card, that can't be read."""

from collections.abc import Iterator

from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB001",
    Severity.ERROR,
    "a document or its card can't be read",
    "A table lost a column, a number has a letter in it, a card has faults: nothing is tested until"
    " that is repaired. The other documents are still looked at.",
    "repair what the message names",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each fault that reading met."""
    yield from (RULE.found(fault.source, fault.message) for fault in subject.faults)
