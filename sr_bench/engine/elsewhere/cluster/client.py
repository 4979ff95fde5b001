"""The session's side of a cluster: measures runs as `Worker` does, elsewhere."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from sr_bench.core.backend import BackendInfo
from sr_bench.engine.elsewhere.cluster.connect import (
    Places,
    agreed_workers,
    connected,
    travelling,
)
from sr_bench.engine.elsewhere.cluster.shared_work import (
    PROBE,
    Outcome,
    networks,
    session_folder,
    work_key,
    write_work,
)
from sr_bench.engine.job import Done, ImageResult, Progress
from sr_bench.engine.measure.in_batches import WINDOW
from sr_bench.engine.measure.worker import Begin, Planned, Work, Worker
from sr_bench.engine.plan.options import Selection
from sr_bench.errors import BackendError
from sr_bench.files.temporary import temporary_folder

if TYPE_CHECKING:  # an extra
    from distributed import Future

TICK_S = 1.0
"""How often it is seen whether the scheduler still answers."""
_RETRIES = 2
"""How often Dask runs a shard again after an error that is none of ours."""
_NAMED = 5
"""Images that a message lists."""

_LARGEST = 16
"""Images of a shard at most, where a device asks for no larger windows."""

_PARTS = 8
"""A shard takes this part of the images that are left, so that the last ones are small."""

T = TypeVar("T")


@dataclass(eq=False)
class _Run:
    """A run that was handed in."""

    name: str
    """Of the work's file."""
    place: int
    """Among all runs: earlier ones go first."""
    work: Work
    asked: set[int] = field(default_factory=set)
    shards: "dict[tuple[int, ...], Future[Any]]" = field(default_factory=dict)
    ended: SimpleQueue[tuple[int, ...]] = field(default_factory=SimpleQueue)
    """Shards that Dask is done with."""

    def let_go(self) -> None:
        """Let Dask stop what is left: a callback would keep it alive."""
        for future in self.shards.values():
            future.release()  # type: ignore[no-untyped-call]


