"""Read all runs of a results folder: their lines of history, and those that have none."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sr_bench.core.codec import decode
from sr_bench.core.history import HistoryEntry, Point, point
from sr_bench.core.record import SCHEMA_VERSION
from sr_bench.core.trend import started
from sr_bench.errors import SrBenchError
from sr_bench.files.atomic import append_line
from sr_bench.files.disk import disk_error
from sr_bench.files.hashing import sha256_bytes
from sr_bench.history.checked import read_record_of
from sr_bench.history.lines import Line, damaged, read_lines
from sr_bench.history.store import HISTORY, INDEX, check_schema, index_line, read_info
from sr_bench.system.garbage import seldom_searched
from sr_bench.text.printable import counted

# How names of index files start: a merge may leave index-other.jsonl beside ours.
_INDEXES = "index"
_BROKEN = (ValueError, TypeError, KeyError)  # raised where a line is damaged, or of another kind
_RUN = re.compile(rb'"run": "([^"\\]+)"')
_POINTS = b', "points": ['


@dataclass(frozen=True)
class History:
    """What is known of the runs of a results folder."""

    entries: tuple[HistoryEntry, ...] = ()
    """Oldest first, each run once."""
    faults: tuple[str, ...] = ()
    """A sentence for each thing that could not be read, and was left out."""
    incomplete: frozenset[str] = frozenset()
    """Names of the runs that did not end; what they measured before is in `entries`."""
    files: tuple[Path, ...] = ()
    """The files of single runs, by name."""
    unlisted: tuple[HistoryEntry, ...] = ()
    """Of `entries`, those that ended and whose line of the index is damaged."""


@seldom_searched()
def read_history(results: Path) -> History:
    """Return the runs of the folder `results`; none if it has no history.

    Every ``index*.jsonl`` counts, so that folders can be merged by copying; a run that two of them
    hold is returned once. A run whose line is damaged, or was never written, is read from its own
    file if that is there.

    Raises:
        SrBenchError: A file can't be read at all.
    """
    indexes, files = history_files(results)
    reader = Reader()
    for path in indexes:
        for line in read_lines(path):
            reader.read_line(line)
    for path in files:
        if path.stem not in reader.entries:
            reader.read_run(path)
    return reader.history(reader.entries.values(), files)


def mend_index(results: Path, history: History) -> str:
    """Add a whole line to the index for each damaged one that `history` has replaced; say so.

    Appended, as others may append meanwhile: the damaged line stays, and is passed over.

    Raises:
        SrBenchError: The index can't be written.
    """
    path = results / HISTORY / INDEX
    for entry in history.unlisted:
        append_line(path, index_line(entry))
    if not (count := len(history.unlisted)):
        return ""
    return f"{path}: {counted(count, 'line')} made again from the files of single runs"


def history_files(results: Path) -> tuple[list[Path], list[Path]]:
    """Return the indexes of the folder `results`, and the files of its runs, by name.

    Raises:
        SrBenchError: The folder can't be read.
    """
    folder = results / HISTORY
    try:
        found = (path for path in folder.iterdir() if path.suffix == ".jsonl")
        paths = sorted(found, key=lambda path: path.name)  # paths compare slowly
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise disk_error(error, folder, "read") from error
    indexes = [path for path in paths if path.name.startswith(_INDEXES)]
    return indexes, [path for path in paths if not path.name.startswith(_INDEXES)]


class Reader:
    """Collects runs, and what is wrong with those that can't be read."""

    def __init__(self) -> None:
        self.entries: dict[str, HistoryEntry] = {}
        self.listed: set[str] = set()
        """Runs with a whole line in an index."""
        self.lost: dict[Line, str] = {}
        """Lines of indexes that can't be read, with the runs that they name."""
        self._faults: dict[Line, Exception] = {}
        self.incomplete: set[str] = set()
        """Runs that did not end."""
        self._unlisted: list[HistoryEntry] = []
        self._known: dict[str, tuple[Point, ...]] = {}
        self._newer: dict[str, Path] = {}  # runs that a newer sr-bench made, by their folder

    def read_line(self, line: Line) -> HistoryEntry | None:
        """Add and return the run in a line of an index; None if it can't be read."""
        try:
            entry = self._entry(line)
        except _NewerError as newer:
            self._newer[str(newer)] = line.path.parent
        except _BROKEN as cause:
            self._faults[line] = cause
            run = _RUN.search(line.data)
            self.lost[line] = run[1].decode(errors="replace") if run else ""
        else:
            self.listed.add(entry.info.run)
            return self.entries.setdefault(entry.info.run, entry)
        return None

    def read_run(self, path: Path) -> HistoryEntry | None:
        """Add and return the run in a file of its own, as far as the lines are whole."""
        lines = read_lines(path)
        first = next(lines, Line(path, 1, b""))
        try:
            info = read_info(_content(first))
        except _NewerError as newer:
            self._newer[str(newer)] = path.parent
            return None
        except _BROKEN as cause:
            self._faults[first] = cause
            return None
        if info.run in self.entries or info.run in self.listed:
            return None
        points = [kept for line in lines if (kept := self._point(line))]
        entry = self.entries[info.run] = HistoryEntry(info, tuple(points))
        # The line of history is written last: where there is a damaged one, the run had ended.
        if info.run in self.lost.values():
            self._unlisted.append(entry)
        else:
            self.incomplete.add(info.run)
        return entry

    def history(self, entries: Iterable[HistoryEntry], files: Sequence[Path]) -> History:
        """Return `entries`, in order, with what is known of all that was read."""
        # Stable: runs of one start stay in the order of their names.
        ordered = sorted(entries, key=lambda entry: entry.info.run)
        ordered.sort(key=lambda entry: started(entry.info) or datetime.min.replace(tzinfo=UTC))
        faults = [
            str(damaged(line, cause))
            for line, cause in self._faults.items()
            if self.lost.get(line) not in self.listed
        ]
        for folder in set(self._newer.values()):  # there is but one
            runs = counted(len(self._newer), "run")
            verb = "is" if len(self._newer) == 1 else "are"
            advice = f"of a schema newer than {SCHEMA_VERSION}, so left out; update sr-bench"
            faults.append(f"{folder}: {runs} {verb} {advice}")
        hidden = frozenset(self.incomplete), tuple(files), tuple(self._unlisted)
        return History(tuple(ordered), tuple(faults), *hidden)

    def _entry(self, line: Line) -> HistoryEntry:
        """Return what `line` says; points that are equal to those of another run are that one's.

        Most nights measure the same, and to read that again takes ten times as long as to see it.
        """
        head, mark, points = line.data.partition(_POINTS)
        key = sha256_bytes(points)
        if mark and key in self._known:
            line = replace(line, data=head + b', "points": []}')
        content = _content(line)
        info, own = content["info"], content["points"]
        if not isinstance(info, dict) or not isinstance(own, list):
            msg = "expected a run and its points"
            raise TypeError(msg)
        if key not in self._known or not mark:
            self._known[key] = tuple(decode(Point, item) for item in own)
        return HistoryEntry(read_info(info), self._known[key])

    def _point(self, line: Line) -> Point | None:
        try:
            return point(read_record_of(line.content()))
        except _BROKEN as cause:
            self._faults[line] = cause
            return None


class _NewerError(Exception):
    """A run, which the message names, is of a newer schema."""


def _content(line: Line) -> dict[str, object]:
    content = line.content()
    try:
        check_schema(content, line.where)
    except SrBenchError:
        info = content.get("info", content)  # of an index, or the first line of a run
        run = info.get("run") if isinstance(info, dict) else None
        raise _NewerError(str(run or line.where)) from None
    return content
