"""What runs on a worker of the cluster; only a process with dask.distributed imports this."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from threading import Lock
from typing import Any

from distributed import Worker as DaskWorker
from distributed import WorkerPlugin, get_worker

from sr_bench.engine.elsewhere.cluster.connect import Identity, Places, look
from sr_bench.engine.elsewhere.cluster.sessions import SharingWorker
from sr_bench.engine.elsewhere.cluster.shared_work import Outcome, SharedWork, networks, read_work
from sr_bench.engine.job import ImageResult, quiet
from sr_bench.engine.plan.options import Selection
from sr_bench.errors import BackendError, SrBenchError

_WORKS = 4
"""Works that are kept in memory, for the next shards of their runs."""


class Station(WorkerPlugin):
    """What a worker process keeps for a session: the backend, open networks, decoded pairs.

    Args:
        selection: The session's options.
        places: Where its files are.
        expected: What all workers must be.
    """

    def __init__(self, selection: Selection, places: Places, expected: Identity) -> None:
        self._selection = selection
        self._places = places
        self._expected = expected

    def setup(self, worker: DaskWorker) -> None:
        """Start on `worker`."""
        self._address = worker.address
        self._lock = Lock()  # a worker runs several tasks at once
        self._worker: SharingWorker | None = None
        self._work = lru_cache(_WORKS)(self._read_work)

    def teardown(self, worker: DaskWorker) -> None:
        """Close the networks."""
        if self._worker is not None:
            self._worker.sessions.close()

    def make(self, name: str, network: str, _before: object = None) -> SrBenchError | None:
        """Make the file of a network of the work `name`; return why it could not be made.

        Dask runs it after what makes `_before`, whose export or calibration it shares.
        """
        try:
            self._checked_worker()
            networks(self._work(name).work)[network].onnx()
        except SrBenchError as error:
            return error
        return None

    def measure(
        self, name: str, images: Mapping[int, str], faults: Sequence[SrBenchError | None]
    ) -> Outcome:
        """Measure images of the work `name`, given by number and digest.

        An error comes back with the results before it; `faults` say why networks were not made.
        """
        results: dict[int, ImageResult] = {}
        begun: list[tuple[str, Mapping[str, str]]] = [("", {})]
        fault = next(filter(None, faults), None)
        try:
            if fault is None:
                worker, shared = self._checked_worker(), self._work(name)
                shared.check_images(images)
                worker.measure(
                    shared.work,
                    tuple(images),
                    begin=lambda device, notes: begun.append((device, dict(notes))),
                    done=results.__setitem__,
                    progress=quiet,
                )
        except SrBenchError as error:
            fault = error
        # Threads end in any order; the last word knows most.
        return Outcome(self._address, tuple(sorted(results.items())), *begun[-1], fault)

    def _checked_worker(self) -> SharingWorker:
        """Return what measures here.

        Raises:
            BackendError: This worker's numbers would not be the others', or it lacks files.
        """
        with self._lock:
            if self._worker is None:  # looked at once: all tasks share it
                identity = look(self._selection, self._places)
                differs = isinstance(identity, Identity) and self._expected.difference(identity)
                if refused := identity if isinstance(identity, str) else differs:
                    msg = f"worker {self._address} can't compute here: {refused}; stop it"
                    raise BackendError(msg)
                self._worker = SharingWorker(self._selection)
            return self._worker

    def _read_work(self, name: str) -> SharedWork:
        try:
            return read_work(self._places.folder, name)
        except SrBenchError as error:
            where = f"worker {self._address}"
            raise error.about(where) from error


def at_station(station: str, method: str, *args: object) -> Any:
    """Return what a method of the `Station` gives that this worker keeps under a name."""
    return getattr(get_worker().plugins[station], method)(*args)
