"""SRB205: one network whose Flops follow different rules in two documents."""

from collections.abc import Iterator

from sr_bench.core.metric import quantity
from sr_bench.lint.counting import CountedRow
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB205",
    Severity.WARNING,
    "one network is counted by different rules in two documents",
    "Two documents that are looked at together print Flops of the same network by rules that"
    " differ: at the same shape they contradict each other.",
    "count both with one tool",
    across=True,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each network that an earlier document counts by another rule."""
    seen: set[tuple[object, ...]] = set()
    for row in subject.counted:
        if not row.flops or not row.conventions or row.network in seen:
            continue
        for path, other, printed in _earlier(subject, row):
            if not set(row.conventions) & set(other.conventions):
                seen.add(row.network)  # its other rows would say the same
                yield RULE.found(
                    row.flops.source,
                    f"{row.row}: Flops {quantity(row.flops)} on {row.shape} follow"
                    f" {row.conventions[0]}; {other.row} in {path} is the same network, and its"
                    f" {printed} on {other.shape} follow {other.conventions[0]}",
                    row=row.row,
                )
                break


def _earlier(subject: Subject, row: CountedRow) -> Iterator[tuple[str, CountedRow, str]]:
    """Yield the path, the row and the Flops of each earlier row of the same network."""
    for before in subject.before:
        for other in before.counted:
            if other.flops and other.conventions and other.network == row.network:
                yield before.path, other, quantity(other.flops)
