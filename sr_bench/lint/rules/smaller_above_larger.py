"""SRB107: a smaller model that is printed above a larger one of its family."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import starmap

import numpy as np

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
        yield from starmap(_finding, _above_larger(family))


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


def _above_larger(family: Sequence[_Model]) -> Iterator[tuple[_Model, _Model, int]]:
    """Yield each model above larger ones, with the lowest of those, and how many more they are."""
    # In arrays: one model is compared with all others in a few operations.
    most = np.array([bounds(model.psnr)[1] for model in family])
    shapes = np.array([_shape(model.entry) for model in family])
    costs = {metric: np.array([_least(model, metric) for model in family]) for metric in _COSTS}
    for small in family:
        larger = most < bounds(small.psnr)[0] - CLEAR["psnr"]
        # Where Params and operations disagree, neither model is the larger one.
        for metric, cost in small.costs.items():
            larger &= ~(costs[metric] <= bounds(cost)[1])
        larger &= ~np.isnan([costs[metric] for metric in small.costs]).all(axis=0)
        if shape := _shape(small.entry):  # a blank one contradicts none
            larger &= (shapes == shape) | (shapes == "")
        if larger.any():
            lowest = int(np.where(larger, most, np.inf).argmin())
            yield small, family[lowest], int(larger.sum()) - 1


def _least(model: _Model, metric: str) -> float:
    """Return the least number that is printed like the model's; NaN if none is."""
    return bounds(model.costs[metric])[0] if metric in model.costs else np.nan


def _family(subject: Subject, entry: Entry) -> tuple[object, ...]:
    """Return what is equal for rows of one family that answer the same question."""
    printed = entry.row_source.casefold(), entry.backend, entry.device, entry.dataset
    architecture = _architecture(subject, entry)
    return (architecture, *printed, subject.scale(entry), subject.protocol(entry))


def _architecture(subject: Subject, entry: Entry) -> str:
    """Return the card's architecture, or what the label's first letters say: RCAN, RCAN2."""
    model = subject.model(entry)
    if model and model.architecture:
        return model.architecture
    letters = re.match(r"[^\W\d_]+", entry.row)
    return letters[0].casefold() if letters else entry.row


def _shape(entry: Entry) -> str:
    return str(entry.size or entry.shape.casefold())


def _costs(subject: Subject) -> dict[RowKey, dict[str, Claim]]:
    """Return the cost numbers of each model's fp32 rows, which may stand in another table."""
    costs: dict[RowKey, dict[str, Claim]] = {}
    for entry in subject.entries:
        printed = {metric: entry.claims[metric] for metric in _COSTS if metric in entry.claims}
        if printed and entry.precision.is_full:
            costs.setdefault(entry.key, {}).update(printed)
    return costs
