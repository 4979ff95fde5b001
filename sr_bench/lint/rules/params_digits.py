"""SRB207: Params that were cut off, or are another network's."""

from collections.abc import Iterator
from dataclasses import replace

from sr_bench.core.metric import quantity
from sr_bench.engine.explain.counting import why_cost_differs
from sr_bench.engine.judge.claim import fits
from sr_bench.lint.digits import decimals
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB207",
    Severity.WARNING,
    "Params are truncated, or do not match the network",
    "The network of the card has another number of parameters than the row prints. One whose last"
    " digit was cut off in place of rounded is a warning; any other is an error.",
    "round the number, or correct the card's network",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each row whose Params aren't the rounded number of its network."""
    for row in subject.counted:
        if row.params is None:
            continue
        # The card's slack holds; that it allows cut digits does not make them rounded ones.
        tolerance = row.model.tolerance_for("params", row.params.precision)
        exact = row.exact_params / 1e6
        if fits(row.params, exact, replace(tolerance, digits="rounded")):
            continue
        cut = fits(row.params, exact, replace(tolerance, digits="truncated"))
        right = f"{row.params.as_printed(exact):.{decimals(row.params)}f}"
        how = "cut off, not rounded" if cut else "neither rounded nor cut off"
        why = "" if cut else why_cost_differs(row.model, row.params)
        yield RULE.found(
            row.params.source,
            f"{row.row}: Params {quantity(row.params)} are {how}: the network has"
            f" {row.exact_params:,}, which is {quantity(replace(row.params, text=right))}"
            + (f"; printed is {why}" if why else ""),
            row=row.row,
            severity=None if cut else Severity.ERROR,
        )
