"""Reach a cluster, or start one on this machine; check that its workers are alike."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sr_bench.core.backend import BackendInfo
from sr_bench.engine.elsewhere.cluster.shared_work import PROBE, check_seen, session_folder
from sr_bench.engine.measure.worker import Worker
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.code_digest import measuring_and_metrics
from sr_bench.errors import BackendError, OptionError, SrBenchError
from sr_bench.files.cache import cache_dir
from sr_bench.files.temporary import temporary_folder
from sr_bench.system.cpu import cpu_model
from sr_bench.text.printable import printable_line

if TYPE_CHECKING:  # an extra
    from distributed import Client

FIRST_WORKER_S = 60.0
"""How long to wait for the first worker: job queues start them late."""

_LOCAL = re.compile(r"local:([1-9]\d{0,2})")
_ADDRESS = re.compile(r"[a-z]+://\S+")
_CONNECT_S = 30.0
_KILLED = 2
"""A cluster of our own gives a task up when more workers than this died while they had it."""
_RESOURCES = {"vacc": "VACC", "cuda": "GPU"}
"""What a worker must offer so that the device of this name is used."""
_OFFERS = {"vacc": "VACC", "torch": "GPU", "onnxruntime": "GPU"}
"""What workers offer that have a device for the backend of this name."""


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
                "its sr-bench or its packages differ: install the same versions of sr-bench, numpy,"
                " onnx, onnxruntime, torch and the like everywhere"
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
        return Identity(measuring_and_metrics(), cpu_model(), Worker(selection).info)
    except SrBenchError as error:
        return str(error)


@contextmanager
def connected(address: str) -> "Iterator[Client]":
    """Give a client of the cluster at `address`, which is a scheduler's or ``local:N``.

    Raises:
        OptionError: dask.distributed is absent, the address is malformed, or nothing answers there.
    """
    try:
        import distributed  # noqa: F401 - whether it is there
    except ImportError as cause:
        msg = f"--sr-cluster={address} needs Dask ({cause}): pip install 'sr-bench[cluster]'"
        raise OptionError(msg) from cause
    opened: AbstractContextManager[Client]
    if match := _LOCAL.fullmatch(address):
        opened = _local(int(match[1]))
    elif _ADDRESS.fullmatch(address):
        opened = _existing(address)
    else:
        msg = (
            f"--sr-cluster={printable_line(address)}: expected a scheduler's address such as"
            " tcp://10.0.0.1:8786, or local:N for N workers on this machine"
        )
        raise OptionError(msg)
    with opened as client:
        yield client


@contextmanager
def _local(workers: int) -> "Iterator[Client]":
    """Start `workers` processes of one thread each, reached from this machine alone."""
    import dask
    from distributed import Client, LocalCluster

    quiet = {
        "distributed.scheduler.allowed-failures": _KILLED,
        # Dask's statistics of itself take 3 % of two cores, and nobody looks at them.
        "distributed.admin.low-level-log-length": 0,
        "distributed.worker.profile.enabled": False,
        "distributed.admin.system-monitor.interval": "10s",
    }
    with (
        temporary_folder() as folder,
        dask.config.set(quiet),
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            # Without this its page of statistics would take a fixed port, on all networks.
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            memory_limit=0,  # Dask would end workers that the system lets live
            local_directory=folder,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,  # type: ignore[no-untyped-call]
    ):
        yield client


def _existing(address: str) -> "AbstractContextManager[Client]":
    from distributed import Client

    try:
        return Client(  # type: ignore[no-untyped-call]
            address, timeout=_CONNECT_S, set_as_default=False
        )
    except (OSError, ValueError) as cause:
        msg = f"--sr-cluster={address}: no Dask scheduler answers there ({cause}); start one first"
        raise OptionError(msg) from cause


@dataclass(frozen=True)
class Workers:
    """The workers that may compute, which are alike."""

    identity: Identity
    resource: str = ""
    """What one task takes of a worker; empty: a thread is enough."""

    @property
    def needed(self) -> dict[str, float] | None:
        """The resource by its name, as Dask takes it."""
        return {self.resource: 1} if self.resource else None


def agreed_workers(client: "Client", selection: Selection, places: Places) -> Workers:
    """Return the workers of the cluster that may compute, once they are known to be alike.

    Raises:
        OptionError: There are none, one does not see the session's files, or they differ in what
            moves numbers; it says who.
    """
    where = f"--sr-cluster={selection.cluster}"
    try:
        client.wait_for_workers(1, timeout=FIRST_WORKER_S)
    except TimeoutError as cause:
        msg = f"{where}: the scheduler has no worker after {FIRST_WORKER_S:g} s; start some"
        raise OptionError(msg) from cause
    answers = client.run(look, travelling(selection), places, on_error="return")
    info: Mapping[str, Mapping[str, object]] = client.scheduler_info()["workers"]
    name = _OFFERS.get(selection.backend, "")
    offering = {at for at in answers if name and at in info and _offered(info[at], name)}
    # Sorted, so that the same one is the model for the others each time.
    looks = _usable({at: answers[at] for at in sorted(offering or answers)}, where)
    first = next(iter(looks.values()))
    needed = _RESOURCES.get(first.info.device, "")
    if needed and not offering:
        msg = (
            f"{where}: {selection.backend} computes on {first.info.device} there, but no worker"
            f" offers {needed}: start one worker for each device with --resources {needed}=1"
            " --nthreads 1"
        )
        raise OptionError(msg)
    if not needed:
        looks = _usable(answers, where)
    # This machine's code keys the results.
    expected = replace(first, measuring=measuring_and_metrics())
    differences = {at: expected.difference(identity) for at, identity in looks.items()}
    _refuse(differences, f"{where}: these workers differ, so that numbers would mix:")
    return Workers(first, needed)


def travelling(selection: Selection) -> Selection:
    """Return the options that count for a worker: folders of this machine mean nothing there.

    A worker works on as many images at once as it has threads, so each call is on one; a device
    is fed by as many as the options say.
    """
    return replace(
        selection,
        results=None,
        data=None,
        weights=None,
        compare=(),
        cache_dir=None,
        cluster="",
    )


def _offered(worker: Mapping[str, object], resource: str) -> int:
    offers = worker.get("resources")
    return int(offers.get(resource, 0)) if isinstance(offers, Mapping) else 0


def _usable(answers: Mapping[str, object], where: str) -> dict[str, Identity]:
    identities = {at: answer for at, answer in answers.items() if isinstance(answer, Identity)}
    others = {at: answer for at, answer in answers.items() if at not in identities}
    refusals = {at: str(answer) or type(answer).__name__ for at, answer in others.items()}
    _refuse(refusals, f"{where}: these workers can't compute:")
    return identities


def _refuse(refusals: Mapping[str, str], title: str) -> None:
    """Raise an OptionError that says of each worker why it is refused, if any is."""
    if faults := [f"{at}: {printable_line(why)}" for at, why in refusals.items() if why]:
        raise OptionError("\n  ".join([title, *faults]))
