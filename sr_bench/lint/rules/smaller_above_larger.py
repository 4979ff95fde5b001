"""SRB107: a smaller model that is printed above a larger one of its family."""

import re
from collections.abc import Iterator
from itertools import permutations

from sr_bench.core.claim import Claim
from sr_bench.lint.digits import CLEAR, excess, gap
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Entry, Subject

RULE = Rule(
    "SRB107",
    Severity.NOTE,
    "a smaller model is above a larger one of its family",
    "Of two fp32 rows of one family, source, scale, shape and dataset the one with fewer Params and"
    " Flops has the higher PSNR, by more than 0.05 dB. Longer training can do that; so can a"
    " number of another protocol.",
    "make sure that both were measured alike, and say how the smaller one was trained",
)

# What makes a network large, with its unit.
_COSTS: dict[str, str] = {"params": "M Params", "flops": "G Flops"}


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each model that is above a larger one."""
    full = [entry for entry in subject.entries if entry.precision.is_full]
    for small, large in permutations(full, 2):
        if "psnr" not in small.claims or "psnr" not in large.claims:
            continue
        psnr, larger = small.claims["psnr"], large.claims["psnr"]
        if excess(psnr, larger) <= CLEAR["psnr"] or not _comparable(subject, small, large):
            continue
        costs, larger_costs = _costs(subject, small), _costs(subject, large)
        both = [metric for metric in _COSTS if metric in costs and metric in larger_costs]
        # Where Params and Flops disagree, neither model is the larger one.
        if both and all(excess(larger_costs[metric], costs[metric]) > 0 for metric in both):
            sizes = (f"{costs[m].text} against {larger_costs[m].text} {_COSTS[m]}" for m in both)
            yield RULE.found(
                psnr.source,
                f"{small.name}: PSNR {psnr.text} dB is {gap(psnr, larger)} dB above"
                f" {large.name}, which is larger: {', '.join(sizes)}",
                row=small.row,
            )


def _comparable(subject: Subject, first: Entry, second: Entry) -> bool:
    """Tell whether two rows are of one family and answer the same question."""
    sides = [
        (
            _family(subject, entry),
            entry.row_source.casefold(),
            entry.backend,
            entry.dataset,
            subject.scale(entry),
            subject.protocol(entry),
        )
        for entry in (first, second)
    ]
    shapes = {entry.size or entry.shape.casefold() for entry in (first, second)} - {""}
    return sides[0] == sides[1] and len(shapes) < 2  # a blank shape contradicts none


def _family(subject: Subject, entry: Entry) -> str:
    """Return the card's architecture, or what the label's first letters say: RCAN, RCAN2."""
    model = subject.model(entry)
    if model and model.architecture:
        return model.architecture
    letters = re.match(r"[^\W\d_]+", entry.row)
    return letters[0].casefold() if letters else entry.row


def _costs(subject: Subject, entry: Entry) -> dict[str, Claim]:
    """Return the cost numbers of the model's fp32 rows, which may stand in another table."""
    return {
        metric: other.claims[metric]
        for other in subject.entries
        if other.key == entry.key and other.precision.is_full
        for metric in _COSTS.keys() & other.claims.keys()
    }
