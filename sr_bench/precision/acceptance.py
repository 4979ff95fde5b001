"""Accept a clip range only where it harms no calibration image; widen it where it does.

What a range gains in finer steps, every image gains; what it clips, a few images lose, and one of
strong texture lost 8 dB so. A range is accepted if on each calibration image the error of its
steps and of what it clips is at most what the range that clips nothing has. An error of clipping
lies in one place, with one sign and in many channels at once, so it adds up on the way to the
output where errors of rounding cancel: it counts `CLIPPING_WEIGHT` times.

Images that stress a network, such as text, would make all steps coarse if nothing of them were
clipped. So no observer sees them, and a range may make `STRESS_MARGIN` times that error on them.
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

_TRIED = 64  # ranges between the observer's and the whole one
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

    @cache
    def ratios(part: int) -> NDArray[np.float64]:
        clip = _between(asked, tails.extremes, part)
        return (CLIPPING_WEIGHT * tails.clipping(clip) + _rounding(clip, plan)) / limits

    def harm(part: int) -> float:
        return float(ratios(part).max())

    # Clipping and rounding are convex in the part: so is their sum, and so the worst image's.
    least = _first(lambda part: harm(part) <= min(harm(part + 1), _MOST), _TRIED)
    best = _first(lambda part: harm(part) <= 1, least)
    if best == 0:
        return None
    worst = images.names[int(np.argmax(ratios(0)))]
    return Widened(worst, asked, _between(asked, tails.extremes, best))


def _first(holds: Callable[[int], bool], end: int) -> int:
    """Return the first number below `end` from which on `holds`; else `end`."""
    return bisect_left(range(end), True, key=holds)


def _between(asked: ClipRange, extremes: ClipRange, part: int) -> ClipRange:
    """Return `asked` with both ends widened by `part` of 64 towards `extremes`."""
    low, high = min(asked.low, extremes.low), max(asked.high, extremes.high)
    share = part / _TRIED
    return ClipRange(
        asked.low + share * (low - asked.low), asked.high + share * (high - asked.high)
    )


def _rounding(clip: ClipRange, plan: Int8Plan) -> float:
    """Return the mean squared error of 8 bits inside of `clip`."""
    if plan.activations == "symmetric":
        return (max(-clip.low, clip.high) / 127) ** 2 / 12
    return ((clip.high - clip.low) / 255) ** 2 / 12
