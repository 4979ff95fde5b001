"""A real scheduler on loopback, with workers that are processes of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]


class Farm:
    """A scheduler in this process; workers join, share a cache, and can be killed."""

    def __init__(self, scheduler, folder: Path, cache: Path) -> None:
        self._cluster = scheduler
        self._folder = folder
        self._cache = cache
        self._workers: list[subprocess.Popen[bytes]] = []

    @property
    def address(self) -> str:
        return self._cluster.scheduler_address

    def join(
        self, name: str, *, code: Path = ROOT, cache: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a worker of one thread."""
        command = [sys.executable, "-m", "distributed.cli.dask_worker", self.address]
        path = [str(code), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        surroundings = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path),
            "SR_BENCH_CACHE": str(cache or self._cache),
        }
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--name", name)
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

    def address_of(self, name: str) -> str:
        workers = self._cluster.scheduler_info["workers"]
        return next(address for address, worker in workers.items() if worker["name"] == name)

    def tasks(self) -> list[str]:
        return [str(key) for key in self._cluster.scheduler.tasks]

    def plugins(self) -> list[str]:
        plugins = self._cluster.scheduler.worker_plugins
        return [name for name in plugins if name.startswith("sr-bench")]

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
            worker.wait()


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the cache folder of all workers and of the session."""
    return tmp_path_factory.mktemp("shared") / "cache"


@pytest.fixture(autouse=True)
def cache(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let each test use the cache folder that workers share."""
    monkeypatch.setenv("SR_BENCH_CACHE", str(shared_cache))
    return shared_cache


@pytest.fixture(scope="module")
def start_farm(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Iterator:
    """Return a function that starts a scheduler without workers."""
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
        farms.append((cluster, Farm(cluster, tmp_path_factory.mktemp("farm"), shared_cache)))
        return farms[-1][1]

    yield start
    for cluster, farm in farms:
        farm.close()
        cluster.close()


@pytest.fixture(scope="module")
def farm(start_farm) -> Farm:
    """Return a scheduler with two workers, ``one`` and ``two``."""
    started = start_farm()
    started.join("one")
    started.join("two")
    started.wait(2)
    return started
