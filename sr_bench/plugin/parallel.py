"""Sessions of several workers (pytest-xdist): who runs what, and one line of what is under way.

The process that pytest was started in controls the workers; it collects and runs nothing itself.
Its terminal is the only one, so workers send their progress the way they send reports.
"""

import os
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import astuple
from functools import cached_property, partial
from operator import delitem
from typing import Any

import pytest
from xdist.scheduler import (  # type: ignore[import-untyped]
    LoadScheduling,
    LoadScopeScheduling,
)

from sr_bench.core.case import Case
from sr_bench.core.precision import Precision
from sr_bench.engine.latency import latency_cases
from sr_bench.engine.plan import plan
from sr_bench.engine.selection import Selection
from sr_bench.engine.suite import load_suite
from sr_bench.history.environment import usable_cores
from sr_bench.plugin.names import item_name
from sr_bench.plugin.progress import CHANNEL, Progress, Screen, cut, open_screen
from sr_bench.plugin.session import SESSION

_CARD = "card.toml"
_EVERY = "sr_bench_progress_every_s"
"""In what xdist gives a worker: seconds between two reports of its progress; 0: none."""

_WORKER_EVERY_S = 0.5

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What tells the libraries below numpy and torch, before they load, how many threads to start."""

_BETWEEN = " | "


def start_parallel(config: pytest.Config) -> None:
    """Prepare this process for its part in a session of several workers.

    To be called before xdist's own ``pytest_cmdline_main``, after which a ``--dist`` of the user
    and the one that ``-n`` brings look alike.
    """
    plugins, option = config.pluginmanager, config.option
    if given := getattr(config, "workerinput", None):
        if every_s := given.get(_EVERY):
            plugins.register(Worker(config, every_s), CHANNEL)
        return
    chosen = option.dist != "no" or option.distload
    plugins.register(Controller(config, by_run=not chosen), "sr_bench-controller")


def groups_of(cases: Sequence[Case], selection: Selection, workers: int) -> list[str]:
    """Return a name for each of `cases`; those of one name go to one worker.

    A run is never divided. Where low precisions are gated, all runs of a model over a dataset stay
    together: they are compared with the same fp32 outputs, which one worker then computes once.
    Models that do not come out even, such as the third of three on two workers, or the only one,
    go to the workers run by run.
    """
    gated = [_model(case) for case in cases if _is_gated(case, selection)]
    models = list(dict.fromkeys(gated))
    whole = set(models[: len(models) - len(models) % workers])
    return [_group(case, whole) for case in cases]


def _group(case: Case, whole: set[str]) -> str:
    if case.evaluation is None:
        return f"{case.card.folder}|{case.id}"
    model = _model(case)
    return model if model in whole else f"{model}|{case.precision}"


def _model(case: Case) -> str:
    """Return what the runs of one model over one dataset share, whatever their precision."""
    where = case.evaluation
    parts = (where.dataset, where.protocol.name) if where else ()
    # The folder too: two zoos may have suites and models of the same names.
    return "|".join((str(case.card.folder), case.card.name, *parts))


def _is_gated(case: Case, selection: Selection) -> bool:
    low = case.evaluation is not None and case.precision is not Precision.FP32
    return low and selection.wants_gate(case.card)


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each worker whole groups, those of most items first."""

    def __init__(self, config: pytest.Config, log: object, ids: Sequence[str]) -> None:
        super().__init__(config, log)
        self._groups = _groups(config, ids, self.numnodes)

    def _split_scope(self, nodeid: str) -> str:
        return self._groups.get(nodeid, nodeid)

    def remove_node(self, node: object) -> str | None:
        """Queue what `node` leaves but for what crashed it, which xdist would run again."""
        left = {
            name: {item: done for item, done in unit.items() if not done}
            for name, unit in self.assigned_work.pop(node).items()
        }
        items: list[str] = [item for unit in left.values() for item in unit]
        if not items:
            return None
        for unit in left.values():
            unit.pop(items[0], None)
        self.workqueue.update({name: unit for name, unit in left.items() if unit})
        return items[0]

    def _reschedule(self, node: object) -> None:
        super()._reschedule(node)
        # A worker starts an item once it has the next: one alone, given to a new worker, would
        # never start.
        if self.workqueue and self._pending_of(self.assigned_work[node]) == 1:
            super()._reschedule(node)


