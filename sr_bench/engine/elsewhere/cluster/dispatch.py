"""Hand work to the scheduler bit by bit, and what comes back to who waits for it; one thread."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from sr_bench.engine.elsewhere.cluster.connect import Workers
from sr_bench.engine.elsewhere.cluster.networks import Networks
from sr_bench.engine.elsewhere.cluster.outcome import Outcome
from sr_bench.engine.elsewhere.cluster.parcel import Preparation, Shard, shard_of
from sr_bench.engine.elsewhere.cluster.runs import Delivery, Run
from sr_bench.engine.elsewhere.cluster.shards import Ledger, Task, split
from sr_bench.engine.elsewhere.cluster.traffic import Traffic
from sr_bench.errors import BackendError, SrBenchError
from sr_bench.files.disk import disk_error

if TYPE_CHECKING:  # an extra
    from distributed import Client, Future

TICK_S = 1.0
"""How often workers are counted and late shards are looked for."""
_TRIES = 8
"""How often a task is handed in again because what it needs was lost on the way."""
_NAMED = 5
"""Images that a message lists."""


class Dispatcher:
    """Hands in the shards of all runs; everything but its public methods is in one thread.

    Args:
        client: Of the cluster.
        workers: Which workers may compute.
        station: Name of the plugin that the workers have.
        window: Consecutive images that must stay together.
    """

    def __init__(self, client: "Client", workers: Workers, station: str, window: int) -> None:
        self._client = client
        self._workers = workers
        self._station = station
        self._window = window
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._ledger = Ledger()
        self._slots: Mapping[str, int] = {}
        self._runs: dict[str, Run] = {}
        self._networks = Networks()
        self.traffic = Traffic(client, station)
        self._attempts: dict[Task, dict[str, Future[Any]]] = {}
        self._tries: dict[Task, int] = {}
        self._numbers = count()
        self.shares: Counter[str] = Counter()
        """How many images each worker has measured, by address."""
        self._broken: BaseException | None = None
        self._stopped = False
        self._thread = Thread(target=self._work, name="sr-bench-cluster", daemon=True)
        self._thread.start()

    def add(self, run: Run, indices: Sequence[int]) -> None:
        """Measure the images `indices` of `run` too."""
        self._inbox.put(partial(self._add, run, tuple(indices)))

    def drop(self, run: Run) -> None:
        """Stop what is left of `run`."""
        self._inbox.put(partial(self._drop, run))

    def close(self) -> None:
        """Stop everything."""
        self._inbox.put(self._stop)
        self._thread.join()

    def _work(self) -> None:
        tick = monotonic()
        while not self._stopped:
            try:
                step = self._inbox.get(timeout=max(0.0, tick - monotonic()))
            except Empty:
                tick, step = monotonic() + TICK_S, self._tick
            try:
                step()
                self._pump()
            # Whoever waits must hear of it, whatever it is.
            except Exception as error:
                self._break(error)

    def _stop(self) -> None:
        self._stopped = True
        self._attempts.clear()
        self.traffic.close()

    def _tick(self) -> None:
        """Count the workers; run late shards twice."""
        if self._client.status != "running":
            msg = "the scheduler of the cluster does not answer any more: start it again"
            raise BackendError(msg)
        self._slots = self._workers.slots(self._client)
        for task, worker in self._ledger.late(self._slots, monotonic()):
            self._hand_in(task, worker)

    def _break(self, error: BaseException) -> None:
        self._broken = error
        self._ledger = Ledger()
        self._attempts.clear()
        for run in self._runs.values():
            run.arrivals.put(Delivery(fault=error))
        self._runs.clear()

    def _add(self, run: Run, indices: tuple[int, ...]) -> None:
        if self._broken is not None:
            run.arrivals.put(Delivery(fault=self._broken))
            return
        self._runs[run.key] = run
        run.parts.append(indices)
        try:
            tasks = self._networks.need(run)
        except (SrBenchError, OSError) as error:
            run.arrivals.put(Delivery(fault=_readable(error)))
            return
        for task in tasks:
            self._ledger.add(task)
        self._start_if_ready(run)

    def _start_if_ready(self, run: Run) -> None:
        if run.needs:
            return
        images = run.work.job.images
        for indices in run.parts:
            for part in split(indices, window=self._window):
                name = f"{run.key[:24]}-{run.place}-{part[0]}"
                home = (images.slug, images.scale, part[0], part[-1])
                self._ledger.add(Task(name, run.key, run.place, part, home))
        run.parts.clear()

    def _drop(self, run: Run) -> None:
        if self._runs.get(run.key) is run:
            del self._runs[run.key]
            for task in self._ledger.drop(run.key):
                self._settle(task)

    def _pump(self) -> None:
        """Hand in what there is room for."""
        while step := self._ledger.take(self._slots, monotonic()):
            self._hand_in(*step)

    def _hand_in(self, task: Task, worker: str) -> None:
        try:
            function, parcel = self._parcel(task)
            sent = self.traffic.send(task, worker, parcel.contents)
        except (SrBenchError, OSError) as error:
            self._fail(task, _readable(error))
            return
        self._tries[task] = self._tries.get(task, 0) + 1
        # A name that was used before may still be being forgotten.
        key = f"{self._station}-{task.name}-{next(self._numbers)}"
        future = self._client.submit(
            function,
            self._station,
            parcel,
            sent,
            key=key,
            workers=[worker],
            allow_other_workers=True,
            resources=self._needed(task),
            pure=False,
        )
        self._attempts.setdefault(task, {})[key] = future
        future.add_done_callback(  # type: ignore[no-untyped-call]
            lambda done: self._inbox.put(partial(self._done, task, key, done))
        )

    def _parcel(self, task: Task) -> "tuple[Callable[..., Outcome], Preparation | Shard]":
        from sr_bench.engine.elsewhere.cluster.remote import measure_shard, prepare_network

        if not task.indices:
            return prepare_network, self._networks.parcel(task)
        work = self._runs[task.run].work
        return measure_shard, shard_of(work, task.indices, self._window, self._networks.made)

    def _needed(self, task: Task) -> dict[str, int] | None:
        resource = self._workers.resource
        return {resource: 1} if resource and task.indices else None

    def _done(self, task: Task, key: str, future: "Future[Any]") -> None:
        """Take what came of an attempt, unless another one was faster or nobody wants it."""
        attempts = self._attempts.get(task, {})
        if attempts.pop(key, None) is None:
            return
        try:
            outcome: Outcome = future.result()
        except Exception as error:
            if not attempts:  # else the other attempt goes on
                self._lost(task, error)
            return
        self._settle(task)
        self._take(task, outcome)

    def _lost(self, task: Task, error: Exception) -> None:
        from distributed import CancelledError, KilledWorker

        if isinstance(error, KilledWorker):
            if not self._ledger.suspect(task):
                self._fail(task, self._killed(task, error))
        elif isinstance(error, CancelledError) and self._tries[task] < _TRIES:
            self._again(task)
        else:
            self._fail(task, error)

    def _killed(self, task: Task, error: Exception) -> BackendError:
        if task.indices:
            job = self._runs[task.run].work.job
            names = [job.names[index] for index in task.indices]
            more = ", ..." if len(names) > _NAMED else ""
            where = f"{job.card.id} on {', '.join(names[:_NAMED])}{more}"
        else:
            where = f"preparing {self._networks.name(task)}"
        msg = f"{where}: each worker that did this died, too little memory may be why: {error}"
        return BackendError(msg)

    def _take(self, task: Task, outcome: Outcome) -> None:
        if outcome.refused:
            msg = f"worker {outcome.worker} can't compute here: {outcome.refused}; stop it"
            self._fail(task, BackendError(msg))
        elif outcome.missing:
            self.traffic.want(task, outcome.missing)
            if self._tries[task] < _TRIES:
                self._again(task)
            else:
                msg = f"worker {outcome.worker} can't keep the files that it is sent"
                self._fail(task, BackendError(msg))
        else:
            self._ledger.finished(task, outcome.worker, outcome.seconds)
            self._tries.pop(task, None)
            self.traffic.forget(task)
            self._accept(task, outcome)

    def _accept(self, task: Task, outcome: Outcome) -> None:
        fault = outcome.fault.error() if outcome.fault else None
        if not task.indices:
            self._accept_network(task, outcome, fault)
            return
        run = self._runs[task.run]
        try:
            outcome.write_kept(run.work.keeper)
        except SrBenchError as error:
            fault = fault or error
        results = dict(outcome.results)
        self.shares[outcome.worker] += len(results)
        at = next((index for index in task.indices if index not in results), task.indices[0])
        notes = outcome.notes or {}
        run.arrivals.put(Delivery(outcome.results, outcome.device, notes, fault, at))

    def _accept_network(self, task: Task, outcome: Outcome, fault: SrBenchError | None) -> None:
        try:
            if fault:
                raise fault
            whole = self._networks.accept(task, outcome)
        except SrBenchError as error:
            self._fail(task, error)
            return
        if not whole:
            self._ledger.add(task)
            return
        for run in self._next_network(task):
            if self._runs.get(run.key) is run:
                self._start_if_ready(run)

    def _next_network(self, task: Task) -> list[Run]:
        """Let the next of the group be made; return who waited for `task`."""
        runs, following = self._networks.finished(task)
        for one in following:
            self._ledger.add(one)
        return runs

    def _again(self, task: Task) -> None:
        self._ledger.ended(task)
        self._ledger.add(task)

    def _fail(self, task: Task, error: BaseException) -> None:
        """Tell who waits for `task`."""
        self._settle(task)
        self._ledger.ended(task)
        if task.indices:
            self._runs[task.run].arrivals.put(Delivery(fault=error, at=task.indices[0]))
            return
        for run in self._next_network(task):
            run.arrivals.put(Delivery(fault=error))

    def _settle(self, task: Task) -> None:
        """Let go of the attempts of `task`, and of what was sent for it."""
        self._attempts.pop(task, None)
        self.traffic.settled(task)


def _readable(error: SrBenchError | OSError) -> SrBenchError:
    if isinstance(error, SrBenchError):
        return error
    return disk_error(error, Path(error.filename or "a file"), "read")
