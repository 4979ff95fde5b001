"""SRB204: rows of one document whose Flops follow different counting rules."""

from collections.abc import Iterator

from sr_bench.core.metric import quantity
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB204",
    Severity.WARNING,
    "counting rules are mixed in one document",
    "Flops of rows that follow different rules can't be compared, and nothing in the table says so:"
    " two versions of a counting tool were used.",
    "count all rows with one tool",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each row with another rule than the document's first."""
    rows = [row for row in subject.counted if row.flops and row.conventions]
    for row in rows[1:]:
        # A coarse number may agree with several rules: one in common is enough.
        if row.flops and not set(row.conventions) & set(rows[0].conventions):
            yield RULE.found(
                row.flops.source,
                f"{row.row}: Flops {quantity(row.flops)} follow {row.conventions[0]}, those of"
                f" {rows[0].row} follow {rows[0].conventions[0]}",
                row=row.row,
            )
