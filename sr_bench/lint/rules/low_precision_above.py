"""SRB101: a low precision that is better than the fp32 row it is made from."""

from collections.abc import Iterator

from sr_bench.core.metric import with_unit
from sr_bench.lint.digits import NOISE, excess, gap
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.rules.swapped_rows import swapped_pairs
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB101",
    Severity.WARNING,
    "a low precision is above fp32",
    "Fewer bits can't know more than fp32 does: rows like these are of different protocols, images"
    " or weights. Rounding of the printed digits is allowed for; up to 0.01 dB or 0.001 SSIM above"
    " that is only a note, as int8 moves that much by chance.",
    "measure both rows by one protocol on the same images",
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each low precision row, with all its numbers above fp32."""
    swapped = {low.claims["psnr"].source for _, low in swapped_pairs(subject)}
    for full, low in subject.pairs:
        if "psnr" in low.claims and low.claims["psnr"].source in swapped:  # SRB102 is about those
            continue
        metrics = [metric for metric in NOISE if metric in full.claims and metric in low.claims]
        gains = {metric: excess(low.claims[metric], full.claims[metric]) for metric in metrics}
        if not (above := [metric for metric in metrics if gains[metric] > 0]):
            continue
        parts = [
            f"{metric.upper()} {low.claims[metric].text} is"
            f" {with_unit(gap(low.claims[metric], full.claims[metric]), metric)} above fp32's"
            f" {full.claims[metric].text}"
            for metric in above
        ]
        by_chance = all(gains[metric] <= NOISE[metric] for metric in above)
        yield RULE.found(
            low.claims[above[0]].source,
            f"{low.name}: {' and '.join(parts)}",
            row=low.row,
            severity=Severity.NOTE if by_chance else None,
        )
