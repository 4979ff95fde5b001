"""Find the plan with the most in int8 that keeps to limits, within a time.

The errors of single layers, carried to the output, give two things: the observer that loses least
for each layer, and an order in which layers leave in float. What the first so many of that order
really lose is measured on images held out; halving finds how many are needed. A plan is to reach
its fidelity on images that nobody saw: by those held out, less a margin for how they spread. Then
the same is tried with additions that read rounded values: less precise, and often faster.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sr_bench import discovery
from sr_bench.core.found import Candidate, Found, Tried
from sr_bench.core.int8 import RangeChoice, Skips
from sr_bench.core.precision import OBSERVERS
from sr_bench.engine.search.held_out import HeldOut
from sr_bench.precision.network import Layer
from sr_bench.precision.noise.fewest import fewest
from sr_bench.precision.noise.plans import Predictor

_LEAST_GAIN = 0.01
"""Part of all noise that another range must take away from a layer to be worth naming."""
_SPARE_DB = (0.0, 0.15, 0.3)
"""By how much a trimmed plan is predicted to be better than it must be, in turn."""
_FASTER = 0.95
"""Part of a time that another one takes at most where it is faster: they vary by a few percent."""
_NEARLY = 0.01
"""Part of the multiplications that a faster plan may have in float besides."""
_SKIPS: tuple[Skips, ...] = ("float", "int8")
_LOOKED_AT = 8
"""Images on which single layers' errors are looked at."""


@dataclass(frozen=True)
class Limits:
    """What a plan must keep to."""

    min_fidelity_db: float
    """Of each image that nobody saw, and of its border ring."""
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
        return within and not too_slow and self.reached(tried)

    def reached(self, tried: Tried) -> bool:
        """Return whether unseen images are to be expected to have the fidelity."""
        return tried.unseen_db >= self.min_fidelity_db


