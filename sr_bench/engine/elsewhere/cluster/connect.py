"""Reach a cluster, or start one on this machine; find its workers and whether they are alike."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.code_digest import measuring
from sr_bench.errors import OptionError
from sr_bench.text.printable import printable_line

if TYPE_CHECKING:  # an extra
    from distributed import Client

    from sr_bench.engine.elsewhere.cluster.remote import Identity, Places

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


@contextmanager
def connected(address: str) -> "Iterator[Client]":
    """Give a client of the cluster at `address`, which is a scheduler's or ``local:N``.

    Raises:
        OptionError: dask.distributed is absent, the address is none, or nobody answers there.
    """
    try:
        import distributed  # noqa: F401 - whether it is there
    except ImportError as cause:
        msg = f"--sr-cluster={address} needs Dask ({cause}): pip install 'sr-bench[cluster]'"
        raise OptionError(msg) from cause
    if match := _LOCAL.fullmatch(address):
        with _local(int(match[1])) as client:
            yield client
    elif _ADDRESS.fullmatch(address):
        with _existing(address) as client:
            yield client
    else:
        msg = (
            f"--sr-cluster={printable_line(address)}: expected a scheduler's address such as"
            " tcp://10.0.0.1:8786, or local:N for N workers on this machine"
        )
        raise OptionError(msg)


@contextmanager
def _local(workers: int) -> "Iterator[Client]":
    """Start `workers` processes of one thread each, reached from this machine alone."""
    import dask
    from distributed import Client, LocalCluster

    quiet = {
        "distributed.scheduler.allowed-failures": _KILLED,
        # What Dask tells of itself takes 3 % of two cores, and nobody looks.
        "distributed.admin.low-level-log-length": 0,
        "distributed.worker.profile.enabled": False,
        "distributed.admin.system-monitor.interval": "10s",
    }
    with (
        TemporaryDirectory(prefix="sr-bench-", ignore_cleanup_errors=True) as folder,
        dask.config.set(quiet),
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            # Without this its page of statistics would take a fixed port, on all networks.
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            memory_limit=0,
            local_directory=folder,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,  # type: ignore[no-untyped-call]
    ):
        yield client


@contextmanager
def _existing(address: str) -> "Iterator[Client]":
    from distributed import Client

    try:
        client = Client(  # type: ignore[no-untyped-call]
            address, timeout=_CONNECT_S, set_as_default=False
        )
    except (OSError, ValueError) as cause:
        msg = f"--sr-cluster={address}: no Dask scheduler answers there ({cause}); start one first"
        raise OptionError(msg) from cause
    with client:
        yield client


@dataclass(frozen=True)
class Workers:
    """The workers that may compute, which are alike."""

    identity: "Identity"
    resource: str = ""
    """What one task takes of a worker; empty: a thread is enough."""

    @property
    def needed(self) -> dict[str, float] | None:
        """The resource by its name, as Dask takes it."""
        return {self.resource: 1} if self.resource else None


def agreed_workers(client: "Client", selection: Selection, places: "Places") -> Workers:
    """Return the workers of the cluster that may compute, once they are known to be alike.

    Raises:
        OptionError: There are none, one does not see the session's files, or they differ in what
            moves numbers; it says who.
    """
    from sr_bench.engine.elsewhere.cluster.remote import look

    where = f"--sr-cluster={selection.cluster}"
    _wait_for_one(client, where)
    answers = client.run(look, travelling(selection), places, on_error="return")
    info: Mapping[str, Mapping[str, object]] = client.scheduler_info()["workers"]
    name = _OFFERS.get(selection.backend, "")
    offering = {at for at in answers if name and at in info and _offered(info[at], name)}
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
    _check_alike(looks, where)
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
        compare=None,
        cache_dir=None,
        cluster="",
    )


def _wait_for_one(client: "Client", where: str) -> None:
    try:
        client.wait_for_workers(1, timeout=FIRST_WORKER_S)
    except TimeoutError as cause:
        msg = f"{where}: the scheduler has no worker after {FIRST_WORKER_S:g} s; start some"
        raise OptionError(msg) from cause


def _offered(worker: Mapping[str, object], resource: str) -> int:
    offers = worker.get("resources")
    return int(offers.get(resource, 0)) if isinstance(offers, Mapping) else 0


def _usable(answers: Mapping[str, object], where: str) -> "dict[str, Identity]":
    from sr_bench.engine.elsewhere.cluster.remote import Identity

    usable = {at: answer for at, answer in answers.items() if isinstance(answer, Identity)}
    refused = [
        f"{address}: {printable_line(str(answer) or type(answer).__name__)}"
        for address, answer in answers.items()
        if not isinstance(answer, Identity)
    ]
    if refused:
        msg = "\n  ".join([f"{where}: these workers can't compute:", *refused])
        raise OptionError(msg)
    return usable


def _check_alike(looks: "Mapping[str, Identity]", where: str) -> None:
    ours, first = measuring(), next(iter(looks.values()))
    faults = []
    for address, identity in looks.items():
        difference = replace(first, measuring=ours).difference(identity)
        if difference:
            faults.append(f"{address}: {printable_line(difference)}")
    if faults:
        msg = "\n  ".join([f"{where}: workers that differ would mix numbers:", *faults])
        raise OptionError(msg)
