"""SRB003: printed numbers that nothing reads."""

from collections.abc import Iterator

from sr_bench.document.printed import unread_numbers
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB003",
    Severity.ERROR,
    "printed numbers are not read",
    "Nobody tests a number in a table of results that is no claim: its column, its row or the whole"
    " table can't be read, or the cell says more than numbers.",
    "say in a [[table]] of the card what it is, or ignore it there with the reason",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each table, column or row with such numbers, and each reason."""
    yield from (RULE.found(one.source, one.message) for one in unread_numbers(subject.printed))
