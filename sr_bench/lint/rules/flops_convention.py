"""SRB201: Flops that are not the usual two operations per multiply-accumulate."""

from collections.abc import Iterator

from sr_bench.core.metric import quantity
from sr_bench.engine.explain.counting import MACS, STANDARD
from sr_bench.lint.counting import times
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB201",
    Severity.WARNING,
    "Flops follow an unusual convention",
    "The number agrees with a known counting rule, but not with 2 x MAC / 1e9, which readers expect"
    " of Flops(G); the finding names the ratio. Multiply-accumulates themselves are only a note.",
    "print 2 x MAC / 1e9, or say below the table how Flops are counted",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each row whose Flops follow another known convention."""
    for row in subject.counted:
        followed = row.conventions
        if row.flops and followed and STANDARD not in followed:
            only_macs = followed == (MACS,)
            yield RULE.found(
                row.flops.source,
                f"{row.row}: Flops {quantity(row.flops)} are"
                f" {times(row.flops_g[followed[0]], row.flops_g[STANDARD])} 2 x MAC, which is"
                f" {row.flops_g[STANDARD]:.3f} G on {row.shape}; counted by {followed[0]}",
                row=row.row,
                severity=Severity.NOTE if only_macs else None,
            )
