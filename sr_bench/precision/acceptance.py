"""Accept a clip range only where it harms no calibration image; widen it where it does.

What a range gains in finer steps, every image gains; what it clips, a few images lose, and one of
strong texture lost 8 dB so. A range is accepted if on each calibration image the error of its
steps and of what it clips is at most what the range that clips nothing has. An error of clipping
lies in one place, with one sign and in many channels at once, so it adds up on the way to the
output where errors of rounding cancel: it counts `CLIPPING_WEIGHT` times.

Images that stress a network, such as text, would make all steps coarse if nothing of them were
clipped. So no observer sees them, a range may make `STRESS_MARGIN` times that error on them, and
for them it is widened only until its steps make `Images.stress_cost` times the error that they had.
Where no range keeps to both, the one is taken whose worst image is least above what it may have.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.precision.tails import Tails

CLIPPING_WEIGHT = 32.0
"""How much more a squared error of clipping counts than one of rounding.

Seen at the output of LESRCNN x2: 1 to 8 times, by photograph. Four times that is for images that
differ from those of the calibration set: with 8 the worst of them lost 2 dB more.
"""
STRESS_MARGIN = 480.0
"""How many times the error that other images may have is allowed on images that stress.

Chosen with LESRCNN x2 on photographs that nothing is reported on: it costs them 0.6 dB, a page of
text and a chart gain 5 to 8.
"""
STRESS_COST = 1.5
"""How many times the squared error of rounding images that stress may make of a tensor, at most.

In LESRCNN x2 1.25 costs 2 to 5 dB on saturated colours and gains 0.3 on photographs.
"""

_TRIED = 64  # ranges from the smallest to the widest
_MOST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class Widened:
    """A clip range that was not accepted, and what it became."""

    image: str
    """The calibration image that the range harms most."""
    asked: ClipRange
    """By the observer."""
    clip: ClipRange
    """The smallest range from there on that is accepted; else the one that harms least.

    An image is harmed by how many times the error that it may have a range makes on it.
    """


@dataclass(frozen=True)
class Images:
    """The calibration images, in the order in which tails hold them."""

    names: Sequence[str]
    stress: Collection[str]
    stress_cost: float = STRESS_COST
    """How many times the squared error of rounding those that stress may make of a tensor."""

    def limits(self) -> NDArray[np.float64]:
        """Return how many times the error of clipping nothing each may have."""
        return np.array([STRESS_MARGIN if name in self.stress else 1.0 for name in self.names])


def widened(
    clip: Mapping[str, ClipRange],
    whole: Mapping[str, ClipRange],
    tails: Mapping[str, Tails],
    images: Images,
    plan: Int8Plan,
) -> dict[str, Widened]:
    """Return the tensors of `clip` whose range isn't accepted, by name, with a better one.

    `whole` are the ranges that clip nothing of images that don't stress, and `tails` what is known
    of each image. A tensor without tails, or that is 0 everywhere, keeps its range.
    """
    found = (
        (name, _widened(asked, whole[name], tails[name], images, plan))
        for name, asked in clip.items()
        if name in tails and _rounding(whole[name], plan)
    )
    return {name: change for name, change in found if change}


def _widened(
    asked: ClipRange, whole: ClipRange, tails: Tails, images: Images, plan: Int8Plan
) -> Widened | None:
    limits = images.limits() * _rounding(whole, plan)

    def harms(clip: ClipRange) -> NDArray[np.float64]:
        each = CLIPPING_WEIGHT * tails.clipping(clip) + _rounding(clip, plan)
        return np.asarray(each / limits)

    calm = np.array([name not in images.stress for name in images.names])
    plain = _least(asked, whole, lambda clip: harms(clip)[calm])
    dearest = _dearest(plain, tails.extremes, images.stress_cost, plan)
    clip = _least(plain, dearest, harms)
    if clip == asked:
        return None
    return Widened(images.names[int(np.argmax(harms(asked)))], asked, clip)


def _least(
    start: ClipRange, end: ClipRange, harms: Callable[[ClipRange], NDArray[np.float64]]
) -> ClipRange:
    """Return the smallest range from `start` to `end` that is accepted, or the least harmful."""

    @cache
    def worst(part: int) -> float:
        return float(harms(_between(start, end, part / _TRIED)).max(initial=0))

    # Clipping and rounding are convex in the part: so is their sum, and so the worst image's.
    least = _first(lambda part: worst(part) <= min(worst(part + 1), _MOST), _TRIED)
    return _between(start, end, _first(lambda part: worst(part) <= 1, least) / _TRIED)


def _dearest(start: ClipRange, end: ClipRange, cost: float, plan: Int8Plan) -> ClipRange:
    """Return the widest range from `start` to `end` whose rounding makes `cost` times the error."""
    most = cost * _rounding(start, plan)
    fine = 2**20  # an image that stresses may reach a thousand times as far
    parts = _first(lambda part: _rounding(_between(start, end, part / fine), plan) > most, fine + 1)
    return _between(start, end, max(0, parts - 1) / fine)


def _first(holds: Callable[[int], bool], end: int) -> int:
    """Return the first number below `end` from which on `holds`; else `end`."""
    return bisect_left(range(end), True, key=holds)


def _between(start: ClipRange, end: ClipRange, share: float) -> ClipRange:
    """Return `start` with both ends widened by `share` of the way to `end`."""
    low, high = min(start.low, end.low), max(start.high, end.high)
    return ClipRange(
        start.low + share * (low - start.low), start.high + share * (high - start.high)
    )


def _rounding(clip: ClipRange, plan: Int8Plan) -> float:
    """Return the mean squared error of 8 bits inside of `clip`."""
    if plan.activations == "symmetric":
        return (max(-clip.low, clip.high) / 127) ** 2 / 12
    return ((clip.high - clip.low) / 255) ** 2 / 12