class ByRun:
    """xdist's usual way, or by group as soon as a worker has collected a card."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        self._config = config
        self._log = log
        self._chosen = LoadScheduling(config, log)

    def add_node_collection(self, node: object, collection: Sequence[str]) -> None:
        """Take what `node` collected; the first that did decides."""
        first = isinstance(self._chosen, LoadScheduling)
        if first and any(map(_is_ours, collection)):
            nodes = self._chosen.nodes
            self._chosen = ByGroup(self._config, self._log, collection)
            for each in nodes:
                self._chosen.add_node(each)
        self._chosen.add_node_collection(node, collection)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chosen, name)


def _groups(config: pytest.Config, ids: Sequence[str], workers: int) -> Mapping[str, str]:
    """Return the group of each item of a card among `ids`."""
    selection, wanted = config.stash[SESSION].settings.selection, set(ids)
    cases: dict[str, Case] = {}
    for path in dict.fromkeys(_path(each) for each in ids if _is_ours(each)):
        planned = plan(load_suite(config.rootpath / path), selection)
        timed = latency_cases(planned, selection.answers) if selection.latency else ()
        cases |= {f"{path}::{item_name(case)}": case for case in (*planned, *timed)}
    # Not what -k left out.
    cases = {name: case for name, case in cases.items() if name in wanted}
    return dict(zip(cases, groups_of(list(cases.values()), selection, workers), strict=True))


def _is_ours(nodeid: str) -> bool:
    return _path(nodeid).rpartition("/")[2] == _CARD


def _path(nodeid: str) -> str:
    return nodeid.partition("::")[0]


class Controller:
    """What the process that controls the workers does besides.

    Args:
        config: Of the session.
        by_run: Whether items are shared out by `groups_of`: the user chose no other way.
    """

    def __init__(self, config: pytest.Config, *, by_run: bool) -> None:
        self._config = config
        self._by_run = by_run
        self._under_way: dict[str, Progress] = {}
        self._last = time.monotonic()

    @cached_property
    def _screen(self) -> Screen | None:  # there is no terminal yet when this object is made
        return open_screen(self._config)

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: object) -> object | None:
        """Share the items out by run, unless the user chose another way."""
        if config.stash[SESSION].settings.selection.deadline is not None:
            config.option.loadscopereorder = False  # by risk, not by size
        return ByRun(config, log) if self._by_run else None

    def pytest_xdist_setupnodes(self, specs: Sequence[object]) -> None:
        """Give the libraries in each worker its share of the cores, unless the user chose.

        With threads for every core in every worker they wait for each other, at full speed.
        """
        share = str(max(1, usable_cores() // len(specs)))
        for name in _THREADS:
            if name not in os.environ:
                os.environ[name] = share
                self._config.add_cleanup(partial(delitem, os.environ, name))

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker, before it starts, how often to send its progress."""
        screen = self._screen
        node.workerinput[_EVERY] = max(screen.every_s, _WORKER_EVERY_S) if screen else 0.0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None]:
        """Show progress; make way for what pytest has to say of any other report."""
        told, worker = getattr(report, "sr_progress", None), getattr(report, "worker_id", "")
        if told is None:
            self._under_way.pop(worker, None)
            self._make_way()
            return (yield)
        yield
        self._under_way[worker] = Progress(*told)
        self._forget(report)
        self._show()
        return None

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
        screen.show(_BETWEEN.join(_part(*each, room) for each in sorted(self._under_way.items())))

    def _make_way(self) -> None:
        if self._screen:
            self._screen.wipe()

    @pytest.hookimpl(tryfirst=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Forget a worker that has ended or died."""
        self._under_way.pop(node.gateway.id, None)
        self._make_way()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """Make way, as do all below, for what pytest or xdist writes at this point."""
        self._make_way()

    pytest_runtest_logfinish = pytest_runtest_logstart
    pytest_testnodeready = pytest_runtest_logstart
    pytest_xdist_node_collection_finished = pytest_runtest_logstart
    pytest_keyboard_interrupt = pytest_runtest_logstart
    pytest_internalerror = pytest_runtest_logstart
    pytest_sessionfinish = pytest_runtest_logstart


def _part(worker: str, progress: Progress, columns: int) -> str:
    """Return what is under way on `worker`; where it is too long the title is cut."""
    how_far = f": {progress.done}/{progress.planned}, {progress.left_s:.0f} s left"
    title = cut(progress.title, columns - len(worker) - 1 - len(how_far))
    return f"{worker} {title}{how_far}"


class Worker:
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
