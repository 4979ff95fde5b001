"""What runs on a worker of the cluster; only a process with dask.distributed imports this."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from distributed import Worker as DaskWorker
from distributed import WorkerPlugin, get_worker

from sr_bench.core.backend import BackendInfo
from sr_bench.engine.elsewhere.cluster.outcome import Outcome, fault_of
from sr_bench.engine.elsewhere.cluster.parcel import Preparation, Shard
from sr_bench.engine.elsewhere.cluster.relocate import relocated
from sr_bench.engine.elsewhere.cluster.sessions import SharingWorker
from sr_bench.engine.elsewhere.cluster.store import place
from sr_bench.engine.job import ImageResult
from sr_bench.engine.measure.worker import Work
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.code_digest import measuring
from sr_bench.engine.prepare.network import quiet
from sr_bench.errors import SrBenchError
from sr_bench.files.cache import cache_dir
from sr_bench.history.environment import cpu_model
from sr_bench.text.home import without_home

Sent = Mapping[str, Sequence[bytes]]
"""What is in files, by the key of their content."""


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


def look(selection: Selection) -> Identity | str:
    """Return what this process is, or why its backend can't be used as the options ask."""
    try:
        return Identity(measuring(), cpu_model(), SharingWorker(selection).info)
    except SrBenchError as error:
        return str(error)


class Station(WorkerPlugin):
    """What a worker process keeps for a session: the backend, open networks, decoded pairs.

    Args:
        selection: The session's options.
        expected: What all workers must be.
    """

    def __init__(self, selection: Selection, expected: Identity) -> None:
        self._selection = selection
        self._expected = expected

    def setup(self, worker: DaskWorker) -> None:
        """Start on `worker`."""
        self._address = worker.address
        self._scratch = worker.local_directory
        self._lock = Lock()
        self._worker: SharingWorker | None = None

    def teardown(self, worker: DaskWorker) -> None:
        """Close the networks."""
        if self._worker is not None:
            self._worker.sessions.close()

    def refusal(self) -> str:
        """Return why this worker must not compute; empty if it may."""
        found = look(self._selection) if self._worker is None else self._expected
        if isinstance(found, str):
            return found
        if difference := self._expected.difference(found):
            return difference
        with self._lock:
            self._worker = self._worker or SharingWorker(self._selection)
        return ""

    def prepare(self, parcel: Preparation, sent: Sent) -> Outcome:
        """Make the file of a network, unless this machine has it."""
        if refused := self.refusal():
            return Outcome(self._address, refused=refused)
        where: Mapping[Path, Path] = {}
        try:
            where, missing = place(parcel.contents, sent)
            if missing:
                return Outcome(self._address, missing=missing)
            prepared = relocated(parcel.prepared, where)
            file, told = prepared.onnx(), prepared.plan_notes()
            data = file.read_bytes() if parcel.wants_data else None
        except SrBenchError as error:
            return Outcome(self._address, fault=fault_of(error, where))
        name = file.relative_to(cache_dir()).as_posix()
        return Outcome(self._address, made=(name, told, data))

    def measure(self, shard: Shard, sent: Sent) -> Outcome:
        """Measure the images of `shard`; an error comes back with the results before it."""
        start = time.perf_counter()
        if refused := self.refusal():
            return Outcome(self._address, refused=refused)
        try:
            where, missing = place(shard.contents, sent)
        except SrBenchError as error:
            return Outcome(self._address, fault=fault_of(error, {}))
        if missing:
            return Outcome(self._address, missing=missing)
        with TemporaryDirectory(prefix="sr-bench-", dir=self._scratch) as folder:
            return self._measured(shard, where, Path(folder), start)

    def _measured(
        self, shard: Shard, where: Mapping[Path, Path], folder: Path, start: float
    ) -> Outcome:
        work, here = shard.work, dict(where)
        if work.keeper:
            here[work.keeper.results] = folder
            _leave_out(folder, shard.present)
        results: dict[int, ImageResult] = {}
        said: list[tuple[str, Mapping[str, str]]] = []
        fault = None
        try:
            self._run(relocated(work, here), shard.asked, results, said)
        except SrBenchError as error:
            fault = fault_of(error, here)
        device, notes = said[-1] if said else ("", None)
        return Outcome(
            self._address,
            device=device,
            notes=notes,
            results=tuple((shard.numbers[index], results[index]) for index in sorted(results)),
            kept=_kept(folder),
            fault=fault,
            seconds=time.perf_counter() - start,
        )

    def _run(
        self,
        work: Work,
        asked: Sequence[int],
        results: dict[int, ImageResult],
        said: list[tuple[str, Mapping[str, str]]],
    ) -> None:
        worker = self._worker
        if worker is None:
            msg = "expected a worker that was looked at first"
            raise TypeError(msg)
        worker.measure(
            work,
            asked,
            begin=lambda device, notes: said.append((device, _told(notes))),
            done=results.__setitem__,
            progress=quiet,
        )


def _told(notes: Mapping[str, str]) -> Mapping[str, str]:
    return {name: without_home(text) for name, text in notes.items()}


def _leave_out(folder: Path, names: Sequence[str]) -> None:
    """Let the keeper find the files that the controller has: it does not make them again."""
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()


def _kept(folder: Path) -> tuple[tuple[str, bytes], ...]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    return tuple((path.relative_to(folder).as_posix(), path.read_bytes()) for path in files)


def measure_shard(station: str, shard: Shard, sent: Sent) -> Outcome:
    """Measure the images of `shard` at the `station` of this worker."""
    return _station(station).measure(shard, sent)


def prepare_network(station: str, parcel: Preparation, sent: Sent) -> Outcome:
    """Make the file of a network at the `station` of this worker."""
    return _station(station).prepare(parcel, sent)


def _station(name: str) -> Station:
    found = get_worker().plugins[name]
    if not isinstance(found, Station):
        msg = f"expected the plugin {name} to be a Station, got {type(found).__name__}"
        raise TypeError(msg)
    return found
