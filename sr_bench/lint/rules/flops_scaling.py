"""SRB206: Flops of one model that don't follow its shapes."""

from collections.abc import Iterator

from sr_bench.lint.counting import KNOWN
from sr_bench.lint.digits import quantity
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


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each row whose Flops an earlier row of its model contradicts."""
    earlier: dict[tuple[str, str], list[Entry]] = {}
    for entry in subject.entries:
        if not {"flops", "params"} <= entry.claims.keys() or not entry.size:
            continue
        rows = earlier.setdefault((entry.row.casefold(), entry.claims["params"].text), [])
        beside = ((first, _contradiction(first, entry)) for first in rows)
        first, why = next((pair for pair in beside if pair[1]), (entry, ""))
        if why:
            other, claim = first.claims["flops"], entry.claims["flops"]
            yield RULE.found(
                claim.source,
                f"{entry.name}: Flops {quantity(claim)} on {entry.shape} beside {quantity(other)}"
                f" on {first.shape} in line {other.source.line}: {why}",
                row=entry.row,
            )
        if len(rows) < _MOST_ROWS:
            rows.append(entry)


def _contradiction(one: Entry, other: Entry) -> str:
    """Return why the Flops of two entries of known size can't both be right."""
    first, second = one.claims["flops"], other.claims["flops"]
    area = _pixels(other) / _pixels(one)
    if area != 1 and first.text == second.text:
        return f"equal, though the second shape has {area:.3g} times the pixels"
    # The quotient of numbers as coarse as this could be anything.
    if min(first.value, second.value) <= first.half_step + second.half_step:
        return ""
    low = (second.value - second.half_step) / (first.value + first.half_step) / area
    high = (second.value + second.half_step) / (first.value - first.half_step) / area
    names = [name for name, value in KNOWN if low <= value <= high]
    # A coarse number fits some factor by chance, or fits 1 as well.
    if not names or high / low > 1.02 or low <= 1 <= high:
        return ""
    return f"{names[0]} times what the pixels account for"


def _pixels(entry: Entry) -> int:
    _, height, width = entry.size or (0, 1, 1)
    return height * width
