"""Judge a drop by its limits, and say what it amounts to: pure functions."""

from collections.abc import Collection, Sequence
from math import ceil, inf

from sr_bench.core.gate import Drop, quantity
from sr_bench.core.int8 import DropLimit
from sr_bench.core.metric import metric_info, with_unit
from sr_bench.core.status import Status
from sr_bench.engine.judge.interval import FEWEST, RARE, nearly_perfect, paired_drop

_ROUND_OFF = 1e-9
"""Slop of binary floats, far below any limit: an interval that ends on the limit is within."""

_NEVER = 1000.0
"""As many times the images: no data set is that large, so nothing is said of how many would do."""


def drop_by(
    metric: str,
    low: Sequence[float],
    reference: Sequence[float],
    limit: DropLimit,
    left_out: Collection[int] | None = None,
) -> Drop:
    """Return by how much `metric` is worse in `low`, as `paired_drop`; None: without `flat`."""
    return paired_drop(
        low,
        reference,
        higher_is_better=metric_info(metric).drops,
        left_out=flat(metric, low, reference) if left_out is None else left_out,
        worst=limit.image,
    )


def flat(metric: str, low: Sequence[float], reference: Sequence[float]) -> tuple[int, ...]:
    """Return which images `metric` leaves out, as `nearly_perfect`; flat ones are such."""
    info = metric_info(metric)
    return nearly_perfect(low, reference, higher_is_better=info.drops, perfect=info.perfect)


def judge_drop(
    metric: str, drop: Drop, limit: DropLimit, names: Sequence[str]
) -> tuple[Status, str]:
    """Return whether `drop`, of the images `names`, keeps to `limit`, and a sentence with why."""
    status = drop_status(drop, limit)
    return status, _told(status, metric, drop, limit, names)


def drop_status(drop: Drop, limit: DropLimit) -> Status:
    """Return whether a drop of at most `limit` is sure, ruled out, or neither."""
    if _is_beyond(drop, limit):
        return Status.LOSS
    if drop.high95 <= limit.mean + _ROUND_OFF:
        return Status.WITHIN
    return Status.LOSS if drop.low95 > limit.mean + _ROUND_OFF else Status.UNDECIDED


def _is_beyond(drop: Drop, limit: DropLimit) -> bool:
    return limit.image is not None and drop.worst > limit.image + _ROUND_OFF


def _told(status: Status, metric: str, drop: Drop, limit: DropLimit, names: Sequence[str]) -> str:
    """Return what `drop` amounts to, in plain words with numbers."""
    info = metric_info(metric)
    name, way = info.title, "drops" if info.drops else "rises"
    mean = f"{name} {way} by {quantity(metric, drop.mean)} on average"
    budget = f"the budget of {with_unit(f'{limit.mean:g}', metric)}"
    worst = f"{names[drop.worst_index]!r} by {quantity(metric, drop.worst)}"
    if _is_beyond(drop, limit):
        most = with_unit(f"{limit.image:g}", metric)
        return f"{name} {way} most on {worst}, where no image may lose more than {most}"
    if drop.count == 1 and status is Status.UNDECIDED:  # one has no interval
        return f"too few images to tell: one image, {worst} in {name}, with {budget}"
    found = f"{mean} (95 % interval {drop.interval(metric)})"
    if status is Status.WITHIN:
        return f"{found}, within {budget}"
    if status is Status.LOSS:
        return f"{found}, above {budget}, most on {worst}"
    if drop.high95 == inf:
        return f"too few images to tell: {found}, with {budget}; {_too_few(drop.count)}"
    why = "too few images" if drop.detectable > limit.mean else "too close to the budget"
    return (
        f"{why} to tell: {found}; these {drop.count} images detect {way} of"
        f" {quantity(metric, drop.detectable)}, and {budget} lies in the interval"
        f"{_needed(drop, limit.mean)}"
    )


def _too_few(count: int) -> str:
    """Return why no `count` images can tell, and what would."""
    unseen = 100 * (1 - RARE) ** count
    return (
        f"if one image in ten loses much, {unseen:.0f} % of all sets of {count} show none of them;"
        f" {FEWEST} images would tell, or a limit for each image"
    )


def _needed(drop: Drop, limit: float) -> str:
    """Return how many images would tell, if that can be said."""
    if drop.mean >= limit:  # more images may well show a loss
        return ""
    times = ((drop.high95 - drop.mean) / (limit - drop.mean)) ** 2  # the interval shrinks so
    return f"; about {ceil(drop.count * times)} images would tell" if times < _NEVER else ""
