"""The newest runs of a history without reading the rest: years of nights don't slow a session."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sr_bench.core.compare import case_key
from sr_bench.core.history import HistoryEntry
from sr_bench.core.record import SCHEMA_VERSION
from sr_bench.core.trend import start_of
from sr_bench.history.index import History, Reader, history_files
from sr_bench.history.lines import Line, read_lines
from sr_bench.system.garbage import seldom_searched

Model = tuple[str, str]
"""A family and a model of it."""

_HEAD = re.compile(
    rb'\{"schema_version": (\d{1,9}), "cases": "([0-9a-f]{16})",'
    rb' "info": \{"run": "([^"\\]+)", "started": "([^"\\]*)"'
)
"""How a line of an index begins, as `index_line` writes it."""

_END = b"]}\n"


@dataclass(frozen=True)
class _Run:
    """A run of which no more than the beginning was read."""

    when: datetime
    name: str
    cases: bytes
    """Equal for runs with the same cases; empty where that is not known."""
    source: HistoryEntry | Line | Path


@seldom_searched()
def newest_runs(results: Path, models: Collection[Model], count: int) -> History:
    """Return the newest `count` runs of each of `models` in the folder `results`.

    As `read_history` else, but that what is wrong with other runs may not be noticed.

    Raises:
        SrBenchError: A file can't be read at all.
    """
    listed = _Listed(results)
    wanted = dict.fromkeys(models, count)
    entries = []
    known: dict[bytes, set[Model]] = {}
    for run in listed.runs:
        if not any(wanted.values()):
            break
        if not any(wanted[model] for model in known.get(run.cases, wanted)):
            continue
        if (entry := listed.read(run)) is None:
            continue
        of = {(point.family, point.model) for point in entry.points} & wanted.keys()
        if run.cases:
            known[run.cases] = of
        if any(wanted[model] for model in of):
            entries.append(entry)
            wanted |= {model: max(0, wanted[model] - 1) for model in of}
    listed.read_lost()
    return listed.reader.history(entries, listed.files)


def newest_files(results: Path) -> tuple[Path, ...]:
    """Return the files of the runs that hold the newest value of any case, newest first.

    Of runs that ended, in the folder `results`; whose file was deleted, an older one counts. Only
    these need be read: of a year of nights that measure the same, the last.

    Raises:
        SrBenchError: A file of the history can't be read at all.
    """
    listed = _Listed(results)
    files = {path.stem: path for path in listed.files}
    known: set[tuple[str, ...]] = set()
    seen: set[bytes] = set()
    newest = []
    for run in listed.runs:
        if run.name not in files or run.cases in seen:
            continue
        entry = listed.read(run)
        if entry is None or run.name in listed.reader.incomplete:
            continue
        measured = {case_key(point) for point in entry.points if point.value is not None}
        if not measured <= known:
            newest.append(files[run.name])
            known |= measured
        seen |= {run.cases} - {b""}
    return tuple(newest)


class _Listed:
    """The runs of a results folder, the newest first; each is read when it is asked for.

    Raises:
        SrBenchError: A file can't be read at all.
    """

    def __init__(self, results: Path) -> None:
        indexes, self.files = history_files(results)
        self.reader = Reader()
        runs: dict[str, _Run] = {}
        for path in indexes:
            for run in filter(None, map(self._of_line, read_lines(path))):
                runs.setdefault(run.name, run)
        self.reader.listed |= runs.keys()
        for path in self.files:
            if path.stem not in runs:
                runs[path.stem] = _Run(_when("", path.stem), path.stem, b"", path)
        self.runs = sorted(runs.values(), key=lambda run: (run.when, run.name), reverse=True)

    def read(self, run: _Run) -> HistoryEntry | None:
        """Return all of `run`; None if it can't be read, or is a copy of another."""
        if isinstance(run.source, HistoryEntry):
            return run.source
        if isinstance(run.source, Path):
            return self.reader.read_run(run.source)
        if entry := self.reader.read_line(run.source.again()):
            return entry
        self.reader.listed.discard(run.name)
        return self._own(run.name)

    def read_lost(self) -> None:
        """Read the runs whose lines are damaged from their own files, so that these can be made."""
        for name in {*self.reader.lost.values()} - self.reader.listed - self.reader.entries.keys():
            self._own(name)

    def _own(self, name: str) -> HistoryEntry | None:
        own = [path for path in self.files if path.stem == name]
        return self.reader.read_run(own[0]) if own else None

    def _of_line(self, line: Line) -> _Run | None:
        """Return the run in a line of an index; None if the line can't be read."""
        head = _HEAD.match(line.data)
        if head and int(head[1]) == SCHEMA_VERSION and line.data.endswith(_END):
            name, started = (head[place].decode(errors="replace") for place in (3, 4))
            return _Run(_when(started, name), name, head[2], line.passed())
        if entry := self.reader.read_line(line):  # of an earlier version
            info = entry.info
            return _Run(_when(info.started, info.run), info.run, b"", entry)
        return None


def _when(started: str, name: str) -> datetime:
    return start_of(started, name) or datetime.min.replace(tzinfo=UTC)
