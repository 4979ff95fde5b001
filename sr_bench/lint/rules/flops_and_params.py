"""SRB209: Flops and Params that can't be of one network."""

import math
from collections.abc import Iterator

from sr_bench.core.claim import Claim
from sr_bench.core.metric import image_metrics, metric_info, quantity
from sr_bench.document.sizes import Size
from sr_bench.lint.digits import bounds
from sr_bench.lint.entries import Entry
from sr_bench.lint.finding import Finding, Rule, Severity
from sr_bench.lint.subject import Subject

RULE = Rule(
    "SRB209",
    Severity.WARNING,
    "Flops and Params can't be of one network",
    "A convolution at full resolution uses each parameter once for each pixel: Flops are one or two"
    " times Params x pixels. Strides make that less, recursion and layers after an upsampling more,"
    " but no known network is as far off as this; most often a unit is a thousand off.",
    "check both units, and the shape that was counted on",
)

_OF_IMAGES = (1 / 300, 1000.0)
"""Operations for each parameter and pixel, of networks that return an image: those with many
scales have 0.005 (U-Net) to 0.2, recursive ones up to 60, at x4 counted on the output 16 times as
many."""
_OF_CLASSES = (1e-5, 0.15)
"""Of networks that only classify: most of their parameters meet few pixels."""
_OF_OTHERS = (1e-5, 100.0)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each row whose operations for a parameter and pixel are absurd."""
    metrics = {metric for entry in subject.entries for metric in entry.claims}
    classes = any(metric.startswith(("top1", "top5")) for metric in metrics)
    known = _OF_CLASSES if classes else _OF_OTHERS
    known = _OF_IMAGES if metrics & set(image_metrics()) else known
    for entry in subject.entries:
        for metric in ("flops", "macs"):
            claim, params = entry.claims.get(metric), entry.claims.get("params")
            if claim and params and entry.size and claim.value > 0 and params.value > 0:
                yield from _absurd(entry, entry.size, claim, params, known)


def _absurd(
    entry: Entry, size: Size, claim: Claim, params: Claim, known: tuple[float, float]
) -> Iterator[Finding]:
    per_pixel = 1e3 / math.prod(size[1:])  # of G by M
    # A number with one digit, such as 0.01 M, may be half as much again.
    (least, most), (fewest, largest) = bounds(claim), bounds(params)
    if most * per_pixel >= known[0] * fewest and least * per_pixel <= known[1] * largest:
        return
    each = claim.value / params.value * per_pixel
    factor = _usual(each, known)
    guess = f"; {factor:g} times as many would be usual" if factor else ""
    yield RULE.found(
        claim.source,
        f"{entry.name}: {metric_info(claim.metric).title} {quantity(claim)} on {entry.shape} are"
        f" {each:.2g} operations for each of {quantity(params)} Params and each pixel,"
        f" where {known[0]:.2g} to {known[1]:g} are known{guess}",
        row=entry.row,
    )


def _usual(each: float, known: tuple[float, float]) -> float:
    """Return the least power of a thousand that brings `each` within `known`; 0 for none."""
    factors = (1000.0 ** (sign * steps) for steps in range(1, 5) for sign in (1, -1))
    return next((one for one in factors if known[0] <= each * one <= known[1]), 0.0)
