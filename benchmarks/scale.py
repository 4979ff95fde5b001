"""How time grows with models, images and workers: a model on paper against a simulation.

Run: python benchmarks/scale.py [--check]

The simulation lives through every hand-over: a scheduler that hands out one task at a time, workers
that prepare, open and measure, a second task waiting at each. The model is one line of arithmetic
on the same constants. The disk that all share is taken to be one that nobody waits for. With
``--check`` it fails if they are 8 % apart where at least half of the workers' time is put to use.
"""

import argparse
import heapq
import math
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count

from sr_bench.engine.elsewhere.cluster.client import split

WORKERS = (1, 4, 16, 64, 256, 1024, 4096)
TOLERATED = 0.08

AHEAD = 2
"""Tasks that Dask has at a worker of one thread: one runs, one waits."""


@dataclass(frozen=True)
class Constants:
    """Times in seconds."""

    image_s: float = 0.5
    """One image through one network and both metrics, on one core. Assumed."""
    prepare_s: float = 5.0
    """Exporting a network, once. Assumed."""
    open_s: float = 0.3
    """Opening a network, once per worker that takes part in its run. Assumed."""
    handover_s: float = 0.005
    """The session's and scheduler's share of a shard; they do one after the other. Assumed;
    `cluster.py` measures it."""


@dataclass(frozen=True)
class Case:
    """What is to be done, and by how many."""

    models: int
    images: int
    workers: int
    constants: Constants = Constants()

    @cached_property
    def sizes(self) -> list[int]:
        """Images of each shard of a run."""
        return [len(part) for part in split(range(self.images))]

    @property
    def serial_s(self) -> float:
        """Time of one worker that has everything."""
        constants = self.constants
        each = constants.prepare_s + constants.open_s + self.images * constants.image_s
        return self.models * each

    @property
    def takers(self) -> float:
        """How many workers open each network."""
        return _reached(self.workers, len(self.sizes))


def _reached(boxes: int, balls: float) -> float:
    return boxes * -math.expm1(balls * math.log1p(-1 / boxes)) if boxes > 1 else 1.0


@dataclass(frozen=True)
class Predicted:
    """The model's time, and what it is made of."""

    seconds: float
    bound: str
    """What decides it."""


def predict(case: Case) -> Predicted:
    """Return T(W) = first network + sum over runs of max(work / W, hand-overs) + end.

    `end` is half a shard; where workers wait for hand-overs it is the last shard.
    """
    constants, shards = case.constants, len(case.sizes)
    last = constants.open_s + max(case.sizes) * constants.image_s
    first = constants.handover_s + constants.prepare_s
    spared = min(case.models, case.workers) * constants.prepare_s / case.models  # in `first`
    work = constants.prepare_s - spared + case.takers * constants.open_s
    work += case.images * constants.image_s
    working, handing = work / case.workers, (shards + 1) * constants.handover_s
    seconds = first + case.models * max(working, handing)
    if handing > working:
        return Predicted(seconds + last, "hand-over")
    return Predicted(seconds + (last / 2 if case.workers > 1 else 0.0), "workers")


@dataclass
class Worker:
    """What a worker has, and until when it is busy."""

    free_at: float = 0.0
    networks: set[int] = field(default_factory=set)


class Simulation:
    """The scheduler hands out task after task; workers do theirs one after the other.

    A task is the number of its run and of its shard, -1 for the preparation; the lowest goes first.
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        self._sizes = case.sizes
        self._workers = [Worker() for _ in range(case.workers)]
        self._ready = [(run, -1) for run in range(case.models)]

    def run(self) -> float:
        """Return the time at which the last result is there."""
        room = deque(list(range(self._case.workers)) * AHEAD)
        events: list[tuple[float, int, int, tuple[int, int]]] = []
        now = last = 0.0
        numbers = count()
        while events or self._ready:
            if room and self._ready:
                index, task = room.popleft(), heapq.heappop(self._ready)
                now += self._case.constants.handover_s
                ended = self._done_at(self._workers[index], task, now)
                heapq.heappush(events, (ended, next(numbers), index, task))
                continue
            ended, _, index, (run, shard) = heapq.heappop(events)
            now, last = max(now, ended), max(last, ended)
            room.append(index)
            if shard < 0:
                for part in range(len(self._sizes)):
                    heapq.heappush(self._ready, (run, part))
        return last

    def _done_at(self, worker: Worker, task: tuple[int, int], now: float) -> float:
        """Return when `worker` will be done with `task`."""
        constants, (run, part) = self._case.constants, task
        seconds = constants.prepare_s if part < 0 else self._sizes[part] * constants.image_s
        if part >= 0 and run not in worker.networks:
            worker.networks.add(run)
            seconds += constants.open_s
        worker.free_at = max(now, worker.free_at) + seconds
        return worker.free_at


def rows(models: int, images: int, constants: Constants) -> Iterator[tuple[Case, float]]:
    for workers in WORKERS:
        case = Case(models, images, workers, constants)
        yield case, Simulation(case).run()


def show(case: Case, simulated: float) -> float:
    """Print one row; return by what part the model is off, if half of the time is put to use."""
    predicted = predict(case)
    off = predicted.seconds / simulated - 1
    efficiency = case.serial_s / (case.workers * simulated)
    print(
        f"| {case.models:,} | {case.workers:,} | {simulated:,.0f} | {predicted.seconds:,.0f}"
        f" | {100 * off:+.1f} % | {100 * efficiency:.0f} % | {predicted.bound} |",
        flush=True,
    )
    return abs(off) if efficiency >= 0.5 else 0.0


def half_at(models: int, images: int, constants: Constants) -> str:
    """Return with how many workers efficiency falls under a half by the model, and why."""
    workers = 1
    while workers < 10**6:
        case = Case(models, images, workers, constants)
        predicted = predict(case)
        if case.serial_s < 0.5 * workers * predicted.seconds:
            return f"{workers:,} workers ({predicted.bound})"
        workers = max(workers + 1, int(workers * 1.05))
    return "more than a million"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--models", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--check", action="store_true", help="fail if they are 8 % apart")
    args = parser.parse_args()
    constants = Constants()
    print(constants)
    print("| models | workers | simulated s | model s | model off by | efficiency | bound |")
    print("|--:|--:|--:|--:|--:|--:|---|")
    worst = max(
        show(case, simulated)
        for models in args.models
        for case, simulated in rows(models, args.images, constants)
    )
    for models in args.models:
        print(f"{models} models: under a half from {half_at(models, args.images, constants)}")
    print(f"the model is off by {100 * worst:.1f} % at most where efficiency is above a half")
    if args.check and worst > TOLERATED:
        sys.exit(1)


if __name__ == "__main__":
    main()
