"""Find the plan with the most in int8 that keeps to limits, within a time.

The errors of single layers, carried to the output, give two things: the observer that loses least
for each layer, and an order in which layers leave in float. What the first so many of that order
really lose is measured on images held out; halving finds how many are needed.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sr_bench import discovery
from sr_bench.core.found import Candidate, Found, Tried
from sr_bench.core.int8 import RangeChoice
from sr_bench.core.precision import OBSERVERS
from sr_bench.engine.search.held_out import HeldOut
from sr_bench.precision.network import Layer
from sr_bench.precision.noise.plans import Predictor

_LEAST_GAIN = 0.01
"""Part of all noise that another range must take away from a layer to be worth naming."""
_LOOKED_AT = 8
"""Images on which single layers' errors are looked at."""


@dataclass(frozen=True)
class Limits:
    """What a plan must keep to."""

    min_fidelity_db: float
    """Of each image, and of its border ring."""
    max_float_share: float = 1.0
    """Part of the multiplications that may stay in float."""
    max_latency_ms: float | None = None
    """On one of the images, here; None: any."""

    def allow(self, tried: Tried) -> bool:
        """Return whether `tried` keeps to them, as far as it was measured."""
        too_slow = (
            self.max_latency_ms is not None
            and tried.latency_ms is not None
            and tried.latency_ms > self.max_latency_ms
        )
        within = 1 - tried.int8_share <= self.max_float_share + 1e-9
        return within and not too_slow and tried.lowest_db >= self.min_fidelity_db


def search(
    held_out: HeldOut,
    observer: str,
    limits: Limits,
    seconds: float,
    card: Candidate,
    progress: Callable[[str], None],
) -> Found:
    """Return what was found in about so many `seconds`; `card` is the plan that there is.

    Raises:
        BackendError: A network can't be made or run, or errors can't be carried to its output.
    """
    return _Search(held_out, observer, limits, time.monotonic(), seconds, progress).found(card)


@dataclass
class _Search:
    held_out: HeldOut
    observer: str
    limits: Limits
    start: float
    seconds: float
    progress: Callable[[str], None]
    tried: dict[int, list[Tried]] = field(default_factory=dict)
    """By the number of layers in float."""
    order: Sequence[str] = ()
    observers: Mapping[str, RangeChoice] = field(default_factory=dict)

    @property
    def _spent(self) -> float:
        return time.monotonic() - self.start

    def found(self, card: Candidate) -> Found:
        """Search, time what is left of it, and return the front."""
        predictor = self._looked()
        self.order = list(self._allowed(predictor))
        self._halve(predictor)
        every = [one for plans in self.tried.values() for one in plans]
        if self._spent < self.seconds:
            every.append(self.held_out.tried(card, self.observer))
        front = list(_front(every))
        fp32_ms, times = self.held_out.timed([one.candidate for one in front], self.observer)
        timed = [replace(one, latency_ms=ms) for one, ms in zip(front, times, strict=True)]
        chosen = next((one for one in timed if self.limits.allow(one)), None)
        layers = len(self.held_out.network.layers)
        late = self._spent >= self.seconds
        return Found(tuple(timed), chosen, fp32_ms, len(every), layers, self._spent, late)

    def _looked(self) -> Predictor:
        """Choose the observers, and return what the layers' errors then are."""
        names = discovery.names(OBSERVERS)
        others = [RangeChoice(name) for name in names if name != self.observer]
        ways = [RangeChoice(), RangeChoice(symmetric=True), *others]
        predictors = self.held_out.predictors(self.observer, ways, _LOOKED_AT)
        usual = predictors[0]
        total = usual.mean_square(())
        choice = {layer: _best(layer, predictors, total) for layer in usual.layers}
        self.observers = {layer.name: ways[number] for layer, number in choice.items() if number}
        self.progress(f"{len(choice)} layers looked at")
        return usual.chosen(predictors, choice)

    def _allowed(self, predictor: Predictor) -> Iterator[str]:
        """Yield the layers that leave in float one after the other, as many as may."""
        # Of those whose errors can't be told, the smallest first, after all others.
        unknown = sorted(predictor.blocked, key=lambda layer: layer.share)
        names = dict.fromkeys([*predictor.relenting(), *(layer.name for layer in unknown)])
        in_float = 0.0
        layers = self.held_out.network.layers
        for name in list(names)[: len(layers) - 1]:
            share = sum(layer.share for layer in layers if layer.name == name)
            if in_float + share <= self.limits.max_float_share:
                in_float += share
                yield name

    def _halve(self, predictor: Predictor) -> None:
        """Try plans until the fewest layers in float that pass are known, or time is up."""
        low, high = -1, len(self.order) + 1  # too few, and enough as far as is known
        count = 0
        while high - low > 1 and (not self.tried or self._spent < self.seconds):
            if self._passes(count):
                high = count
            else:
                low = count
            passed = high <= len(self.order)
            count = (low + high) // 2 if passed else self._predicted(predictor, low)
            if count in self.tried:
                return

    def _predicted(self, predictor: Predictor, low: int) -> int:
        """Return how many layers in float are needed, by what the first `low` really lost."""
        now = max(one.lowest_db for one in self.tried[low])
        part = 10 ** ((now - self.limits.min_fidelity_db) / 10)
        lost = self._lost(predictor, low)
        for count in range(low + 1, len(self.order)):
            if self._lost(predictor, count) <= lost * part:
                return count
        return len(self.order)

    def _lost(self, predictor: Predictor, count: int) -> float:
        names = set(self.order[:count])
        kept = [layer for layer in predictor.layers if layer.name in names]
        return float(predictor.mean_square(kept).max())

    def _passes(self, count: int) -> bool:
        """Return whether so many layers in float are enough, with or without other observers."""
        self.tried[count] = []
        # Their choice is by errors to first order: clipping may cost more.
        for observers in (self.observers, {}) if self.observers else ({},):
            candidate = Candidate(tuple(self.order[:count]), observers)
            tried = self.held_out.tried(candidate, self.observer)
            self.tried[count].append(tried)
            self.progress(f"{count} layers in float: {tried.lowest_db:.1f} dB at worst")
            if tried.lowest_db >= self.limits.min_fidelity_db:
                return True
        return False


def _best(layer: Layer, predictors: Sequence[Predictor], total: NDArray[np.float64]) -> int:
    """Return the way to round what `layer` reads that loses least; 0 if none is much better."""
    parts = [predictor.read_by(layer) / np.maximum(total, 1e-300) for predictor in predictors]
    # On average, and on the image where it is worst: a mean hides what is clipped there.
    loss = [float(part.mean() + part.max()) / 2 for part in parts]
    best = int(np.argmin(loss))
    return best if loss[0] - loss[best] >= _LEAST_GAIN else 0


def _front(every: Sequence[Tried]) -> Iterator[Tried]:
    """Yield those that no other one equals or beats in both, the largest share of int8 first."""
    reached = float("-inf")
    for one in sorted(every, key=lambda one: (-one.int8_share, -one.lowest_db)):
        if one.lowest_db > reached:
            reached = one.lowest_db
            yield one
