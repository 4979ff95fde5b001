"""Measure plans on calibration images that their clip ranges and weights don't come from.

The images of the card's calibration set are split in two. What is calibrated with one half is
measured on the other, so that every image counts and none judges what it made. Images drawn to
stress a network are calibrated with in both, as each is the only one of its kind. Ranges of half of
the images may be narrower than those of all, and their steps finer than the plan will have: where
an image is closer by these than by those of its own half, the difference is taken off.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from statistics import fmean, median, stdev

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from sr_bench.core.backend import Session
from sr_bench.core.found import Candidate, Tried
from sr_bench.core.int8 import RangeChoice, Skips
from sr_bench.engine.measure.in_turn import in_turn
from sr_bench.engine.measure.tried import TriedNetworks
from sr_bench.engine.measure.worker import Worker
from sr_bench.engine.prepare.int8 import Int8Maker
from sr_bench.engine.prepare.network import Prepared
from sr_bench.engine.prepare.read_once import network_in
from sr_bench.engine.score.fidelity import Fidelity, fidelity
from sr_bench.engine.score.network_io import between_ends
from sr_bench.errors import DatasetError
from sr_bench.precision.network import Network
from sr_bench.precision.noise.plans import Predictor
from sr_bench.precision.qdq.write import int8_share

Array = NDArray[np.float32]

_ROUNDS = 7
_EXACT_DB = 150.0  # what an image without any error counts in a mean
_RISK = 0.05
_EVERY = 3
"""Of so many images one is measured by the ranges of its own half too."""


@dataclass(frozen=True)
class _Half:
    """One half of the images, and the network as it is calibrated for the others."""

    low: Prepared
    images: Sequence[Array]
    full: Sequence[Array]
    """Their outputs in fp32."""

    @cached_property
    def maker(self) -> Callable[[Skips], Int8Maker]:
        """What makes networks whose additions read that: it decides how channels are scaled."""
        return cache(self._maker)

    def _maker(self, skips: Skips) -> Int8Maker:
        assert self.low.calibration is not None
        card = replace(self.low.card, int8=replace(self.low.card.int8, skips=skips))
        images = replace(self.low.calibration, card=card)
        if skips == "int8" and not self.maker("float").calibrated.scaling.is_loose:
            return replace(self.maker("float"), images=images)  # it would be calibrated alike
        return replace(self.low, card=card, calibration=images).int8_maker()

    def model(self, candidate: Candidate, observer: str) -> ModelProto:
        """Return the network in int8 by `candidate`."""
        maker = self.maker(candidate.skips)
        return maker.model(maker.ranges(observer, candidate.observers), candidate.keep)


class HeldOut(TriedNetworks):
    """Measures plans of one network in int8.

    Raises:
        DatasetError: There are fewer than two images.
    """

    def __init__(self, worker: Worker, low: Prepared, full: Prepared) -> None:
        assert low.calibration is not None
        self._calibration = low.calibration
        count = len(self._judging)
        if count < 2:
            msg = (
                f"{low.card.id}: a plan is found on calibration photographs held out from each"
                f" other: expected at least 2 of them, got {count}"
            )
            raise DatasetError(msg)
        rule = low.card.usual_protocol
        self._gives = low.card.output.with_white(rule.output_range)
        super().__init__(worker, low, full)  # last: it opens what must be closed

    @cached_property
    def network(self) -> Network:
        """The network in fp32, as it is given: a search may change its channels' scales."""
        return network_in(self._low.fp32_onnx(), told=self._low.card.onnx)

    @property
    def _judging(self) -> list[int]:
        """The images that are measured on: those of a kind of its own are calibrated with alone."""
        names, stress = self._calibration.names, self._calibration.stress
        return [number for number, name in enumerate(names) if name not in stress]

    @cached_property
    def _halves(self) -> tuple[_Half, _Half]:
        loaded = [load() for load in self._calibration.inputs()]
        first, second = (self._half(start, loaded) for start in (1, 0))
        return first, second

    def _half(self, start: int, loaded: Sequence[Array]) -> _Half:
        """Return every second image from `start` on, calibrated for by the others."""
        calibration, numbers = self._calibration, self._judging[start::2]
        whole = calibration.images
        card = replace(calibration.card, int8=replace(calibration.card.int8, count=0))
        chosen = [number for number in range(len(loaded)) if number not in numbers]
        others = replace(whole, items=tuple(whole.items[number] for number in chosen))
        rest = replace(calibration, card=card, images=others)
        images = [loaded[number] for number in numbers]
        full = [self._ran(self._reference, image) for image in images]
        return _Half(replace(self._low, card=card, calibration=rest), images, full)

    def _ran(self, session: Session, image: Array) -> Array:
        return between_ends(session.run(image), self._gives)

    def predictors(
        self, observer: str, ways: Sequence[RangeChoice], most: int
    ) -> tuple[Predictor, ...]:
        """Return the errors of the layers by each of `ways`, on parts of `most` images at most.

        Raises:
            BackendError: They can't be carried to the output.
        """
        by_half = []
        for half in self._halves:
            maker = half.maker("float")
            ranges = [maker.ranges(observer, {"*": way}) for way in ways]
            cutter = maker.cutter(self._reference.run, self._low.effort.memory_bytes)
            parts = map(cutter.middle, half.images[: max(1, most // 2)])
            by_half.append(maker.predictors(ranges, parts))
        return tuple(
            replace(first, images=[*first.images, *second.images])
            for first, second in zip(*by_half, strict=True)
        )

    def tried(self, candidate: Candidate, observer: str) -> Tried:
        """Return how close `candidate` stays to fp32."""
        first, second = self._halves
        close, their_own = [], []
        for half, others in ((first, second), (second, first)):
            with self._opened(half.model(candidate, observer)) as session:
                close += self._close(session, half)
                their_own += self._close(session, others, step=_EVERY)
        by_others = [*close[len(first.images) :: _EVERY], *close[: len(first.images) : _EVERY]]
        pairs = zip(by_others, their_own, strict=True)
        narrower_db = fmean(max(0.0, _lowest(one) - _lowest(own)) for one, own in pairs)
        return Tried(
            candidate,
            int8_share(self.network, self.network.matching(candidate.keep)),
            fmean(min(each.all_db, _EXACT_DB) for each in close) - narrower_db,
            min(each.all_db for each in close) - narrower_db,
            min(each.ring_db for each in close) - narrower_db,
            unseen([_lowest(each) for each in close]) - narrower_db,
            narrower_db,
            len(close),
            self._calibration.digest,
        )

    def _close(self, session: Session, half: _Half, step: int = 1) -> list[Fidelity]:
        """Return the fidelity of every so many images of `half`."""
        return [
            fidelity(self._ran(session, image), full, white=self._gives.span)
            for image, full in zip(half.images[::step], half.full[::step], strict=True)
        ]

    def timed(self, candidates: Sequence[Candidate], observer: str) -> tuple[float, list[float]]:
        """Return the ms that fp32 and each of `candidates` take, in turns on the largest image."""
        half = self._halves[0]
        image = max(half.images, key=np.size)
        with ExitStack() as stack:
            sessions = [self._reference]
            for candidate in candidates:
                opened = self._opened(half.model(candidate, observer))
                sessions.append(stack.enter_context(opened))
            runs = [partial(session.run, image) for session in sessions]
            full, *others = map(median, in_turn(runs, _ROUNDS))
        return full, others


def _lowest(close: Fidelity) -> float:
    return min(close.all_db, close.ring_db, _EXACT_DB)


def deviations(count: int) -> float:
    """Return by how many standard deviations of `count` values as many new ones may be below.

    All of them are above their mean less that in 19 of 20 cases, if all are normally distributed:
    a Bonferroni bound by Student's t. 3.3 for 17 values, 4.7 for 4.
    """
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    return float(stdtrit(count - 1, 1 - _RISK / count)) * math.sqrt(1 + 1 / count)


def unseen(values: Sequence[float]) -> float:
    """Return what as many new values are above in 19 of 20 cases; at most the lowest of `values`.

    To reach a limit with the lowest says little: of two sets of one kind each is the worse one as
    often as the other, and a search takes the plan that passes by the least.
    """
    return min(*values, fmean(values) - deviations(len(values)) * stdev(values))
