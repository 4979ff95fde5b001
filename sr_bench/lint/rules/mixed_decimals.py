"""SRB208: Params with different numbers of decimals."""

from collections import Counter
from collections.abc import Iterator

from sr_bench.lint.digits import decimals
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB208",
    Severity.NOTE,
    "Params are printed with different numbers of decimals",
    "In one table each decimal means the same; a row with more or fewer of them was printed by"
    " another script, or typed.",
    "print all rows with the same number of decimals",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each table's Params that have other decimals than most, or the first."""
    for table in subject.tables:
        claims = [claim for row in table.rows for claim in row.claims if claim.metric == "params"]
        if not claims:
            continue
        usual = Counter(map(decimals, claims)).most_common(1)[0][0]
        for claim in claims:
            if decimals(claim) != usual:
                yield RULE.found(
                    claim.source,
                    f"{claim.row}: Params {claim.text} M have {decimals(claim)} decimals,"
                    f" other rows {usual}",
                    row=claim.row,
                )