class Cluster:
    """The workers of a Dask cluster, to be used from one thread and closed.

    Args:
        selection: The session's options, of which `cluster` says where the scheduler is.

    Raises:
        OptionError: dask.distributed is absent, nobody answers, no worker has what is needed, one
            does not see the session's files, or the workers' code, backends or processors differ.
    """

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._runs: dict[str, _Run] = {}
        self._networks: dict[str, Future[Any]] = {}
        """What makes the file of a network, by the network's digest."""
        self._last_network: dict[str, Future[Any]] = {}
        """By the digest of the weights: precisions share the export, those of int8 a pass."""
        self._places = count()
        self.shares: Counter[str] = Counter()
        """How many images each worker has measured, by address."""
        with ExitStack() as opened:
            client = opened.enter_context(connected(selection.cluster))
            self._folder = opened.enter_context(_shared_folder())
            from sr_bench.engine.elsewhere.cluster.remote import Station

            places = Places(self._folder, _given(selection))
            workers = agreed_workers(client, selection, places)
            self._station = f"sr-bench-{self._folder.name}"
            threads = selection.threads if workers.resource else 1
            sent = replace(travelling(selection), threads=threads)
            client.register_plugin(Station(sent, places, workers.identity), name=self._station)
            opened.callback(client.unregister_worker_plugin, self._station)
            opened.callback(self._let_go)  # called first at the end: tasks need the plugin
            self._client, self._workers = client, workers
            self._opened = opened.pop_all()
        self.info: BackendInfo = workers.identity.info
        """As the workers describe the backend."""
        # Consecutive images that a device is given at once stay in one shard.
        self._window = WINDOW if self.info.device == "cuda" else 1
        self.cpu: str = workers.identity.cpu
        """The workers' processor, on which digits may depend."""

    def start(self, planned: Iterable[Planned]) -> None:
        """Hand in the images of each work that were not handed in before."""
        for work, indices in planned:
            self._handed_in(work, indices)

    def measure(
        self, work: Work, indices: Sequence[int], *, begin: Begin, done: Done, progress: Progress
    ) -> None:
        """Pass on the results of the images `indices` of `work` as they come.

        As with a worker of this machine, an error is that of the first image in order that has
        one, and the images before it are measured.

        Raises:
            SrBenchError: The network can't be opened, an image not be measured, or the workers
                that tried it died.
        """
        run = self._handed_in(work, indices)
        try:
            self._collect(run, indices, begin, done, progress)
        finally:
            self._runs.pop(run.name).let_go()  # after an error too: nobody wants the rest

    def call(self, function: Callable[..., T], work: Work, *args: object, progress: Progress) -> T:
        """Return what `function` gives in this process; see `Executor`."""
        return Worker(self._selection).call(function, work, *args, progress=progress)

    def close(self) -> None:
        """Stop what is under way, and a cluster of this machine; a second call does nothing."""
        self._opened.close()

    def _let_go(self) -> None:
        for run in self._runs.values():
            run.let_go()
        for futures in (self._networks, self._last_network, self._runs):
            futures.clear()

    def _handed_in(self, work: Work, indices: Sequence[int]) -> _Run:
        """Return the run of `work`, once all of `indices` are with the scheduler."""
        name = work_key(work)
        run = self._runs.get(name)
        if run is None:
            write_work(self._folder, work)
            run = self._runs[name] = _Run(name, next(self._places), work)
        if new := sorted(set(indices) - run.asked):
            run.asked.update(new)
            needed = [self._making(run, network) for network in networks(work)]
            for part in split(new, window=self._window):
                self._hand_in(run, part, [future for future in needed if future])
        return run

    def _hand_in(self, run: _Run, part: tuple[int, ...], needed: "list[Future[Any]]") -> None:
        digests, ended = run.work.job.images.digests, run.ended
        images = {index: digests[index] for index in part}
        future = self._submit(run, f"{part[0]}", "measure", run.name, images, needed)
        run.shards[part] = future
        # Of the run it holds the queue alone: a circle would keep futures that were let go.
        future.add_done_callback(lambda _: ended.put(part))  # type: ignore[no-untyped-call]

    def _making(self, run: _Run, network: str) -> "Future[Any] | None":
        """Return what makes the file of a network of `run`, just once; None if none is needed."""
        prepared = networks(run.work)[network]
        if not prepared.is_made:
            return None
        if prepared.digest not in self._networks:
            before = self._last_network.get(prepared.network)
            future = self._submit(run, network, "make", run.name, network, before)
            self._networks[prepared.digest] = self._last_network[prepared.network] = future
        return self._networks[prepared.digest]

    def _submit(self, run: _Run, name: str, method: str, *args: object) -> "Future[Any]":
        from sr_bench.engine.elsewhere.cluster.remote import at_station

        future: Future[Any] = self._client.submit(
            at_station,
            self._station,
            method,
            *args,
            key=f"{self._station}-{run.place}-{name}",
            priority=-run.place,  # the order of the session, whatever is free first
            resources=self._workers.needed,
            retries=_RETRIES,
            pure=False,
        )
        return future

    def _collect(
        self, run: _Run, indices: Sequence[int], begin: Begin, done: Done, progress: Progress
    ) -> None:
        """Pass on what arrives until the images `indices` are there, or those before an error."""
        places = {index: place for place, index in enumerate(indices)}
        results: dict[int, ImageResult] = {}
        end, fault = len(indices), None
        notes: dict[str, str] = {}
        device = ""
        while not all(place in results for place in range(end)):
            part = self._next(run)
            outcome = self._outcome(run, part)
            if outcome.device:
                notes |= outcome.notes
                if not device:
                    begin(outcome.device, outcome.notes)
                device = outcome.device
            for index, result in outcome.results:
                self.shares[outcome.worker] += 1
                if index in places:
                    results[places[index]] = result
                    done(index, result)
                    progress(len(results), len(indices), result.image)
            if outcome.fault is not None:
                measured = dict(outcome.results)
                failed = [places[i] for i in part if i in places and i not in measured]
                if failed and min(failed) < end:
                    end, fault = min(failed), outcome.fault
        if fault is not None:
            raise fault
        begin(device, notes)

    def _next(self, run: _Run) -> tuple[int, ...]:
        """Return the next shard of `run` that Dask is done with."""
        while True:
            try:
                return run.ended.get(timeout=TICK_S)
            except Empty:
                if self._client.status != "running":
                    msg = "the cluster's scheduler has stopped answering: restart it"
                    raise BackendError(msg) from None

    def _outcome(self, run: _Run, part: tuple[int, ...]) -> Outcome:
        """Return the outcome of a shard, even if its workers died."""
        from distributed import CancelledError, KilledWorker

        try:
            outcome: Outcome = run.shards[part].result()
        except (KilledWorker, CancelledError) as error:
            names = [run.work.job.names[index] for index in part]
            more = ", ..." if len(names) > _NAMED else ""
            where = f"{run.work.job.card.id} on {', '.join(names[:_NAMED])}{more}"
            msg = f"{where}: every worker that tried this died, perhaps out of memory: {error}"
            return Outcome(fault=BackendError(msg))
        return outcome


@contextmanager
def _shared_folder() -> Iterator[Path]:
    """Give a folder of the cache for what the session hands to its workers; it goes at the end."""
    parent = session_folder("")
    parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(parent) as folder:
        (Path(folder) / PROBE).touch()
        yield Path(folder)


def _given(selection: Selection) -> tuple[Path, ...]:
    """Return the folders that the user named, and where images are kept."""
    results = selection.results if selection.keep != "off" else None
    named = (selection.data, selection.weights, results)
    return tuple(path.absolute() for path in named if path and path.exists())


def split(indices: Sequence[int], *, window: int = 1) -> tuple[tuple[int, ...], ...]:
    """Return `indices` in shards, in order: large ones first, small ones at the end.

    Images of one window, ``index // window``, stay in one shard.

    >>> [len(shard) for shard in split(range(20))]
    [3, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    shards: list[tuple[int, ...]] = []
    start = 0
    while start < len(indices):
        size = min(_LARGEST, -(-(len(indices) - start) // _PARTS))
        end = start + size
        while end < len(indices) and indices[end] // window == indices[end - 1] // window:
            end += 1
        shards.append(tuple(indices[start:end]))
        start = end
    return tuple(shards)
