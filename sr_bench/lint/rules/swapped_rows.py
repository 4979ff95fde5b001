"""SRB102: an fp32 row and a low precision row that look swapped."""

from collections.abc import Iterator

from sr_bench.core.case import IMAGE_METRICS
from sr_bench.lint.digits import difference, excess
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Entry, Subject

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
    for full, low in subject.pairs:
        if look_swapped(subject, full, low):
            psnr, ssim = ((full.claims[m].text, low.claims[m].text) for m in IMAGE_METRICS)
            yield RULE.found(
                low.claims["psnr"].source,
                f"{low.name}: {psnr[1]} dB / {ssim[1]} is above fp32's {psnr[0]} dB / {ssim[0]} in"
                " both metrics, while the other models of this table lose by the same precision:"
                " the two rows look swapped",
                row=low.row,
            )


def look_swapped(subject: Subject, full: Entry, low: Entry) -> bool:
    """Tell whether `low` gains over `full` no more than the table's other models lose."""
    if not _printed(full, low) or not all(
        excess(low.claims[metric], full.claims[metric]) > 0 for metric in IMAGE_METRICS
    ):
        return False
    siblings = [
        (other_full, other)
        for other_full, other in subject.pairs
        if other.key != low.key
        and other.precision.dtype == low.precision.dtype
        and _printed(other_full, other)
    ]
    return bool(siblings) and all(  # of no siblings all() would be true
        all(_loss(*pair, metric) > 0 for pair in siblings)
        and -_loss(full, low, metric) <= max(_loss(*pair, metric) for pair in siblings)
        for metric in IMAGE_METRICS
    )


def _printed(full: Entry, low: Entry) -> bool:
    return all(metric in entry.claims for entry in (full, low) for metric in IMAGE_METRICS)


def _loss(full: Entry, low: Entry, metric: str) -> float:
    return float(difference(full.claims[metric], low.claims[metric]))