def search(
    held_out: HeldOut,
    observer: str,
    limits: Limits,
    seconds: float,
    card: Candidate,
    progress: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Return what was found in about so many `seconds`; `card` is the plan that there is.

    `clock` tells seconds from any start on.

    Raises:
        BackendError: A network can't be made or run, or errors can't be carried to its output.
    """
    return _Search(held_out, observer, limits, clock, clock(), seconds, progress).found(card)


@dataclass
class _Search:
    held_out: HeldOut
    observer: str
    limits: Limits
    clock: Callable[[], float]
    start: float
    seconds: float
    progress: Callable[[str], None]
    tried: list[Tried] = field(default_factory=list)

    @property
    def _spent(self) -> float:
        return self.clock() - self.start

    def found(self, card: Candidate) -> Found:
        """Search, time what is left of it, and return the front."""
        predictor, observers = self._looked()
        # They are chosen by errors to first order: clipping may cost more.
        first = [self._try(Candidate((), chosen)) for chosen in ({}, observers)]
        best = max(first, key=lambda one: one.unseen_db)
        self._find(predictor, best.candidate.observers)
        self._trim(predictor)
        if self._has_time():
            self._try(card)
        self._round_skips()
        by_skips = ([one for one in self.tried if one.candidate.skips == skips] for skips in _SKIPS)
        several = [one for alike in by_skips for one in _front(alike)]
        fp32_ms, times = self.held_out.timed([one.candidate for one in several], self.observer)
        timed = [replace(one, latency_ms=ms) for one, ms in zip(several, times, strict=True)]
        front = tuple(_front(timed))
        layers, late = len(self.held_out.network.layers), not self._has_time()
        return Found(
            front, _chosen(front, self.limits), fp32_ms, len(self.tried), layers, self._spent, late
        )

    def _find(self, predictor: Predictor, observers: Mapping[str, RangeChoice]) -> None:
        """Try how many layers must leave in float, one after the other of an order."""
        order = list(self._order(predictor))
        left = [float(predictor.mean_square(()).max()), *(left for _, left in order)]

        def trial(count: int) -> tuple[float, bool]:
            keep = tuple(name for name, _ in order[:count])
            tried = self._try(Candidate(keep, observers))
            return tried.unseen_db, self.limits.reached(tried)

        fewest(trial, left, self.limits.min_fidelity_db, {}, self._has_time)

    def _trim(self, predictor: Predictor) -> None:
        """Try what is predicted to do with less in float than the best, the boldest first."""
        passing = self._passing()
        if not passing:
            return
        best, goal = passing[0], self.limits.min_fidelity_db
        keep = best.candidate.keep
        kept = [layer for layer in predictor.layers if layer.name in keep]
        lost = float(predictor.mean_square(kept).max())
        for spare_db in _SPARE_DB:
            most = lost * 10 ** ((best.unseen_db - goal - spare_db) / 10)
            trimmed = replace(best.candidate, keep=predictor.trimmed(keep, most))
            if trimmed.keep == keep or not self._has_time():
                return
            if self.limits.reached(self._try(trimmed)):
                return

    def _round_skips(self) -> None:
        """Try those that pass with additions that read rounded values, until one still does."""
        for one in self._passing():
            rounded = replace(one.candidate, skips="int8")
            if not self._has_time() or self.limits.reached(self._try(rounded)):
                return

    def _passing(self) -> list[Tried]:
        """Return those of the front that reach the fidelity, the largest share first."""
        return [one for one in _front(self.tried) if self.limits.reached(one)]

    def _has_time(self) -> bool:
        """Return whether another plan may be tried; one always is."""
        return not self.tried or self._spent < self.seconds

    def _looked(self) -> tuple[Predictor, Mapping[str, RangeChoice]]:
        """Choose the observers; return what the layers' errors then are, and the choice."""
        names = discovery.names(OBSERVERS)
        others = [RangeChoice(name) for name in names if name != self.observer]
        ways = [RangeChoice(), RangeChoice(symmetric=True), *others]
        predictors = self.held_out.predictors(self.observer, ways, _LOOKED_AT)
        usual = predictors[0]
        total = usual.mean_square(())
        choice = {layer: _best(layer, predictors, total) for layer in usual.layers}
        self.progress(f"{len(choice)} layers looked at")
        observers = {layer.name: ways[number] for layer, number in choice.items() if number}
        return usual.chosen(predictors, choice), observers

    def _order(self, predictor: Predictor) -> Iterator[tuple[str, float]]:
        """Yield the layers that leave in float one after the other, as many as may.

        Beside each is the largest mean square error that is predicted with all so far in float.
        """
        layers, budget, left = self.held_out.network.layers, self.limits.max_float_share, 0.0
        of: dict[str, float] = defaultdict(float)
        for layer in layers:
            of[layer.name] += layer.share
        for name, squares in predictor.relenting(budget=budget):
            left = float(squares.max())
            budget -= of.pop(name)
            yield name, left
        # Of those whose errors can't be told, the smallest first, after all others.
        blocked = {layer.name for layer in predictor.blocked} & of.keys()
        for name in sorted(blocked, key=of.__getitem__)[: len(of) - 1]:
            budget -= of[name]
            if budget >= 0:
                yield name, left

    def _try(self, candidate: Candidate) -> Tried:
        if known := [one for one in self.tried if one.candidate == candidate]:
            return known[0]
        tried = self.held_out.tried(candidate, self.observer)
        self.tried.append(tried)
        count, unseen = len(candidate.keep), tried.unseen_db
        self.progress(f"{count} layers in float: {unseen:.1f} dB expected of unseen images")
        return tried


def _best(layer: Layer, predictors: Sequence[Predictor], total: NDArray[np.float64]) -> int:
    """Return the way to round what `layer` reads that loses least; 0 if none is much better."""
    parts = [predictor.read_by(layer) / np.maximum(total, 1e-300) for predictor in predictors]
    # On average, and on the image where it is worst: a mean hides what is clipped there.
    loss = [float(part.mean() + part.max()) / 2 for part in parts]
    best = int(np.argmin(loss))
    return best if loss[0] - loss[best] >= _LEAST_GAIN else 0


def _front(every: Sequence[Tried]) -> Iterator[Tried]:
    """Yield those that no other one equals or beats in all, the largest share of int8 first.

    Of two that reach the same, a time tells only where one is clearly faster.
    """
    front: list[Tried] = []
    for one in sorted(every, key=lambda one: (-one.int8_share, -one.unseen_db)):
        if all(one.unseen_db > other.unseen_db or _is_faster(one, other) for other in front):
            front.append(one)
            yield one


def _chosen(front: Sequence[Tried], limits: Limits) -> Tried | None:
    """Return the one with the largest share that is allowed, or a faster one of nearly that."""
    allowed = [one for one in front if limits.allow(one)]
    chosen = allowed[0] if allowed else None
    for one in allowed:
        if _is_faster(one, chosen) and one.int8_share >= allowed[0].int8_share - _NEARLY:
            chosen = one
    return chosen


def _is_faster(one: Tried, other: Tried | None) -> bool:
    if other is None or one.latency_ms is None or other.latency_ms is None:
        return False
    return one.latency_ms < _FASTER * other.latency_ms
