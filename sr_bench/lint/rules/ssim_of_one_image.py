"""SRB109: an SSIM that is one image's, not the mean of the dataset."""

import re
from collections.abc import Iterator

from sr_bench.core.metric import metric_info
from sr_bench.lint.entries import Entry
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB109",
    Severity.NOTE,
    "an SSIM is of a single image",
    "The card's protocol takes the SSIM of the last image for the dataset's, as some scripts do, or"
    " the card declares a known gap for that reason. Such a number says nothing of the dataset.",
    "print the mean over all images",
)

_ONE_IMAGE = re.compile(r"\b(one|last|single) image", re.IGNORECASE)  # reasons are free text


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each printed SSIM that the card knows to be of one image."""
    for entry in subject.entries:
        for metric, claim in entry.claims.items():
            info = metric_info(metric)
            if info.follows_ssim_aggregation and (why := _why(subject, entry, metric)):
                text = f"{entry.name}: {info.title} {claim.text}: {why}"
                yield RULE.found(claim.source, text, row=entry.row)


def _why(subject: Subject, entry: Entry, metric: str) -> str:
    model, evaluation = subject.model(entry), subject.evaluation(entry)
    if model is None or evaluation is None:
        return ""
    if evaluation.protocol.ssim_aggregation == "last_image":
        return f"protocol {evaluation.protocol.name} takes the last image's for the mean"
    gap = model.gap_for(metric, entry.precision, evaluation.dataset, entry.variant)
    return gap.reason if gap and _ONE_IMAGE.search(gap.reason) else ""
