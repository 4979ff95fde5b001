"""What one pytest session holds: the settings, the bench, the suites and the records."""

from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from sr_bench.core.backend import BackendInfo
from sr_bench.core.case import Case
from sr_bench.core.history import PastSession, SessionInfo
from sr_bench.core.record import Record
from sr_bench.discovery import load
from sr_bench.errors import SrBenchError
from sr_bench.files.cache import cache_dir, prune
from sr_bench.files.temporary import remove_left_behind
from sr_bench.history.environment import read_environment
from sr_bench.history.store import SessionStore
from sr_bench.plugin.ending import Ended, Ending, end_run
from sr_bench.plugin.interrupts import Interrupts
from sr_bench.plugin.progress import ProgressLine
from sr_bench.plugin.settings import Settings
from sr_bench.report.parts.order import in_document_order

if TYPE_CHECKING:
    from sr_bench.engine.bench import Bench
    from sr_bench.engine.plan.suite import Suite


class BenchSession:
    """The state of one session; empty, and without effect, until a card is collected."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.config = config
        self.settings = settings
        self.suites: list[Suite] = []
        self.cases: list[Case] = []  # what will be asked, in this order
        self.records: list[Record] = []
        self.faults: list[str] = []  # what went wrong while results were written
        self.store: SessionStore | None = None
        self.notes: list[str] = []  # what the header says besides
        self.ending = Ending()  # the results of the session's last steps
        self._bench: Bench | None = None
        self._interrupts = Interrupts()

    @cached_property
    def backend_info(self) -> BackendInfo:
        """What the session's backend says about itself; its library is not imported.

        Raises:
            SrBenchError: The device or the recording that was asked for can't be used.
        """
        chosen = self.settings.selection
        backend = load("sr_bench.backends", chosen.backend)
        info: BackendInfo = backend.describe(chosen.backend_options)
        return info

    @property
    def bench(self) -> "Bench":
        """What answers the cases; it and all that computes is imported at the first use."""
        if self._bench is None:
            from sr_bench.engine.bench import Bench
            from sr_bench.engine.elsewhere.open import open_executor

            selection = self.settings.selection
            self._bench = Bench(selection, self.dataset_folders, open_executor(selection))
            self._bench.announce(self.cases)
        return self._bench

    @property
    def dataset_folders(self) -> tuple[Path, ...]:
        """Folders of dataset manifests that the suites name."""
        folders = (folder for suite in self.suites for folder in suite.card.manifest_folders)
        return tuple(dict.fromkeys(folders))

    def heed_signals(self) -> None:
        """Let SIGTERM and SIGHUP end the session with its reports, until pytest has ended."""
        self._interrupts.start()
        self.config.add_cleanup(self._interrupts.stop)

    def close(self) -> None:
        """End what still runs."""
        if self._bench is not None:
            self._bench.close()

    def evaluate(self, case: Case, node_id: str) -> Record:
        """Measure and judge `case`, with a progress line while it runs."""
        with ProgressLine(self.config, case.id) as line:
            return self.bench.evaluate(case, node_id, line.update)

    @property
    def measured_nothing(self) -> bool:
        """Whether no record holds a measured value."""
        return all(record.measurement is None for record in self.records)

    def start(self) -> None:
        """Open the run's files.

        Raises:
            SrBenchError: The results folder can't be written, or the outputs can't be recorded.
        """
        if self.store is not None:
            return
        if self.settings.selection.record:  # the recording is opened with the bench
            _ = self.bench
        remove_left_behind(self._places)
        now = datetime.now(UTC)
        name = f"{now:%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"  # two may start in one second
        environment = read_environment(self.config.rootpath)
        info = SessionInfo(name, now.isoformat(timespec="seconds"), environment)
        store = SessionStore(self.settings.results, info)
        store.start()
        self.store = store

    @property
    def _places(self) -> tuple[Path, ...]:
        """Folders in which a session that is killed may leave files that are half written."""
        made = (cache_dir() / name for name in ("onnx", "calibration", "cluster", "pairs"))
        return (*made, self.settings.selection.results_cache, self.settings.results)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the record on `report`, from here or from a worker, and append it to the run's file.

        Only in the process that writes the run is the session registered as a plugin.
        """
        record = getattr(report, "sr_record", None)
        if not isinstance(record, Record):
            return
        self.records.append(record)
        try:
            self.start()
            if self.store and not self.faults:
                self.store.add(record)
        except SrBenchError as cause:
            self.faults.append(str(cause))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Let no signal cut off what follows."""
        self._interrupts.wait()

    def finish(self) -> None:
        """Write the run as a whole, its reports, and what was asked for besides."""
        if self.store is None or self.faults:
            return
        records = in_document_order(self.records)
        try:
            path = self.store.finish(records)
        except SrBenchError as cause:
            self.faults.append(str(cause))
            return
        chosen = self.settings.selection
        # Last: each run has set the time of the results that it used, which thus stay.
        prune(chosen.results_cache, chosen.cache_bytes)
        run = PastSession(self.store.info, records, path, self.settings.results)
        with ProgressLine(self.config, "report") as line:
            plugins = self.config.pluginmanager
            self.ending = end_run(Ended(run, self.settings, plugins, line.update))
        self.faults += self.ending.faults


SESSION = pytest.StashKey[BenchSession]()
