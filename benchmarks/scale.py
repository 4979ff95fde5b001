"""How time grows with models, images and workers: a model on paper against a simulation.

Run: python benchmarks/scale.py [--check]

The simulation lives through every hand-over: a controller that cuts and hands in one task at a
time, the network that sends files, workers that prepare, open and measure, two shards waiting at
each. The model is one line of arithmetic on the same constants. Both are for the case without a
shared disk, the worse one. With ``--check`` it fails if they
are 8 % apart where at least half of the workers' time is put to use.
"""

import argparse
import heapq
import math
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count, islice

from sr_bench.engine.elsewhere.cluster.shards import AHEAD, LOOK, PREPARED_AHEAD, split

WORKERS = (1, 4, 16, 64, 256, 1024, 4096)
TOLERATED = 0.08


@dataclass(frozen=True)
class Constants:
    """Times in seconds, sizes in bytes."""

    image_s: float = 0.5
    """One image through one network and both metrics, on one core. Assumed."""
    prepare_s: float = 5.0
    """Exporting a network, once. Assumed."""
    open_s: float = 0.3
    """Opening a network, once per worker that takes part in its run. Assumed."""
    handover_s: float = 0.005
    """The controller's and scheduler's share of a shard; they do one after the other. Assumed;
    `cluster.py` measures it."""
    pair_bytes: float = 6e6
    """LR and HR of an image; each worker keeps what it was sent. DIV2K's mean, rounded."""
    network_bytes: float = 6e6
    """A network's file, once per worker that takes part in its run. EDSR baseline's."""
    bandwidth: float = 1e9
    """Bytes a second that the controller sends, to all workers together. Assumed: 10 Gbit/s."""


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
        return [len(one) for one in split(range(self.images))]

    @property
    def serial_s(self) -> float:
        """Time of one worker that has everything."""
        own = self.constants
        return self.models * (own.prepare_s + own.open_s + self.images * own.image_s)

    def sent_parts(self) -> list[float]:
        """What part of the images is sent again for each run, if the workers share no disk.

        A worker takes a shard whose images it has if one is among the next; else it takes the
        first, and its images move to it, which may have had them before. Balls into boxes.
        """
        boxes = min(self.workers, len(self.sizes))
        moved = (1 - 1 / boxes) ** LOOK
        stays = 1 - 1 / self.workers
        return [1.0, *(moved * stays ** (1 + run * moved) for run in range(self.models - 1))]

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
    """Return T(W) = first network + sum over runs of max(work / W, hand-overs, bytes / rate) + end.

    `end` is half a shard, or the time until every worker has its first files, if that is longer;
    where workers wait for something else it is the last shard.
    """
    own, shards = case.constants, len(case.sizes)
    largest = max(case.sizes)
    first = own.handover_s + own.prepare_s
    last = own.open_s + largest * own.image_s
    filled = min(case.workers, shards) * (own.network_bytes + largest * own.pair_bytes)
    spared = min(case.models, case.workers) * own.prepare_s / case.models  # it is in `first`
    work = own.prepare_s - spared + case.takers * own.open_s + case.images * own.image_s
    working, handing = work / case.workers, (shards + 1) * own.handover_s
    rests = {"workers": 0.0, "hand-over": 0.0, "transfer": 0.0}
    for part in case.sent_parts():
        sent = case.takers * own.network_bytes + part * case.images * own.pair_bytes
        steps = {"workers": working, "hand-over": handing, "transfer": sent / own.bandwidth}
        bound = max(steps, key=lambda name: steps[name])
        rests[bound] += steps[bound]
    bound = max(rests, key=lambda name: rests[name])
    end = max(filled / own.bandwidth, last / 2) if case.workers > 1 else 0.0
    return Predicted(first + sum(rests.values()) + (end if bound == "workers" else last), bound)


@dataclass
class Worker:
    """What a worker has, and until when it is busy."""

    free_at: float = 0.0
    networks: set[int] = field(default_factory=set)
    pairs: set[int] = field(default_factory=set)


