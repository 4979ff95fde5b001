"""SRB202: Flops that no known way of counting gives."""

from collections.abc import Iterator

from sr_bench.core.metric import quantity
from sr_bench.engine.explain.counting import STANDARD, countings
from sr_bench.lint.counting import times
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB202",
    Severity.ERROR,
    "Flops match neither MACs, 2 x MACs nor a known rule",
    "The network of the card was counted on the printed shape, or the card's where none is"
    " printed, and no convention gives the number. The finding names the shape or the factor that"
    " would.",
    "count again, and print the shape that was counted on",
)

_UNKNOWN = "no known rule, shape or factor gives it"


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each row whose Flops nothing explains."""
    printed = {entry.size for entry in subject.entries if entry.size}
    for row in subject.counted:
        if row.flops and not row.conventions:
            causes = countings(row.model, row.flops, row.size, printed)
            cause = f"that is {' or '.join(map(str, causes))}" if causes else _UNKNOWN
            yield RULE.found(
                row.flops.source,
                f"{row.row}: Flops {quantity(row.flops)} are"
                f" {times(row.flops.value, row.flops_g[STANDARD])} 2 x MAC on {row.shape}"
                f" ({row.flops_g[STANDARD]:.3f} G): {cause}",
                row=row.row,
            )
