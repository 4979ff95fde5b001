"""SRB206: Flops of one model that don't follow its shapes."""

from collections.abc import Iterator
from dataclasses import dataclass

from sr_bench.core.claim import Claim
from sr_bench.core.metric import metric_info, quantity
from sr_bench.engine.explain.counting import KNOWN
from sr_bench.lint.digits import bounds
from sr_bench.lint.entries import Entry
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB206",
    Severity.WARNING,
    "Flops of one model contradict each other",
    "Two rows of one model, known by its label and its Params, print Flops that differ by a factor"
    " that counting tools are known for (2, 10/9), or don't differ at all, once their shapes are"
    " allowed for. Needs no card.",
    "count both rows with one tool, each on the shape that it prints",
)

_MOST_ROWS = 16  # of one model that a row is held against: no document needs more


@dataclass(frozen=True)
class _Row:
    """An entry whose Flops and shape are known."""

    entry: Entry
    claim: Claim
    pixels: int


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each row whose Flops an earlier row of its model contradicts."""
    earlier: dict[tuple[str, ...], list[_Row]] = {}
    for entry in subject.entries:
        claim = entry.claims.get("flops") or entry.claims.get("macs")
        params, size = entry.claims.get("params"), entry.size
        if not claim or not params or not size:
            continue
        row = _Row(entry, claim, size[1] * size[2])
        key = (entry.row.casefold(), params.text, claim.metric)
        rows = earlier.setdefault(key, [])
        beside = ((first, _contradiction(first, row)) for first in rows)
        first, why = next((pair for pair in beside if pair[1]), (row, ""))
        if why:
            title = metric_info(claim.metric).title
            yield RULE.found(
                claim.source,
                f"{entry.name}: {title} {quantity(claim)} on {entry.shape} beside"
                f" {quantity(first.claim)} on {first.entry.shape} in line"
                f" {first.claim.source.line}: {why}",
                row=entry.row,
            )
        if len(rows) < _MOST_ROWS:
            rows.append(row)


def _contradiction(first: _Row, second: _Row) -> str:
    """Return why two numbers can't both be right."""
    area = second.pixels / first.pixels
    if area != 1 and first.claim.text == second.claim.text:
        return f"equal, though the second shape has {area:.3g} times the pixels"
    (least, most), (second_least, second_most) = bounds(first.claim), bounds(second.claim)
    # The quotient of numbers as coarse as this could be anything.
    if least <= most - least or second_least <= second_most - second_least:
        return ""
    low, high = second_least / most / area, second_most / least / area
    names = [name for name, value in KNOWN if low <= value <= high]
    # A coarse number fits some factor by chance, or fits 1 as well.
    if not names or high / low > 1.02 or low <= 1 <= high:
        return ""
    return f"{names[0]} times what the pixels account for"
