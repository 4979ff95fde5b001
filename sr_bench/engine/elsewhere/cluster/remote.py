"""What runs on a worker of the cluster; only a process with dask.distributed imports this."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from distributed import Worker as DaskWorker
from distributed import WorkerPlugin, get_worker

from sr_bench.core.backend import BackendInfo
from sr_bench.engine.elsewhere.cluster.outcome import Outcome
from sr_bench.engine.elsewhere.cluster.sessions import SharingWorker
from sr_bench.engine.elsewhere.cluster.shared_work import (
    PROBE,
    SharedWork,
    check_seen,
    networks,
    read_work,
    session_folder,
)
from sr_bench.engine.job import ImageResult
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.code_digest import measuring
from sr_bench.engine.prepare.network import quiet
from sr_bench.errors import BackendError, SrBenchError
from sr_bench.files.cache import cache_dir
from sr_bench.history.environment import cpu_model

_WORKS = 4
"""Works that are kept in memory, for the next shards of their runs."""


@dataclass(frozen=True)
class Identity:
    """What decides a number besides the work: workers that differ in it would mix numbers."""

    measuring: str
    """Digest of all code that measures."""
    cpu: str
    info: BackendInfo

    def difference(self, other: "Identity") -> str:
        """Say in what `other` differs; empty if in nothing that moves a number.

        Different processors may round differently where they compute themselves.
        """
        if self.measuring != other.measuring:
            return (
                "its sr-bench or its packages that measure are not the same: install one version"
                " of sr-bench, numpy, onnx, onnxruntime, torch and the like everywhere"
            )
        if self.info != other.info:
            return f"its backend is {_described(other.info)}, not {_described(self.info)}"
        if self.cpu != other.cpu and self.info.device in ("cpu", "emulated"):
            return f"its processor is {other.cpu}, not {self.cpu}, so digits may differ"
        return ""


def _described(info: BackendInfo) -> str:
    return f"{info.name} {info.version} on {info.device} ({info.note})"


@dataclass(frozen=True)
class Places:
    """Where a session's files are."""

    folder: Path
    """Of the session, in the cache folder."""
    others: tuple[Path, ...] = ()

    def check(self) -> None:
        """Raise a BackendError, which says which path it is, if this process lacks one."""
        check_seen([self.folder / PROBE, *self.others])
        if not (session_folder(self.folder.name) / PROBE).is_file():
            cache = self.folder.parent.parent
            msg = f"its cache folder is {cache_dir()}: start it with SR_BENCH_CACHE={cache}"
            raise BackendError(msg)


def look(selection: Selection, places: Places) -> Identity | str:
    """Return what this process is, or why it can't compute as the options ask."""
    try:
        places.check()
        return Identity(measuring(), cpu_model(), SharingWorker(selection).info)
    except SrBenchError as error:
        return str(error)


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
        self._lock = Lock()
        self._worker: SharingWorker | None = None
        self._works: OrderedDict[str, SharedWork] = OrderedDict()

    def teardown(self, worker: DaskWorker) -> None:
        """Close the networks."""
        if self._worker is not None:
            self._worker.sessions.close()

    def make(self, name: str, network: str) -> SrBenchError | None:
        """Make the file of a network of the work `name`; return why it could not be made."""
        try:
            self._checked_worker()
            prepared = networks(self._work(name).work)[network]
            prepared.onnx()
        except SrBenchError as error:
            return error
        return None

    def measure(
        self, name: str, images: Mapping[int, str], faults: Sequence[SrBenchError | None]
    ) -> Outcome:
        """Measure images of the work `name`; an error comes back with the results before it.

        Args:
            name: Of the work's file.
            images: Their digests, by number.
            faults: Why networks could not be made.
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
        return Outcome(self._address, tuple(sorted(results.items())), *begun[-1], fault)

    def _checked_worker(self) -> SharingWorker:
        """Return what measures here.

        Raises:
            BackendError: This worker's numbers would not be the others', or it lacks files.
        """
        with self._lock:
            if self._worker is None:
                identity = look(self._selection, self._places)
                differs = isinstance(identity, Identity) and self._expected.difference(identity)
                if refused := identity if isinstance(identity, str) else differs:
                    msg = f"worker {self._address} can't compute here: {refused}; stop it"
                    raise BackendError(msg)
                self._worker = SharingWorker(self._selection)
            return self._worker

    def _work(self, name: str) -> SharedWork:
        with self._lock:
            if name not in self._works:
                try:
                    self._works[name] = read_work(self._places.folder, name)
                except SrBenchError as error:
                    where = f"worker {self._address}"
                    raise error.about(where) from error
                if len(self._works) > _WORKS:
                    self._works.popitem(last=False)
            self._works.move_to_end(name)
            return self._works[name]


def measure_shard(
    station: str, name: str, images: Mapping[int, str], faults: Sequence[SrBenchError | None]
) -> Outcome:
    """Measure images of the work `name` at the `station` of this worker."""
    return _station(station).measure(name, images, faults)


def make_network(station: str, name: str, network: str, _before: object) -> SrBenchError | None:
    """Make the file of a network at the `station` of this worker, after what goes before."""
    return _station(station).make(name, network)


def _station(name: str) -> Station:
    plugin = get_worker().plugins[name]
    if not isinstance(plugin, Station):
        msg = f"expected the plugin {name} to be a Station, got {type(plugin).__name__}"
        raise TypeError(msg)
    return plugin
