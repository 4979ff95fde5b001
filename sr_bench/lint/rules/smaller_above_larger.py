"""SRB107: a smaller model that is printed above a larger one of its family."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import or_

from sr_bench.core.claim import Claim
from sr_bench.core.metric import quantity
from sr_bench.engine.plan.binding import RowKey
from sr_bench.lint.digits import CLEAR, bounds, gap
from sr_bench.lint.entries import Entry
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject
from sr_bench.text.printable import counted

RULE = Rule(
    "SRB107",
    Severity.NOTE,
    "a smaller model is above a larger one of its family",
    "Of two fp32 rows of one family, source, scale, shape and dataset the one with fewer Params and"
    " Flops has the higher PSNR, by more than 0.05 dB. Longer training can do that; so can a"
    " number of another protocol. Of several larger ones the lowest is named.",
    "make sure that both were measured alike, and say how the smaller one was trained",
)

# What makes a network large, as messages call it.
_COSTS: dict[str, str] = {"params": "Params", "flops": "Flops", "macs": "MACs"}


@dataclass(frozen=True)
class _Model:
    """An fp32 entry with PSNR, and the cost numbers of its model row."""

    entry: Entry
    costs: dict[str, Claim]

    @property
    def psnr(self) -> Claim:
        return self.entry.claims["psnr"]


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each model that is above a larger one, about the lowest of those."""
    costs = _costs(subject)
    families: dict[tuple[object, ...], list[_Model]] = {}
    for entry in subject.entries:
        if entry.precision.is_full and "psnr" in entry.claims and entry.key in costs:
            model = _Model(entry, costs[entry.key])
            families.setdefault(_family(subject, entry), []).append(model)
    for family in families.values():
        ranking = _Ranking(tuple(sorted(family, key=lambda model: bounds(model.psnr)[1])))
        for small in family:
            larger = ranking.larger_below(small)
            if larger:
                yield _finding(small, ranking.lowest(larger), larger.bit_count() - 1)


def _finding(small: _Model, large: _Model, more: int) -> Finding:
    both = [metric for metric in _COSTS if metric in small.costs and metric in large.costs]
    sizes = ", ".join(
        f"{quantity(small.costs[m])} against {quantity(large.costs[m])} {_COSTS[m]}" for m in both
    )
    others = f"; so it is above {counted(more, 'other larger model')}" if more else ""
    return RULE.found(
        small.psnr.source,
        f"{small.entry.name}: PSNR {quantity(small.psnr)} is {gap(small.psnr, large.psnr)} dB above"
        f" {large.entry.name}, which is larger: {sizes}{others}",
        row=small.entry.row,
    )


@dataclass(frozen=True)
class _Ranking:
    """Models by their PSNR. A set of them is an int whose bit i stands for the i-th.

    So that one model is compared with all others in a few operations.
    """

    models: tuple[_Model, ...]

    def lowest(self, some: int) -> _Model:
        """Return the model of a set that isn't empty with the lowest PSNR."""
        return self.models[(some & -some).bit_length() - 1]

    def larger_below(self, small: _Model) -> int:
        """Return the models that are larger than `small` and clearly below it."""
        least = bounds(small.psnr)[0] - CLEAR["psnr"]
        below = (1 << bisect_left(self._most, least)) - 1
        # Where Params and operations disagree, neither model is the larger one.
        both = [metric for metric in _COSTS if metric in small.costs]
        comparable = 0
        for metric in both:
            known, larger = self._costly[metric].than(small.costs[metric])
            comparable |= known
            below &= larger | ~known
        return below & comparable & self._shapes(small)

    @cached_property
    def _most(self) -> list[float]:
        return [bounds(model.psnr)[1] for model in self.models]

    @cached_property
    def _costly(self) -> dict[str, "_Larger"]:
        return {metric: _Larger.by(metric, self.models) for metric in _COSTS}

    @cached_property
    def _of_shape(self) -> dict[object, int]:
        of_shape: dict[object, int] = {}
        for index, model in enumerate(self.models):
            shape = _shape(model.entry)
            of_shape[shape] = of_shape.get(shape, 0) | 1 << index
        return of_shape

    def _shapes(self, small: _Model) -> int:
        shape = _shape(small.entry)
        # A blank shape contradicts none.
        return self._of_shape[shape] | self._of_shape.get("", 0) if shape else -1


@dataclass(frozen=True)
class _Larger:
    """The models with a cost number, by what they cost at least."""

    least: list[float]
    """In falling order."""
    sets: list[int]
    """The first of them, the first two ..."""

    @classmethod
    def by(cls, metric: str, models: Sequence[_Model]) -> "_Larger":
        """Return the order of `models` by `metric`."""
        known = [(i, bounds(m.costs[metric])[0]) for i, m in enumerate(models) if metric in m.costs]
        known.sort(key=lambda pair: -pair[1])
        sets = list(accumulate((1 << index for index, _ in known), or_, initial=0))
        return cls([least for _, least in known], sets)

    def than(self, cost: Claim) -> tuple[int, int]:
        """Return the models whose cost is known, and those that cost more than `cost`."""
        count = bisect_left(self.least, -bounds(cost)[1], key=lambda least: -least)
        return self.sets[-1], self.sets[count]


def _family(subject: Subject, entry: Entry) -> tuple[object, ...]:
    """Return what is equal for rows of one family that answer the same question."""
    return (
        _architecture(subject, entry),
        entry.row_source.casefold(),
        entry.backend,
        entry.device,
        entry.dataset,
        subject.scale(entry),
        subject.protocol(entry),
    )


def _architecture(subject: Subject, entry: Entry) -> str:
    """Return the card's architecture, or what the label's first letters say: RCAN, RCAN2."""
    model = subject.model(entry)
    if model and model.architecture:
        return model.architecture
    letters = re.match(r"[^\W\d_]+", entry.row)
    return letters[0].casefold() if letters else entry.row


def _shape(entry: Entry) -> object:
    return entry.size or entry.shape.casefold()


def _costs(subject: Subject) -> dict[RowKey, dict[str, Claim]]:
    """Return the cost numbers of each model's fp32 rows, which may stand in another table."""
    costs: dict[RowKey, dict[str, Claim]] = {}
    for entry in subject.entries:
        printed = {metric: entry.claims[metric] for metric in _COSTS if metric in entry.claims}
        if printed and entry.precision.is_full:
            costs.setdefault(entry.key, {}).update(printed)
    return costs
