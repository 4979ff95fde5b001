"""Which part of the work goes where next: a ledger of shards without Dask and without a clock."""

from bisect import insort
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

LARGEST = 16
"""Images of a shard at most, where a device asks for no larger windows."""
AHEAD = 2
"""Tasks for each thread of a worker that are handed in at once: one runs, one waits there."""
LATE = 3.0
"""A shard is late after this many times the usual time of its run."""

_PARTS = 8
"""A shard takes this part of the images that are left, so that the last ones are small."""
PREPARED_AHEAD = 4
"""Networks are prepared before the shards of the runs that are this many places earlier."""
LOOK = 32
"""Waiting tasks among which one is sought whose images the worker has had before."""


def split(
    indices: Sequence[int], *, window: int = 1, largest: int = LARGEST
) -> tuple[tuple[int, ...], ...]:
    """Return `indices` in shards, in order: large ones first, small ones at the end.

    Args:
        indices: Numbers of images.
        window: Images of one window, ``index // window``, stay in one shard.
        largest: Images that a shard of several windows may have.

    >>> [len(shard) for shard in split(range(20))]
    [3, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    shards: list[tuple[int, ...]] = []
    start = 0
    while start < len(indices):
        size = min(largest, -(-(len(indices) - start) // _PARTS))
        end = start + size
        while end < len(indices) and indices[end] // window == indices[end - 1] // window:
            end += 1
        shards.append(tuple(indices[start:end]))
        start = end
    return tuple(shards)


@dataclass(frozen=True)
class Task:
    """What one call on a worker does: a shard of a run, or the preparation of a network."""

    name: str
    """Unique."""
    run: str
    place: int
    """Of the run among all runs: earlier ones go first."""
    indices: tuple[int, ...] = ()
    """Images of the shard; none for a preparation."""
    home: Hashable = None
    """Tasks of one home share something, so they go to one worker if that has room."""

    @property
    def order(self) -> tuple[int, int]:
        """What is handed in first."""
        if not self.indices:
            return (self.place - PREPARED_AHEAD, -1)
        return (self.place, self.indices[0])


@dataclass
class _Out:
    """A task that is with the scheduler."""

    workers: list[str]
    """Where each of its attempts was sent."""
    since: float


@dataclass
class Ledger:
    """Tasks that wait, and tasks that are out; who takes what next."""

    _waiting: list[Task] = field(default_factory=list)
    _suspects: list[Task] = field(default_factory=list)
    _alone: Task | None = None
    _out: dict[Task, _Out] = field(default_factory=dict)
    _homes: dict[Hashable, str] = field(default_factory=dict)
    _seconds: dict[str, list[float]] = field(default_factory=dict)
    _drained: float | None = None

    @property
    def waiting(self) -> int:
        """How many tasks are not handed in yet."""
        return len(self._waiting) + len(self._suspects)

    @property
    def out(self) -> int:
        """How many tasks are with the scheduler."""
        return len(self._out)

    def add(self, task: Task) -> None:
        """Let `task` wait for its turn, also again."""
        insort(self._waiting, task, key=lambda one: one.order)

    def suspect(self, task: Task) -> bool:
        """Put a task aside whose workers died, to be run with no other; False if it was already.

        The workers held other tasks too: only one that runs alone is surely to blame.
        """
        self.ended(task)
        if self._alone == task:
            return False
        self._suspects.append(task)
        return True

    def take(self, workers: Mapping[str, int], now: float) -> tuple[Task, str] | None:
        """Hand out the next task and say to which worker; None if nothing is to be done now.

        Args:
            workers: How many tasks each of them runs at a time, by address.
            now: In seconds, from any start.
        """
        loads = self._loads()
        free = [one for one in workers if loads.get(one, 0) < AHEAD * workers[one]]
        if not free or self._alone in self._out:
            return None
        worker = min(free, key=lambda one: (loads.get(one, 0) / workers[one], one))
        if self._waiting:
            task = self._waiting.pop(self._nearest(worker))
        elif self._suspects and not self._out:
            task = self._alone = self._suspects.pop(0)
        else:
            return None
        self._drained = None if self._waiting else now
        self._out[task] = _Out([worker], now)
        if task.home is not None:
            self._homes[task.home] = worker
        return task, worker

    def _nearest(self, worker: str) -> int:
        """Return which waiting task `worker` should take."""
        homes = [self._homes.get(task.home) for task in self._waiting[:LOOK]]
        for wanted in (worker, None):
            if wanted in homes:
                return homes.index(wanted)
        return 0

    def late(self, workers: Mapping[str, int], now: float) -> list[tuple[Task, str]]:
        """Hand out late shards a second time, to workers that are idle; the first result counts."""
        if self._waiting or self._suspects or self._drained is None:
            return []
        found = []
        for task, out in list(self._out.items()):
            if len(out.workers) > 1 or not self._is_late(task, out, now):
                continue
            loads = self._loads()
            idle = [one for one in workers if one not in out.workers and not loads.get(one)]
            if idle:
                out.workers.append(idle[0])
                found.append((task, idle[0]))
        return found

    def _is_late(self, task: Task, out: _Out, now: float) -> bool:
        seconds = self._seconds.get(task.run)
        if not seconds or task == self._alone:
            return False
        since = max(out.since, self._drained or 0.0)
        return now - since > LATE * median(seconds) * len(task.indices)

    def finished(self, task: Task, worker: str, seconds: float) -> None:
        """Note that `task` took `seconds` at `worker`."""
        self.ended(task)
        if task.indices:
            self._seconds.setdefault(task.run, []).append(seconds / len(task.indices))
        if task.home is not None:
            self._homes[task.home] = worker

    def ended(self, task: Task) -> None:
        """Note that no attempt of `task` is out any more."""
        self._out.pop(task, None)

    def drop(self, run: str) -> list[Task]:
        """Forget the shards of `run`; return those that are out."""
        self._waiting = [one for one in self._waiting if one.run != run]
        self._suspects = [one for one in self._suspects if one.run != run]
        self._seconds.pop(run, None)
        dropped = [one for one in self._out if one.run == run]
        for task in dropped:
            self.ended(task)
        return dropped

    def _loads(self) -> dict[str, int]:
        loads: dict[str, int] = {}
        for out in self._out.values():
            for worker in out.workers:
                loads[worker] = loads.get(worker, 0) + 1
        return loads