class Simulation:
    """The controller hands in task after task; workers do theirs one after the other.

    A task is the number of its run and of its shard, -1 for the preparation.
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        self._sizes = case.sizes
        self._workers = [Worker() for _ in range(case.workers)]
        self._networks = deque(range(case.models))
        self._shards: deque[tuple[int, int]] = deque()
        self._homes: dict[int, int] = {}
        self._link_free = 0.0

    def run(self) -> float:
        """Return the time at which the last result is there."""
        room = deque(list(range(self._case.workers)) * AHEAD)
        events: list[tuple[float, int, int, tuple[int, int]]] = []
        now = last = 0.0
        numbers = count()
        while events or self._networks or self._shards:
            if room and (self._networks or self._shards):
                index = room.popleft()
                task = self._next(index)
                now += self._case.constants.handover_s
                ended = self._done_at(self._workers[index], task, now)
                heapq.heappush(events, (ended, next(numbers), index, task))
                continue
            ended, _, index, (run, shard) = heapq.heappop(events)
            now, last = max(now, ended), max(last, ended)
            room.append(index)
            if shard < 0:
                self._shards.extend((run, part) for part in range(len(self._sizes)))
        return last

    def _next(self, index: int) -> tuple[int, int]:
        """Return what worker number `index` takes, by the rules of `shards.Ledger`."""
        shards, networks = self._shards, self._networks
        if networks and (not shards or networks[0] <= shards[0][0] + PREPARED_AHEAD):
            return networks.popleft(), -1
        new = own = None
        for place, (_, part) in enumerate(islice(shards, LOOK)):
            home = self._homes.get(part)
            if home == index:
                own = place
                break
            if home is None and new is None:
                new = place
        place = next(one for one in (own, new, 0) if one is not None)
        task = shards[place]
        del shards[place]
        self._homes[task[1]] = index
        return task

    def _done_at(self, worker: Worker, task: tuple[int, int], now: float) -> float:
        """Return when `worker` will be done with `task`, whose files are sent before."""
        own, (run, part) = self._case.constants, task
        if part < 0:
            worker.free_at = max(now, worker.free_at) + own.prepare_s
            return worker.free_at
        missing, seconds = 0.0, self._sizes[part] * own.image_s
        if run not in worker.networks:
            worker.networks.add(run)
            missing, seconds = own.network_bytes, seconds + own.open_s
        if part not in worker.pairs:
            worker.pairs.add(part)
            missing += self._sizes[part] * own.pair_bytes
        if missing:
            self._link_free = now = max(now, self._link_free) + missing / own.bandwidth
        worker.free_at = max(now, worker.free_at) + seconds
        return worker.free_at


def rows(models: int, images: int, constants: Constants) -> Iterator[tuple[Case, float]]:
    for workers in WORKERS:
        case = Case(models, images, workers, constants)
        yield case, Simulation(case).run()


def show(case: Case, simulated: float) -> float:
    """Print one row; return by what part the model is off, if half of the time is put to use."""
    found = predict(case)
    off = found.seconds / simulated - 1
    efficiency = case.serial_s / (case.workers * simulated)
    print(
        f"| {case.models:,} | {case.workers:,} | {simulated:,.0f} | {found.seconds:,.0f}"
        f" | {100 * off:+.1f} % | {100 * efficiency:.0f} % | {found.bound} |",
        flush=True,
    )
    return abs(off) if efficiency >= 0.5 else 0.0


def half_at(models: int, images: int, constants: Constants) -> str:
    """Return with how many workers efficiency falls under a half by the model, and why."""
    workers = 1
    while workers < 10**6:
        case = Case(models, images, workers, constants)
        found = predict(case)
        if case.serial_s < 0.5 * workers * found.seconds:
            return f"{workers:,} workers ({found.bound})"
        workers = max(workers + 1, int(workers * 1.05))
    return "more than a million"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--models", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--shared", action="store_true", help="a disk that nobody waits for")
    parser.add_argument("--check", action="store_true", help="fail if they are 8 % apart")
    args = parser.parse_args()
    own = Constants(bandwidth=math.inf) if args.shared else Constants()
    print(own)
    print("| models | workers | simulated s | model s | model off by | efficiency | bound |")
    print("|--:|--:|--:|--:|--:|--:|---|")
    worst = max(
        show(case, simulated)
        for models in args.models
        for case, simulated in rows(models, args.images, own)
    )
    for models in args.models:
        print(f"{models} models: under a half from {half_at(models, args.images, own)}")
    print(f"the model is off by {100 * worst:.1f} % at most where efficiency is above a half")
    if args.check and worst > TOLERATED:
        sys.exit(1)


if __name__ == "__main__":
    main()
