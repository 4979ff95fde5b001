"""SRB110: a page of the document prints another number for one of its rows."""

from collections.abc import Iterator

from sr_bench.core.claim import Claim
from sr_bench.core.metric import metric_info, quantity, with_unit
from sr_bench.lint.digits import decimals
from sr_bench.lint.entries import Entry
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.matching import Match, Printed, in_unit_of
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB110",
    Severity.WARNING,
    "a page prints another number for a row",
    "A page that the document links to, that lies in source_code/ beside it or that is named with"
    " it, or the document's own text, prints a result of the same model and precision that rounding"
    " does not explain. Differences of less than 1 dB are a note, as are those of SSIM alone:"
    " another version of the software can cause them.",
    "measure again, and print the number in both places",
    across=True,
)

_FAR = {"psnr": 1.0, "ssim": 0.1}
_FAR_SHARE = 0.02  # of any other metric's number
_MOST_ROWS = 64  # of one model
_ENOUGH = 6  # decimals in all: fewer agree by mere chance


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each row and page that contradict each other."""
    models: dict[tuple[object, ...], list[Entry]] = {}
    for entry in subject.entries:
        models.setdefault((*entry.key, entry.dataset, entry.scale), []).append(entry)
    for match in subject.matches:
        if differing := list(match.differing()):
            entry = match.entry
            siblings = models[(*entry.key, entry.dataset, entry.scale)][:_MOST_ROWS]
            copied = next((s for s in siblings if s is not entry and _equal(s, match)), None)
            note = "" if copied is None else f"; those are the numbers of {copied.precision} here"
            yield RULE.found(
                differing[0][0].source,
                f"{entry.name}: {_both(differing)}{note}",
                row=entry.row,
                severity=None if copied or _far(match, differing) else Severity.NOTE,
            )


def _both(differing: list[tuple[Claim, Printed]]) -> str:
    here = " and ".join(f"{metric_info(c.metric).title} {quantity(c)}" for c, _ in differing)
    there = " and ".join(
        with_unit(f"{in_unit_of(claim, number):.{max(1, decimals(claim))}f}", claim.metric)
        for claim, number in differing
    )
    return f"{here}, where {differing[0][1].source} prints {there}"


def _far(match: Match, differing: list[tuple[Claim, Printed]]) -> bool:
    # Where PSNR tells that the images are the same, SSIM may be of another definition.
    psnr = [pair for pair in differing if pair[0].metric == "psnr"]
    judged = psnr or ([] if "psnr" in match.numbers else differing)
    return any(
        abs(in_unit_of(claim, number) - claim.value)
        > _FAR.get(claim.metric, _FAR_SHARE * abs(claim.value))
        for claim, number in judged
    )


def _equal(entry: Entry, match: Match) -> bool:
    """Tell whether all that a page prints of a match are, in enough digits, another row's."""
    claims = [entry.claims[metric] for metric in match.numbers if metric in entry.claims]
    digits = sum(map(decimals, claims))
    return digits >= _ENOUGH and all(
        abs(in_unit_of(claim, match.numbers[claim.metric][0]) - claim.value) <= claim.half_step
        for claim in claims
    )
