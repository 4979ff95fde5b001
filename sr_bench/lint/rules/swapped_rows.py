"""SRB102: an fp32 row and a low precision row that look swapped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from math import inf

from sr_bench.core.case import IMAGE_METRICS
from sr_bench.engine.plan.binding import RowKey
from sr_bench.lint.digits import difference, excess
from sr_bench.lint.entries import Entry
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB102",
    Severity.WARNING,
    "an fp32 row and its low precision row look swapped",
    "The low precision gains in PSNR and SSIM what other models of the table lose by it: with the"
    " two rows exchanged the table would be plausible.",
    "look up which script printed which row, and exchange the numbers if they are swapped",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each pair of rows that look swapped."""
    for full, low in swapped_pairs(subject):
        psnr, ssim = ((full.claims[m].text, low.claims[m].text) for m in IMAGE_METRICS)
        yield RULE.found(
            low.claims["psnr"].source,
            f"{low.name}: {psnr[1]} dB / {ssim[1]} is above fp32's {psnr[0]} dB / {ssim[0]} in"
            " both metrics, while the other models of this table lose by the same precision:"
            " the two rows look swapped",
            row=low.row,
        )


def swapped_pairs(subject: Subject) -> Iterator[tuple[Entry, Entry]]:
    """Yield each pair whose low precision gains no more than the table's other models lose."""
    printed = [pair for pair in subject.pairs if all(map(_has_both, pair))]
    losses: dict[tuple[str, str], dict[RowKey, list[float]]] = {}
    for full, low in printed:
        for metric in IMAGE_METRICS:
            loss = float(difference(full.claims[metric], low.claims[metric]))
            models = losses.setdefault((low.precision.dtype, metric), {})
            models.setdefault(low.key, []).append(loss)
    others = {kind: _Others.of(models) for kind, models in losses.items()}
    for full, low in printed:
        if all(
            excess(low.claims[metric], full.claims[metric]) > 0
            and float(difference(low.claims[metric], full.claims[metric]))
            <= others[low.precision.dtype, metric].lose(low.key)
            for metric in IMAGE_METRICS
        ):
            yield full, low


@dataclass(frozen=True)
class _Others:
    """What the other models of a table lose in one metric by one kind of precision."""

    gaining: frozenset[RowKey]
    """The models with a row that loses nothing."""
    most: tuple[tuple[float, RowKey], ...]
    """The two greatest losses of different models, with those."""

    @classmethod
    def of(cls, losses: Mapping[RowKey, Sequence[float]]) -> "_Others":
        """Return what there is to say of `losses` by model."""
        gaining = frozenset(key for key, values in losses.items() if min(values) <= 0)
        most = nlargest(2, ((max(values), key) for key, values in losses.items()))
        return cls(gaining, tuple(most))

    def lose(self, key: RowKey) -> float:
        """Return the most that a model but `key` loses; less than anything if not all lose."""
        losses = (loss for loss, other in self.most if other != key)
        all_lose = len(self.gaining) == (key in self.gaining)
        return next(losses, -inf) if all_lose else -inf


def _has_both(entry: Entry) -> bool:
    return all(metric in entry.claims for metric in IMAGE_METRICS)
