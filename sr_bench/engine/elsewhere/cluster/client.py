"""The controller's side of a cluster: measures runs as `Worker` does, elsewhere."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Self
from uuid import uuid4

from sr_bench.core.backend import BackendInfo
from sr_bench.engine.elsewhere.cluster.connect import agreed_workers, connected, travelling
from sr_bench.engine.elsewhere.cluster.dispatch import Dispatcher
from sr_bench.engine.elsewhere.cluster.parcel import work_key
from sr_bench.engine.elsewhere.cluster.runs import Run, collect
from sr_bench.engine.job import Done, Progress
from sr_bench.engine.measure.in_batches import WINDOW
from sr_bench.engine.measure.worker import Begin, Work
from sr_bench.engine.plan.options import Selection
from sr_bench.errors import OptionError


class Cluster:
    """The workers of a Dask cluster; a context manager, to be used from one thread.

    Args:
        selection: The session's options, of which `cluster` says where the scheduler is.

    Raises:
        OptionError: dask.distributed is absent, nobody answers, no worker has what is needed, or
            the workers' code, backends or processors differ.
    """

    def __init__(self, selection: Selection) -> None:
        _check_options(selection)
        self._runs: dict[str, Run] = {}
        self._place = 0
        with ExitStack() as opened:
            client = opened.enter_context(connected(selection.cluster))
            workers = agreed_workers(client, selection, selection.cluster)
            from sr_bench.engine.elsewhere.cluster.remote import Station

            station = f"sr-bench-{uuid4().hex}"
            sent = travelling(selection)
            threads = selection.threads if workers.resource else 1
            plugin = Station(replace(sent, threads=threads), workers.identity)
            client.register_plugin(plugin, name=station)
            opened.callback(client.unregister_worker_plugin, station)
            window = window_of(workers.identity.info)
            self._dispatcher = Dispatcher(client, workers, station, window)
            opened.callback(self._dispatcher.close)
            self._opened = opened.pop_all()
        self.info: BackendInfo = workers.identity.info
        """As the workers describe the backend."""
        self.cpu: str = workers.identity.cpu
        """The workers' processor, on which digits may depend."""

    @property
    def sent(self) -> tuple[tuple[str, str], ...]:
        """Digest of each content that was sent, and the worker it was for, each time."""
        return tuple(self._dispatcher.traffic.log)

    @property
    def shares(self) -> Mapping[str, int]:
        """How many images each worker has measured, by address."""
        return dict(self._dispatcher.shares)

    def start(self, work: Work, indices: Sequence[int]) -> None:
        """Hand in the images `indices` of `work`, after all that was handed in before.

        A second call for the same images of the same work does nothing.
        """
        self._started(work, indices)

    def measure(
        self,
        work: Work,
        indices: Sequence[int],
        *,
        begin: Begin,
        done: Done,
        progress: Progress,
    ) -> int:
        """Pass on the results of the images `indices` of `work` as they come.

        As with a worker of this machine, an error is that of the first image in order that has
        one, and the images before it are measured.

        Raises:
            SrBenchError: The network can't be opened, an image not be measured, or the workers
                that tried it died.

        Returns:
            How many were measured.
        """
        run = self._started(work, indices)
        try:
            return collect(run, indices, begin, done, progress)
        finally:
            self._runs.pop(run.key, None)
            self._dispatcher.drop(run)

    def close(self) -> None:
        """Stop what is under way, and a cluster of this machine; a second call does nothing."""
        self._opened.close()

    def __enter__(self) -> Self:
        """Return the cluster itself."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close it."""
        self.close()

    def _started(self, work: Work, indices: Sequence[int]) -> Run:
        key = work_key(work)
        run = self._runs.get(key)
        if run is None:
            self._place += 1
            run = self._runs[key] = Run(key, self._place, work)
        if new := sorted(set(indices) - run.asked):
            run.asked.update(new)
            self._dispatcher.add(run, new)
        return run


def window_of(info: BackendInfo) -> int:
    """Return how many consecutive images a device is given at once: they stay in one shard."""
    return WINDOW if info.device == "cuda" else 1


def _check_options(selection: Selection) -> None:
    clashing = {"--sr-record": selection.record, "--sr-replay": selection.replay}
    for option, value in clashing.items():
        if value is not None:
            msg = (
                f"{option} and --sr-cluster don't go together: this machine itself records"
                " outputs, and replays them"
            )
            raise OptionError(msg)
