"""SRB208: Params with different numbers of decimals."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from sr_bench.core.claim import Claim
from sr_bench.core.metric import quantity
from sr_bench.lint.digits import decimals
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject
from sr_bench.text.printable import counted

RULE = Rule(
    "SRB208",
    Severity.NOTE,
    "Params are printed with different numbers of decimals",
    "In one table each decimal of numbers of one source means the same; a row with more or fewer of"
    " them was printed by another script, or typed.",
    "print all rows with the same number of decimals",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for Params with other decimals than most of their source, or of the table."""
    for table in subject.tables:
        by_unit: dict[int, list[Claim]] = {}  # 45 K beside 1.37 M have no decimals in common
        for claim in (claim for row in table.rows for claim in row.claims):
            if claim.metric == "params":
                by_unit.setdefault(claim.exponent, []).append(claim)
        yield from chain.from_iterable(map(_unusual, by_unit.values()))


def _unusual(claims: Sequence[Claim]) -> Iterator[Finding]:
    by_source: dict[str, list[Claim]] = {}
    for claim in claims:
        by_source.setdefault(claim.row_source, []).append(claim)
    of_all = _most(claims)
    # The only row of a code base is held against all others.
    usual_of = {one: _most(alike) if len(alike) > 1 else of_all for one, alike in by_source.items()}
    for claim in claims:
        if decimals(claim) != (usual := usual_of[claim.row_source]):
            yield RULE.found(
                claim.source,
                f"{claim.row}: Params {quantity(claim)} have {counted(decimals(claim), 'decimal')},"
                f" other rows {usual}",
                row=claim.row,
            )


def _most(claims: Sequence[Claim]) -> int:
    return Counter(map(decimals, claims)).most_common(1)[0][0]
