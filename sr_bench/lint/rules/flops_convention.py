"""SRB201: Flops that are not the usual two operations per multiply-accumulate."""

from collections.abc import Iterator

from sr_bench.lint.counting import MACS, STANDARD, CountedRow
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.ratios import ratio_text
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
                f"{row.row}: {_message(row, row.flops.text, followed[0])}",
                row=row.row,
                severity=Severity.NOTE if only_macs else None,
            )


def _message(row: CountedRow, printed: str, convention: str) -> str:
    usual = row.flops_g[STANDARD]
    ratio = f"{ratio_text(row.flops_g[convention] / usual)} times" if usual else "no multiple of"
    return (
        f"Flops {printed} G are {ratio} 2 x MAC, which is {usual:.3f} G on"
        f" {'x'.join(map(str, row.size))}; counted by {convention}"
    )
