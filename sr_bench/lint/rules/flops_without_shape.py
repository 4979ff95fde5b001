"""SRB203: Flops beside a Shape cell that is no shape."""

from collections.abc import Iterator

from sr_bench.core.metric import metric_info, quantity
from sr_bench.lint.counting import CountedRow
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB203",
    Severity.WARNING,
    "Flops are printed without the shape they are counted on",
    "Flops grow with the input: next to a Shape cell such as '-' or 'multi-shape' the number can't"
    " be compared or checked. Tables without a Shape column are left alone.",
    "print the shape that was counted on",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each row that prints Flops but no shape."""
    counted = {row.flops.source: row for row in subject.counted if row.flops}
    for entry in subject.entries:
        claim = entry.claims.get("flops") or entry.claims.get("macs")
        if claim and entry.shape_column and entry.size is None:
            title = metric_info(claim.metric).title
            known = _from_card(counted.get(claim.source))
            cell = f"{entry.shape!r} is no shape" if entry.shape else "the Shape cell is blank"
            yield RULE.found(
                claim.source,
                f"{entry.name}: {title} {quantity(claim)}: {cell}{known}",
                row=entry.row,
            )


def _from_card(row: CountedRow | None) -> str:
    return f"; the number is of {row.shape}" if row and row.conventions else ""
