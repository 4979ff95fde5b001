"""Stop a run early: judge it on some of its images, by an interval that allows for the others.

The value of a run is a mean over its images. What an earlier whole record says of each image is
known; unknown is how far the images have moved since, on average, and for that some of them do.
They are taken in a random order, and looked at after 8, 16, 32 and so on. Two things can go wrong,
and each has half of the 5 % that a decision may err by at most:

- Those drawn are better or worse than the others. Each look has an interval, and all looks share
  this half evenly (Bonferroni's rule): all intervals hold at once, and any of them may decide.
- A few images went wrong and none of them was drawn. No interval shows that, least of all if those
  drawn did not move at all: 8 equal images of 100 do not prove the rest equal. So nothing is
  cleared before one of any `HIDDEN_SHARE` of the images would have been drawn, but for this half
  (the rule of three, for a set with an end). A single image that went wrong is still missed as
  often as it is left out.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import takewhile
from typing import Literal

from sr_bench.core.card import KnownGap, Tolerance
from sr_bench.core.claim import Claim
from sr_bench.core.gate import Drop, GateVerdict
from sr_bench.core.int8 import Gate
from sr_bench.core.metric import metric_info, with_unit
from sr_bench.core.record import Measurement, Status, Verdict
from sr_bench.engine.job import Enough, ImageResult
from sr_bench.engine.judge.claim import band, judge
from sr_bench.engine.judge.gate import drop_status, judge_images, worst_status
from sr_bench.engine.judge.interval import mean_interval
from sr_bench.errors import MetricError
from sr_bench.files.hashing import sha256_bytes

HIDDEN_SHARE = 0.05
"""Part of the images that may not have gone wrong unseen."""

_FIRST_LOOK = 8
_INTERVALS_RISK = 0.025
"""That one of the intervals of all looks does not hold the value of all images."""
_HIDDEN_RISK = 0.025
"""That all images of a `HIDDEN_SHARE` are among those left out."""

_MORE_DIGITS = 2
"""Beyond those of the claim, to show an interval with."""


Decision = Literal["clears", "breaks", "open"]


@dataclass(frozen=True)
class Look:
    """What `n` of `planned` images tell about all of them."""

    n: int
    planned: int
    interval: tuple[float, float]
    """Of the value of all images, in the metric's unit; of a gate, of the mean drop of PSNR."""
    decided: Decision
    sentence: str
    estimate: float | None = None
    """What the interval is about; None before the first look, and without a baseline."""
    found: GateVerdict | None = None
    """Of a gate: what these images give, with `sentence`."""


Ask = Callable[[Sequence[ImageResult]], Look]
"""Told the results so far, in the order of measuring: what they tell about one case."""


def measuring_order(planned: int, seed: str) -> tuple[int, ...]:
    """Return the numbers of all images, from 0, in an order that only `seed` decides.

    A gate needs the same images of two runs: give both the same seed, of what they share.
    """
    return tuple(sorted(range(planned), key=lambda i: sha256_bytes(f"{seed}|{i}".encode())))


def planned_looks(planned: int) -> tuple[int, ...]:
    """Return after how many of `planned` images a run is looked at: 8, 16, 32, ... below all."""
    sizes = (_FIRST_LOOK * 2**i for i in range(planned.bit_length()))
    return tuple(takewhile(lambda n: n < planned, sizes))


def confidence(planned: int) -> float:
    """Return the confidence of the interval of each look at a run of `planned` images, above 8."""
    return 1 - _INTERVALS_RISK / len(planned_looks(planned))


def fewest(planned: int) -> int:
    """Return the number of images before which nothing is cleared."""
    hidden = math.ceil(HIDDEN_SHARE * planned)
    unseen, n = 1.0, 0
    while unseen > _HIDDEN_RISK:
        unseen *= (planned - hidden - n) / (planned - n)
        n += 1
    return n


