"""Set a measurement beside its floor, what bicubic enlargement scores: pure functions."""

from dataclasses import replace
from math import fsum

from sr_bench.core.metric import metric_info
from sr_bench.core.record import FLOOR, Measurement


def beside_floor(measured: Measurement, floor: Measurement) -> Measurement:
    """Return `measured` with the value of `floor` in its notes, if the two can be compared.

    An image that one of the two reproduces perfectly, such as a flat one, would make its mean
    infinite, or carry it: both means are then of the others. SSIM, which a protocol may take of
    the last image alone, has no such values. Without another image there is no floor.
    """
    info = metric_info(measured.metric)
    pairs = list(zip(measured.images, floor.images, strict=True))
    beyond = [a.image for a, b in pairs if info.is_perfect(a.value) or info.is_perfect(b.value)]
    if not beyond or info.follows_ssim_aggregation:
        return replace(measured, notes={**measured.notes, FLOOR: floor.value})
    scores = [b.value for _, b in pairs if b.image not in beyond]
    if not scores:
        return measured
    notes = {**measured.notes, FLOOR: fsum(scores) / len(scores)}
    return replace(measured, notes=notes, beyond_floor=tuple(beyond))
