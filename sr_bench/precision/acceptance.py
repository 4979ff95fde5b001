"""Accept a clip range only where it harms no calibration image; widen it where it does.

What a range gains in finer steps, every image gains; what it clips, a few images lose, and one of
strong texture lost 8 dB so. A range is accepted if on each calibration image the error of its
steps and of what it clips is at most what the range that clips nothing has. An error of clipping
lies in one place, with one sign and in many channels at once, so it adds up on the way to the
output where errors of rounding cancel: it counts `CLIPPING_WEIGHT` times.

Images that stress a network, such as text, would make all steps coarse if nothing of them were
clipped. So no observer sees them. Where a network needs it, a range is widened for them to where
the squared error of its steps and `Images.stress_weight` times that of clipping the worst of them
have the least sum.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.precision.statistics.tails import Tails

CLIPPING_WEIGHT = 32.0
"""How much more a squared error of clipping counts than one of rounding.

Seen at the output of LESRCNN x2: 1 to 8 times, by photograph. Four times that is for images that
differ from those of the calibration set: with 8 the worst of them lost 2 dB more.
"""
STRESS_WEIGHT = 0.002
"""How much a squared error of clipping counts on images that stress, beside one of rounding.

Chosen with LESRCNN x2 on photographs that nothing is reported on: it costs them 0.3 dB, a chart and
saturated hues gain 1. With 0.003 it is 0.5 and 2 dB, with 0.01 1 dB and 5 to 7.
"""

_STRESS_COST = 1.5
"""How many times the squared error of rounding images that stress may make of a tensor, at most.

Some networks answer such images with values far beyond all others: PAN lost 18 dB for them.
"""

_TRIED = 64  # ranges from the smallest to the widest
_FINE = 2**14  # an image that stresses may reach a thousand times as far
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
    stress_weight: float = STRESS_WEIGHT
    """How much a squared error of clipping counts on those that stress; 0: not at all."""


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
    limit = _rounding(whole, plan)

    def errors(tails: Tails, clip: ClipRange, weight: float) -> NDArray[np.float64]:
        return np.asarray(weight * tails.clipping(clip) + _rounding(clip, plan))

    calm = np.array([name not in images.stress for name in images.names])
    of_calm, of_stress = tails.only(calm), tails.only(~calm)
    plain = _least(asked, whole, lambda clip: errors(of_calm, clip, CLIPPING_WEIGHT) / limit)
    clip, heeds_stress = plain, bool(images.stress_weight) and not calm.all()
    if heeds_stress:
        clip = _balanced(
            plain,
            _dearest(plain, tails.extremes, plan),
            lambda clip: float(errors(of_stress, clip, images.stress_weight).max()),
        )
    if clip == asked:
        return None
    for_stress = heeds_stress and plain == asked
    weight = images.stress_weight if for_stress else CLIPPING_WEIGHT
    harms = np.where(calm == for_stress, 0, errors(tails, asked, weight))
    return Widened(images.names[int(np.argmax(harms))], asked, clip)


def _least(
    start: ClipRange, end: ClipRange, harms: Callable[[ClipRange], NDArray[np.float64]]
) -> ClipRange:
    """Return the smallest range from `start` to `end` that is accepted, or the least harmful."""

    @cache
    def worst(part: int) -> float:
        return float(harms(_between(start, end, part / _TRIED)).max(initial=0))

    if worst(0) <= 1:  # most are
        return start
    # Clipping and rounding are convex in the part: so is their sum, and so the worst image's.
    least = _first(lambda part: worst(part) <= min(worst(part + 1), _MOST), _TRIED)
    return _between(start, end, _first(lambda part: worst(part) <= 1, least) / _TRIED)


def _balanced(start: ClipRange, end: ClipRange, error: Callable[[ClipRange], float]) -> ClipRange:
    """Return the range from `start` to `end` of the least `error`."""

    def at(part: int) -> float:
        return min(error(_between(start, end, part / _FINE)), _MOST)

    # Beyond what is kept of an image its error is infinite: not yet the least.
    least = _first(lambda part: at(part) <= at(part + 1) < _MOST, _FINE)
    return _between(start, end, least / _FINE)


def _dearest(start: ClipRange, end: ClipRange, plan: Int8Plan) -> ClipRange:
    """Return the widest range up to `end` of `_STRESS_COST` times the error of rounding."""
    most = _STRESS_COST * _rounding(start, plan)
    fits = _first(lambda part: _rounding(_between(start, end, part / _FINE), plan) > most, _FINE)
    return _between(start, end, max(0, fits - 1) / _FINE)


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