def enough(asks: Sequence[Ask], planned: int) -> Enough:
    """Return what ends a run once a look decides each of `asks`; without any, nothing does."""
    sizes = planned_looks(planned)

    def decided(results: Sequence[ImageResult]) -> bool:
        looked_at = bool(asks) and len(results) in sizes
        return looked_at and all(ask(results).decided != "open" for ask in asks)

    return decided


def look_at_claim(
    claim: Claim,
    tolerance: Tolerance,
    results: Sequence[ImageResult],
    baseline: Mapping[str, float] | None,
    planned: int,
) -> Look:
    """Return the last look at `results` that decides; if none does, the last look.

    A look decides if all of its interval agrees with the claim, or none. Without a baseline none
    does: PSNR differs by several dB from image to image, so that the interval of the mean of some
    is hundreds of times as wide as half a printed step.

    Args:
        claim: What is printed.
        tolerance: Of the card.
        results: So far, in the order of measuring.
        baseline: An earlier value of each image, from `baseline.baseline_of`.
        planned: Number of all images.

    Raises:
        MetricError: The baseline is not about the same images.
    """
    if baseline is None:
        told = "no earlier whole record of the same data and protocol to pair with"
        return _nothing(len(results), planned, told)
    known = sum(item.image in baseline for item in results)
    if known < len(results) or len(baseline) != planned:
        msg = (
            f"expected an earlier record of the same {planned} images, got one of {len(baseline)}"
            f" that knows {known} of the {len(results)} measured: measure all of them once"
        )
        raise MetricError(msg)
    return _last(
        lambda n: _claim_look(claim, tolerance, results[:n], baseline), len(results), planned
    )


def _nothing(n: int, planned: int, why: str) -> Look:
    return Look(n, planned, (-math.inf, math.inf), "open", f"{n} of {planned} images: {why}")


def _last(look_at: Callable[[int], Look], n: int, planned: int) -> Look:
    """Return the last look at up to `n` images that decides, else the last of them."""
    found = _nothing(n, planned, f"the first look is after {_FIRST_LOOK}")
    for look in (look_at(size) for size in planned_looks(planned) if size <= n):
        if look.decided != "open" or found.decided == "open":
            found = look
    return found


def _claim_look(
    claim: Claim,
    tolerance: Tolerance,
    results: Sequence[ImageResult],
    baseline: Mapping[str, float],
) -> Look:
    n, planned = len(results), len(baseline)
    moved = [item.scores[claim.metric] - baseline[item.image] for item in results]
    if not all(map(math.isfinite, moved)):
        return _nothing(n, planned, "one is perfect, so that its value has no distance to others")
    mean, below, above = _mean_of_all(moved, planned)
    estimate = math.fsum(baseline.values()) / planned + mean
    low, high = estimate + below, estimate + above
    decided = _decided(claim, tolerance, (low, high), sure=n >= fewest(planned))
    places = max(0, _MORE_DIGITS - int(Decimal(claim.text).as_tuple().exponent))
    ends = " and ".join(with_unit(f"{end:.{places}f}", claim.metric) for end in (low, high))
    told = (
        f"{n} of {planned} images, paired with an earlier record, put the value of all between"
        f" {ends} ({100 * confidence(planned):.1f} %)"
    )
    return Look(n, planned, (low, high), decided, told, estimate)


def _mean_of_all(drawn: Sequence[float], planned: int) -> tuple[float, float, float]:
    """Return the mean of `planned` values of which some are `drawn`, and how far its ends lie off.

    They are drawn from a set with an end: with no rest there is no doubt. Of the rest, 3 in as many
    as are drawn may lie beyond all that are (the rule of three): they are allowed for as if they
    lay at the extremes, on either side.
    """
    found, rest = mean_interval(drawn, confidence(planned)), 1 - len(drawn) / planned
    beyond = 3 * rest / len(drawn)
    below = math.sqrt(rest) * (found.low - found.mean) + beyond * (min(drawn) - found.mean)
    above = math.sqrt(rest) * (found.high - found.mean) + beyond * (max(drawn) - found.mean)
    return found.mean, below, above


