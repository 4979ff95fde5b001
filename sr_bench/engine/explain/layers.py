"""Explain a low precision: rank its layers by their noise, and find a plan that passes."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import log10

from sr_bench import discovery
from sr_bench.core.dossier import SILENT_DB, Dossier, LayerBlame, Remedy
from sr_bench.core.int8 import Gate
from sr_bench.core.precision import OBSERVERS
from sr_bench.core.record import Status
from sr_bench.engine.explain.trials import Trials
from sr_bench.engine.job import ImageResult, Progress
from sr_bench.engine.judge.gate import judge_images
from sr_bench.engine.measure.worker import Work, Worker
from sr_bench.errors import BackendError
from sr_bench.precision.noise.fewest import enough, fewest
from sr_bench.precision.noise.plans import Predictor

_ALONE_PART = 0.4
_GAIN_PART = 0.65
"""Parts of the time after which ranking by noise, and by gain, must be done."""

_MADE_AGAIN_DB = 0.5
"""What a network that is made again must gain before the plan is held to be sound."""


def explain(
    worker: Worker,
    work: Work,
    low: Sequence[ImageResult],
    full: Sequence[ImageResult],
    limits: Gate | None,
    limit_s: float,
    suspect: str = "",
    *,
    progress: Progress,
) -> Dossier:
    """Return the signs in the error of `low`, the layers that cause it, and a remedy.

    Args:
        worker: Opens networks.
        work: Of a low precision, with its reference; layers are ranked only of int8 made here.
        low: Its results, with the fidelity of each image.
        full: Those in fp32 of the same images.
        limits: Of the card's gate; None if it keeps to them: then no remedy is searched for.
        limit_s: Seconds that the search may take.
        suspect: The image to look at first; empty: the one of lowest fidelity.
        progress: Called after each layer.

    Raises:
        BackendError: A network can't be opened or run.
    """
    clock = _Clock(limit_s)
    # The worst first.
    order = sorted(range(len(low)), key=lambda i: (low[i].image != suspect, _lowest(low[i])))
    worst = low[order[0]]
    with Trials(worker, work) as trials:
        signs = tuple(trials.signs(order[0]))  # cheap: before time is spent on trials
        layers: tuple[LayerBlame, ...] = ()
        remedy = None
        if trials.possible:
            search = _Search(trials, order, full, limits, clock, progress)
            again = search.made_again(_lowest(worst))
            # Where the plan itself is not to blame, no other plan is a remedy.
            signs += (again,) if again else tuple(search.others())
            layers = tuple(search.ranked())  # after the observers, which need few trials
            remedy = search.remedy(layers, _lowest(worst)) if layers and not again else None
        planned = len(trials.shares)
    return Dossier(
        worst.image, _lowest(worst), signs, layers, planned, remedy, clock.spent, clock.limit
    )


def _lowest(image: ImageResult) -> float:
    fidelity = image.fidelity
    return min(fidelity.all_db, fidelity.ring_db) if fidelity else float("inf")


def _db(mean_square: float, white: float) -> float:
    least = white**2 * 10 ** (-SILENT_DB / 10)
    return 10 * log10(white**2 / max(mean_square, least))


class _Clock:
    """Measures how much of a time limit is spent."""

    def __init__(self, limit_s: float) -> None:
        self.limit = limit_s
        self._start = time.monotonic()

    @property
    def spent(self) -> float:
        return time.monotonic() - self._start

    def has(self, part: float) -> bool:
        """Return whether less than `part` of the time is spent."""
        return self.spent < part * self.limit


@dataclass(frozen=True)
class _Search:
    """A search for the noisiest layers."""

    trials: Trials
    order: Sequence[int]
    """The images, from the worst."""
    full: Sequence[ImageResult]
    """Their results in fp32."""
    limits: Gate | None
    """To be reached by a remedy; None: none is needed."""
    clock: _Clock
    progress: Progress

    def made_again(self, measured: float) -> str:
        """Say so if the network that the plan gives anew is better than what was `measured`."""
        if self.trials.is_as_made:
            return ""
        fresh = self._lowest((), self.order[0])
        if fresh - measured < _MADE_AGAIN_DB:
            return ""
        return (
            f"made again by the same plan, the network reaches {fresh:.1f} dB where"
            f" {measured:.1f} dB were measured: the plan and its clip ranges are not to blame, but"
            " the file, or what runs it"
        )

    def ranked(self) -> Iterator[LayerBlame]:
        """Yield the layers that were tried, the noisiest first."""
        worst, shares = self.order[0], self.trials.shares
        estimated = {name: db for name, db in self._estimated().items() if name in shares}
        alone = dict(estimated)
        for name in [name for name in shares if name not in estimated]:  # likeliest first
            if not self.clock.has(_ALONE_PART):
                break
            tried = self._lowest([other for other in shares if other != name], worst)
            alone[name] = min(tried, SILENT_DB)
            self.progress(len(alone), len(shares), f"only {name} in int8")
        now = self._lowest((), worst)
        for name in sorted(alone, key=lambda name: alone[name]):
            in_time = self.clock.has(_GAIN_PART)
            gain = self._lowest((name,), worst) - now if in_time else None
            yield LayerBlame(name, shares[name], alone[name], gain, name in estimated)

    def _estimated(self) -> Mapping[str, float]:
        """Return the fidelity with each layer alone in int8, carried to the output in one pass."""
        if self.predictor is None:
            return {}
        squares: dict[str, float] = defaultdict(float)
        for layer in self.predictor.layers:
            squares[layer.name] += float(self.predictor.alone(layer)[0])
        return {name: _db(square, self.trials.white) for name, square in squares.items()}

    @cached_property
    def predictor(self) -> Predictor | None:
        """What the errors of all layers come to; None if they can't be carried to the output."""
        with suppress(BackendError):
            return self.trials.predictor(self.order[0])
        return None

    @property
    def _foresees(self) -> Predictor | None:
        """The predictor if it knows the error of every layer."""
        return None if self.predictor is None or self.predictor.blocked else self.predictor

    def others(self) -> Iterator[str]:
        """Yield which other observers would pass with the same layers in int8."""
        passing = []
        for observer in discovery.names(OBSERVERS) if self.limits else ():
            # This comes first, and leaves the ranking half of its time.
            if observer != self.trials.observer and self.clock.has(_ALONE_PART / 2):
                lowest, plan = self._tried((), observer)
                if plan:
                    passing.append(f"{observer} ({lowest:.1f} dB at worst)")
        if passing:
            yield (
                f"the clip ranges of {self.trials.observer} are to blame, not the layers:"
                f" the same plan passes with those of {', '.join(passing)}"
            )

    def remedy(self, layers: Sequence[LayerBlame], lowest: float) -> Remedy | None:
        """Return the plan with the fewest of `layers` in float that passes; never with all.

        Where no trial passes in time it is the one that the layers' errors predict, if they do.
        `lowest` is the fidelity with none of them in float.
        """
        if self.limits is None:
            return None
        goal, names, left = self.limits.min_fidelity_db, *self._leaving(layers)
        reached, plans = {0: lowest}, dict[int, Remedy | None]()

        def trial(count: int) -> tuple[float, bool]:
            reached[count], plans[count] = self._tried(names[:count])
            return reached[count], plans[count] is not None

        # A gate may also be lost by a drop; and who asks may ask for what is reached.
        known = reached.copy() if lowest < goal else {}
        count = fewest(trial, left, goal, known, lambda: self.clock.has(1.0))
        if count is not None or self._foresees is None:
            return plans.get(count or 0)
        low = max((n for n, db in reached.items() if db < goal), default=0)
        count = enough(left, low, reached[low] - goal)
        predicted = reached[low] - 10 * log10(max(left[count], 1e-300) / left[low])
        return self._remedy(names[:count], predicted, images=0) if predicted >= goal else None

    def _leaving(self, layers: Sequence[LayerBlame]) -> tuple[Sequence[str], Sequence[float]]:
        """Return the layers in the order in which they leave, and the error that is then left."""
        if whole := self._foresees:
            kept = whole.network.matching(self.trials.keep, key=self.trials.key)
            order = list(whole.relenting(kept))
            squares = (whole.mean_square(kept), *(left for _, left in order))
            return [name for name, _ in order], [float(each[0]) for each in squares]
        # By the gain of each in float; where that was not measured, by its noise alone.
        helpful = sorted(layers, key=lambda x: x.alone_db if x.gain_db is None else -x.gain_db)
        names = [layer.layer for layer in helpful][: len(self.trials.shares) - 1]
        return names, [1 - count / len(self.trials.shares) for count in range(len(names) + 1)]

    def _lowest(self, names: Sequence[str], index: int) -> float:
        with self.trials.plan(names, self.trials.observer) as tried:
            return _lowest(tried(index))

    def _tried(self, names: Sequence[str], observer: str = "") -> tuple[float, Remedy | None]:
        """Return the lowest fidelity, and a plan if all images pass; the worst ones come first."""
        assert self.limits is not None
        results: dict[int, ImageResult] = {}
        lowest = float("inf")
        with self.trials.plan(names, observer or self.trials.observer) as tried:
            for index in self.order:
                results[index] = tried(index)
                lowest = min(lowest, _lowest(results[index]))
                if lowest < self.limits.min_fidelity_db or not self.clock.has(1.0):
                    return lowest, None
        verdict = judge_images(
            self.limits, list(results.values()), [self.full[index] for index in results]
        )
        passes = verdict.status is Status.WITHIN
        return lowest, self._remedy(names, lowest, len(results)) if passes else None

    def _remedy(self, names: Sequence[str], lowest: float, images: int) -> Remedy:
        keep = (*self.trials.keep, *names)
        return Remedy(keep, self.trials.int8_share(names), lowest, images, self.trials.key)
