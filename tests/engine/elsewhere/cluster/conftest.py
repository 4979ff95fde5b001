"""A real scheduler on loopback, with workers that are processes of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


class Farm:
    """A scheduler in this process; workers join, and can be killed."""

    def __init__(self, scheduler, folder: Path) -> None:
        self._cluster = scheduler
        self._folder = folder
        self._workers: list[subprocess.Popen[bytes]] = []

    @property
    def address(self) -> str:
        return self._cluster.scheduler_address

    def join(self, name: str, *options: str, code: Path = ROOT) -> subprocess.Popen[bytes]:
        """Start a worker of one thread whose cache is the folder `name`."""
        command = [sys.executable, "-m", "distributed.cli.dask_worker", self.address]
        path = [str(code), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        surroundings = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path),
            "SR_BENCH_CACHE": str(self._folder / name),
        }
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--name", name, *options)
        with (self._folder / f"{name}.log").open("wb") as log:
            worker = subprocess.Popen(
                [*command, *options],
                cwd=self._folder,
                env=surroundings,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._workers.append(worker)
        return worker

    def wait(self, count: int) -> None:
        self._cluster.wait_for_workers(count, timeout=60)

    def cache(self, name: str) -> Path:
        return self._folder / name

    def address_of(self, name: str) -> str:
        found = self._cluster.scheduler_info["workers"]
        return next(address for address, one in found.items() if one["name"] == name)

    def tasks(self) -> list[str]:
        return [str(key) for key in self._cluster.scheduler.tasks]

    def plugins(self) -> list[str]:
        found = self._cluster.scheduler.worker_plugins
        return [name for name in found if name.startswith("sr-bench")]

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
            worker.wait()


@pytest.fixture(scope="module")
def start_farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """Return what starts a scheduler without workers."""
    distributed = pytest.importorskip("distributed")
    farms = []

    def start() -> Farm:
        cluster = distributed.LocalCluster(
            n_workers=0,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            silence_logs=50,
        )
        farms.append((cluster, Farm(cluster, tmp_path_factory.mktemp("farm"))))
        return farms[-1][1]

    yield start
    for cluster, farm in farms:
        farm.close()
        cluster.close()


@pytest.fixture(scope="module")
def farm(start_farm) -> Farm:
    """Return a scheduler with two workers, ``one`` and ``two``, that share no cache."""
    found = start_farm()
    found.join("one")
    found.join("two")
    found.wait(2)
    return found