def _decided(
    claim: Claim, tolerance: Tolerance, interval: tuple[float, float], *, sure: bool
) -> Decision:
    """Return what an interval decides; `sure` if images of another kind would have been seen.

    An interval that fits the band may be so narrow because the images that moved are not in it.
    """
    least, most = band(claim, tolerance)
    narrow = interval[1] - interval[0] <= most - least
    ends = {_judged(claim, tolerance, end).status for end in interval}
    if len(ends) > 1 or (narrow and not sure):
        return "open"
    return "clears" if Status.MATCH in ends else "breaks"


def _judged(claim: Claim, tolerance: Tolerance, value: float) -> Verdict:
    measurement = Measurement(claim.metric, metric_info(claim.metric).unit, value)
    return judge(claim, measurement, tolerance=tolerance)


def verdict_early(
    claim: Claim, tolerance: Tolerance, look: Look, gap: KnownGap | None = None
) -> Verdict:
    """Return the verdict that `look` gives; its measured value is the estimate for all images.

    A known gap stays one: only a whole run may ask to remove it. A look that decides nothing is
    ``not_run``.
    """
    if look.decided == "open" or look.estimate is None:
        told = f"budget: {look.sentence}, which decides nothing"
        return Verdict(Status.NOT_RUN, told, look.estimate, claim.value)
    verdict = _judged(claim, tolerance, look.estimate)
    told = f"{gap.reason if gap else verdict.sentence}; judged early: {look.sentence}"
    return replace(verdict, status=Status.KNOWN_GAP if gap else verdict.status, sentence=told)


def look_at_gate(
    limits: Gate, low: Sequence[ImageResult], full: Sequence[ImageResult], planned: int
) -> Look:
    """Return the last look at a low precision that decides; if none does, the last look.

    It clears once both drops are within their limits and no image seen is less faithful than
    asked; of the others nothing is said. It breaks once a drop is a loss, or one image is not
    faithful, which no other can make good.

    Args:
        limits: Of the card.
        low: So far, in the order of measuring; what follows the first that `full` lacks is unused.
        full: Those in fp32, in any order.
        planned: Number of all images.

    Raises:
        MetricError: A score is NaN, or fidelity was not measured.
    """
    reference = {item.image: item for item in full}
    paired = tuple(takewhile(lambda item: item.image in reference, low))
    in_fp32 = tuple(reference[item.image] for item in paired)
    return _last(
        lambda n: _gate_look(limits, paired[:n], in_fp32[:n], planned), len(paired), planned
    )


def _gate_look(
    limits: Gate, low: Sequence[ImageResult], full: Sequence[ImageResult], planned: int
) -> Look:
    n, found = len(low), judge_images(limits, low, full)
    psnr, ssim = (_wider(drop, confidence(planned)) for drop in (found.psnr, found.ssim))
    drops = (drop_status(psnr, limits.max_drop_db), drop_status(ssim, limits.max_drop_ssim))
    status = worst_status((found.findings[0].status, *drops))  # the first is about fidelity
    decided: Decision = "breaks" if status is Status.LOSS else "open"
    if status is Status.WITHIN and n >= fewest(planned):
        decided = "clears"
    told = f"{found.sentence}; judged early, on {n} of {planned} images"
    interval = (psnr.low95, psnr.high95)
    return Look(n, planned, interval, decided, told, psnr.mean, replace(found, sentence=told))


def _wider(drop: Drop, confident: float) -> Drop:
    """Return `drop` with its interval at the confidence of a look; a boundless one stays."""
    if math.isinf(drop.mean):
        return drop
    found = mean_interval(drop.values, confident)
    return replace(drop, low95=found.low, high95=found.high)
