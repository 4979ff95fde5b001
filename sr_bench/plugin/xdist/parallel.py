"""Sessions of several workers (pytest-xdist): one start, one end, one line of progress.

The process that pytest was started in controls the workers; it collects and runs nothing itself.
Its terminal is the only one, so workers send their progress the way they send reports.
"""

import os
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import astuple
from functools import cached_property, partial
from operator import delitem
from typing import TYPE_CHECKING, Any

import pytest

from sr_bench.errors import CacheWarning, SrBenchError
from sr_bench.plugin.progress import CHANNEL, Log, Progress, Terminal, cut, open_screen
from sr_bench.plugin.xdist.by_run import ByRun
from sr_bench.plugin.xdist.node_ids import is_ours
from sr_bench.plugin.xdist.refusal import refusal_of
from sr_bench.system.cpu import usable_cores
from sr_bench.text.printable import printable

if TYPE_CHECKING:
    from sr_bench.plugin.session import BenchSession

# In what xdist gives a worker: seconds between two reports of its progress; 0: none.
_EVERY = "sr_bench_progress_every_s"

_WORKER_EVERY_S = 0.5  # seconds, at least: each report goes to all plugins of the controller

# What tells the libraries below numpy and torch, before they load, how many threads to start.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_BETWEEN = " | "

Wake = Callable[[pytest.Config], "BenchSession"]


def start_parallel(config: pytest.Config, wake: Wake) -> None:
    """Prepare this process for its part in a session of several workers.

    To be called before xdist's own ``pytest_cmdline_main``, after which a ``--dist`` of the user
    and the one that ``-n`` brings look alike. `wake` is called as soon as a worker has a card.
    """
    plugins, option = config.pluginmanager, config.option
    if given := getattr(config, "workerinput", None):
        if every_s := given.get(_EVERY):
            plugins.register(WorkerProgress(config, every_s), CHANNEL)
        return
    chosen = option.dist != "no" or option.distload
    plugins.register(Controller(config, wake, by_run=not chosen), "sr_bench-controller")


class Controller:
    """What the process that controls the workers does besides.

    Args:
        config: Of the session.
        wake: Returns its state; loads all that a session with a card needs.
        by_run: Whether items are shared out by `groups.groups_of`: the user chose no other way.
    """

    def __init__(self, config: pytest.Config, wake: Wake, *, by_run: bool) -> None:
        self._config = config
        self._wake = wake
        self._by_run = by_run
        self._under_way: dict[str, Progress] = {}
        self._told: set[str] = set()
        self._last = time.monotonic()

    @cached_property
    def _screen(self) -> Terminal | Log | None:  # there is no terminal yet when this object is made
        return open_screen(self._config)

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: object) -> object | None:
        """Share the items out by run, unless the user chose another way."""
        return ByRun(config, log) if self._by_run else None

    def pytest_xdist_setupnodes(self, specs: Sequence[object]) -> None:
        """Give the libraries in each worker its share of the cores, unless the user chose.

        With threads for every core in every worker they wait for each other, at full speed.
        """
        share = str(max(1, usable_cores() // len(specs)))
        for name in _THREADS:
            if name not in os.environ:
                os.environ[name] = share
                # Taken back at the end, as a process may run several sessions.
                self._config.add_cleanup(partial(delitem, os.environ, name))

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker, before it starts, how often to send its progress."""
        screen = self._screen
        node.workerinput[_EVERY] = max(screen.every_s, _WORKER_EVERY_S) if screen else 0.0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None]:
        """Show progress; make way for what pytest has to say of any other report."""
        progress, worker = getattr(report, "sr_progress", None), getattr(report, "worker_id", "")
        if progress is None:
            self._under_way.pop(worker, None)
            self._make_way()
            return (yield)
        yield
        self._under_way[worker] = Progress(*progress)
        self._forget(report)
        self._show()
        return None

    @pytest.hookimpl(trylast=True)  # when pytest has noted it
    def pytest_warning_recorded(self, warning_message: Any) -> None:
        """Let the workers together tell of the cache what one tells: each kind of trouble once."""
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        told = warning_message.message
        if isinstance(told, CacheWarning) and reporter:
            if told.kind in self._told:
                reporter.stats["warnings"].pop()
            self._told.add(told.kind)

    def _forget(self, report: pytest.TestReport) -> None:
        """Take `report` out of what pytest keeps until the end: hours of progress would add up."""
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        kept = reporter.stats.get("", []) if reporter else []
        if kept and kept[-1] is report:
            kept.pop()

    def _show(self) -> None:
        screen, now = self._screen, time.monotonic()
        if screen is None or now - self._last < screen.every_s:
            return
        self._last = now
        count = len(self._under_way)
        room = (screen.columns - len(_BETWEEN) * (count - 1)) // count
        parts = (_part(*shown, room) for shown in sorted(self._under_way.items()))
        screen.show(_BETWEEN.join(parts))

    def _make_way(self) -> None:
        if self._screen:
            self._screen.wipe()

    @pytest.hookimpl(tryfirst=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Forget a worker that has ended or died; end the session if it would not start."""
        self._under_way.pop(node.gateway.id, None)
        self._make_way()
        if refusal := refusal_of(node):
            raise pytest.UsageError(refusal)

    def pytest_handlecrashitem(self, crashitem: str, report: Any) -> None:
        """Make the record of an item that ended its worker."""
        if is_ours(crashitem):
            from sr_bench.plugin.xdist.crash import add_record

            add_record(self._wake(self._config), crashitem, report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Open the run's files before the first minute is spent."""
        self._make_way()
        if any(map(is_ours, ids)):
            bench = self._wake(self._config)
            bench.heed_signals()
            try:
                bench.start()
            except SrBenchError as cause:
                raise pytest.UsageError(printable(str(cause))) from None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """Make way, as do all below, for what pytest or xdist writes at this point."""
        self._make_way()

    pytest_runtest_logfinish = pytest_runtest_logstart
    pytest_testnodeready = pytest_runtest_logstart
    pytest_keyboard_interrupt = pytest_runtest_logstart
    pytest_internalerror = pytest_runtest_logstart
    pytest_sessionfinish = pytest_runtest_logstart


def _part(worker: str, progress: Progress, columns: int) -> str:
    how_far = f": {progress.done}/{progress.planned}, {progress.left_s:.0f} s left"
    title = cut(progress.title, columns - len(worker) - 1 - len(how_far))
    return f"{worker} {title}{how_far}"


class WorkerProgress:
    """What a worker does besides: its progress travels as a report of the item that is running."""

    def __init__(self, config: pytest.Config, every_s: float) -> None:
        self.every_s = every_s
        self._config = config
        self._item: tuple[str, tuple[str, int | None, str]] | None = None

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """Remember the item that is about to run."""
        self._item = (nodeid, location)

    def send(self, progress: Progress) -> None:
        """Send `progress` of the running item.

        To all plugins it is one more setup that passed, of which pytest prints nothing.
        """
        if self._item is None:
            return
        nodeid, location = self._item
        report = pytest.TestReport(nodeid, location, {}, "passed", None, "setup")
        report.sr_progress = astuple(progress)  # type: ignore[attr-defined]
        self._config.hook.pytest_runtest_logreport(report=report)
