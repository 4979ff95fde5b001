"""SRB111: a printed loss that is not the difference of the values beside it."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from sr_bench.core.case import COST_METRICS
from sr_bench.core.claim import Claim
from sr_bench.core.metric import metric_info, quantity
from sr_bench.document.spelling import words
from sr_bench.lint.digits import gap
from sr_bench.lint.entries import Entry
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB111",
    Severity.WARNING,
    "a loss is not the difference of the values beside it",
    "A column of losses (drop, degradation) stands beside columns of values: of one row the loss is"
    " neither the difference of two of its values nor their difference in percent. One of the"
    " numbers is wrong, or the column holds something else.",
    "correct the number that is wrong, or say in the header what the column holds",
)

_LOSS = "_loss"
_ALONE = words("loss drop degradation delta diff difference gap 掉点 损失 精度损失 下降")
"""Metrics that are what a header that names only a loss is read as."""
_MOST_VALUES = 16  # of one model and dataset


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each loss that no two values of its metric explain."""
    groups: dict[tuple[object, ...], list[Entry]] = {}
    for entry in subject.entries:
        groups.setdefault(entry.question, []).append(entry)
    for group in groups.values():
        for entry in group[:_MOST_VALUES]:
            for metric, of in _losses(entry, group):
                if found := _against(entry, metric, of, group):
                    yield found


def _losses(entry: Entry, group: list[Entry]) -> Iterator[tuple[str, str]]:
    """Yield each metric of an entry that is a loss, and the metric that it is a loss of."""
    for metric in entry.claims:
        if metric.endswith(_LOSS):
            yield metric, metric.removesuffix(_LOSS)
        elif metric in _ALONE:
            twice = Counter(name for one in group for name in one.claims.keys() - COST_METRICS)
            of = [name for name, count in twice.items() if count > 1 and name != metric]
            if len(of) == 1:
                yield metric, of[0]


def _against(entry: Entry, metric: str, of: str, group: list[Entry]) -> Finding | None:
    loss = entry.claims[metric]
    values = [other.claims[of] for other in group if of in other.claims][:_MOST_VALUES]
    pairs = list(combinations(values, 2))
    own = entry.claims.get(of)
    if own is not None and not entry.precision.is_full:  # a row's loss is that of its own value
        pairs = [pair for pair in pairs if own in pair]
    if not pairs or any(_explains(pair, loss) for pair in pairs):
        return None
    first, second = min(pairs, key=lambda pair: abs(_apart(*pair) - abs(loss.value)))
    title = metric_info(of).title
    return RULE.found(
        loss.source,
        f"{entry.name}: the loss of {title} is printed as {loss.text}, and {quantity(first)} and"
        f" {quantity(second)} differ by {gap(first, second)}",
        row=entry.row,
        # A loss alone may be the training's.
        severity=Severity.NOTE if metric in _ALONE else None,
    )


def _explains(pair: tuple[Claim, Claim], loss: Claim) -> bool:
    """Tell whether a loss is the difference of two values, or in percent of the first."""
    hidden, apart = sum(claim.half_step for claim in pair), _apart(*pair)
    # Each may be cut off in place of rounded.
    size, slack = abs(loss.value), 2 * loss.half_step
    bases = (abs(base.value) for base in pair if base.value)
    return abs(apart - size) <= slack + hidden or any(
        abs(100 * (apart / base) - size) <= slack + 200 * hidden / base for base in bases
    )


def _apart(first: Claim, second: Claim) -> float:
    return abs(first.value - second.value)
