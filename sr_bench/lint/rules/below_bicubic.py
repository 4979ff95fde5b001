"""SRB106: a network that is worse than plain bicubic enlargement."""

import re
from collections.abc import Iterator

from sr_bench.core.claim import Claim
from sr_bench.core.metric import with_unit
from sr_bench.data.dataset import Floor
from sr_bench.document.labels import without_scale
from sr_bench.lint.entries import Entry
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB106",
    Severity.WARNING,
    "a number is below plain bicubic enlargement",
    "The dataset's manifest says what bicubic enlargement scores by the card's protocol; a network"
    " below that does harm, or its output is read wrongly. SSIM alone below it is only a note, as"
    " quantisation noise costs SSIM first. Networks trained for sharp looks may be below.",
    "check channel order, value range and alignment of the output",
)

_BICUBIC = re.compile(r"bicubic[\s_()-]*", re.IGNORECASE)  # and not Bicubic++


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each row with a number below the floor of its dataset and protocol."""
    for entry in subject.entries:
        if _BICUBIC.fullmatch(without_scale(entry.row)):
            continue  # plain enlargement itself, perhaps by another rule
        model = subject.model(entry)
        evaluation = subject.evaluation(entry)
        dataset = evaluation and subject.datasets.get(evaluation.dataset)
        if not model or not evaluation or not dataset:
            continue
        floor = dataset.floor(model.scale, evaluation.protocol.name)
        if floor and (below := _below(entry, floor)):
            numbers = " and ".join(
                f"{claim.metric.upper()} {with_unit(claim.text, claim.metric)} is below"
                f" {with_unit(f'{limit:g}', claim.metric)}"
                for claim, limit in below.items()
            )
            psnr = any(claim.metric == "psnr" for claim in below)
            yield RULE.found(
                next(iter(below)).source,
                f"{entry.name}: {numbers}, which bicubic enlargement has on"
                f" {dataset.slug}_x{floor.scale} by {floor.protocol}",
                row=entry.row,
                severity=None if psnr else Severity.NOTE,
            )


def _below(entry: Entry, floor: Floor) -> dict[Claim, float]:
    """Return each claim that is below its floor even if it was rounded down, with that floor."""
    limits = {"psnr": floor.psnr_db, "ssim": floor.ssim}
    return {
        claim: limits[claim.metric]
        for claim in entry.claims.values()
        if claim.metric in limits and claim.value + claim.half_step < limits[claim.metric]
    }
