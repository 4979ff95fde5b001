"""SRB206: Flops of one model that don't follow its shapes."""

from collections.abc import Iterator
from itertools import combinations

from sr_bench.core.claim import Claim
from sr_bench.lint.counting import KNOWN
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Entry, Subject

RULE = Rule(
    "SRB206",
    Severity.WARNING,
    "Flops of one model contradict each other",
    "Two rows of one model, known by its label and its Params, print Flops that differ by a factor"
    " that counting tools are known for (2, 10/9), or don't differ at all, once their shapes are"
    " allowed for. Needs no card.",
    "count both rows with one tool, each on the shape that it prints",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each two rows of one model with contradicting Flops."""
    entries = [entry for entry in subject.entries if "flops" in entry.claims]
    for first, second in combinations(entries, 2):
        if _same_model(first, second) and first.size and second.size:
            area = second.size[1] * second.size[2] / (first.size[1] * first.size[2])
            other, claim = first.claims["flops"], second.claims["flops"]
            if why := _contradiction(other, claim, area):
                yield RULE.found(
                    claim.source,
                    f"{second.name}: Flops {claim.text} G on {second.shape} beside {other.text} G"
                    f" on {first.shape} in line {first.source.line}: {why}",
                    row=second.row,
                )


def _same_model(first: Entry, second: Entry) -> bool:
    params = [entry.claims.get("params") for entry in (first, second)]
    texts = {claim.text for claim in params if claim}
    return first.row.casefold() == second.row.casefold() and None not in params and len(texts) == 1


def _contradiction(first: Claim, second: Claim, area: float) -> str:
    """Return why two numbers can't both be right, their shapes' pixels being `area` to 1."""
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
