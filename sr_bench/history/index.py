"""Read all runs of a results folder: their lines of history, and those that have none."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sr_bench.core.codec import decode
from sr_bench.core.history import HistoryEntry, Point, point
from sr_bench.core.record import SCHEMA_VERSION
from sr_bench.core.trend import started
from sr_bench.errors import SrBenchError
from sr_bench.files.disk import disk_error
from sr_bench.history.checked import read_record_of
from sr_bench.history.lines import Line, damaged, read_lines
from sr_bench.history.store import HISTORY, check_schema, read_info

# How names of index files start: a merge may leave index-other.jsonl beside ours.
_INDEXES = "index"
_BROKEN = (ValueError, TypeError, KeyError)  # raised where a line is damaged, or of another kind


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


def read_history(results: Path) -> History:
    """Return the runs of the folder `results`; none if it has no history.

    Every ``index*.jsonl`` counts, so that folders can be merged by copying; a run that two of them
    hold is returned once. A run whose line is damaged, or was never written, is read from its own
    file if that is there.

    Raises:
        SrBenchError: A file can't be read at all.
    """
    folder = results / HISTORY
    indexes, files = _files(folder)
    reader = _Reader()
    for path in indexes:
        reader.read_index(path)
    for path in files:
        if path.stem not in reader.entries:
            reader.read_run(path)
    faults = reader.faults
    if count := len(reader.newer):
        runs = "1 run is" if count == 1 else f"{count} runs are"
        advice = f"of a schema newer than {SCHEMA_VERSION}, so left out; update sr-bench"
        faults = [*faults, f"{folder}: {runs} {advice}"]
    entries = sorted(reader.entries.values(), key=lambda entry: entry.info.run)
    # Stable: runs of one start stay in the order of their names.
    entries.sort(key=lambda entry: started(entry.info) or datetime.min.replace(tzinfo=UTC))
    return History(tuple(entries), tuple(faults), frozenset(reader.incomplete), tuple(files))


def _files(folder: Path) -> tuple[list[Path], list[Path]]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".jsonl")
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise disk_error(error, folder, "read") from error
    indexes = [path for path in paths if path.name.startswith(_INDEXES)]
    return indexes, [path for path in paths if path not in indexes]


class _Reader:
    """Collects runs, and what is wrong with those that can't be read."""

    def __init__(self) -> None:
        self.entries: dict[str, HistoryEntry] = {}
        self.faults: list[str] = []
        self.incomplete: set[str] = set()
        self.newer: set[str] = set()  # runs that a newer sr-bench made
        self._lost: list[bytes] = []  # lines of indexes that can't be read

    def read_index(self, path: Path) -> None:
        """Add the runs in an index file."""
        for line in read_lines(path):
            try:
                entry = _entry(line)
            except _NewerError as newer:
                self.newer.add(str(newer))
            except _BROKEN as cause:
                self._leave_out(line, cause)
                self._lost.append(line.data)
            else:
                self.entries.setdefault(entry.info.run, entry)

    def read_run(self, path: Path) -> None:
        """Add the run in a file of its own, as far as the lines are whole."""
        lines = read_lines(path)
        first = next(lines, Line(path, 1, b""))
        try:
            info = read_info(_content(first))
        except _NewerError as newer:
            self.newer.add(str(newer))
            return
        except _BROKEN as cause:
            self._leave_out(first, cause)
            return
        if info.run in self.entries:
            return
        points = [kept for line in lines if (kept := self._point(line))]
        self.entries[info.run] = HistoryEntry(info, tuple(points))
        # The line of history is written last: where there is a damaged one, the run had ended.
        if not any(f'"{info.run}"'.encode() in line for line in self._lost):
            self.incomplete.add(info.run)

    def _point(self, line: Line) -> Point | None:
        try:
            return point(read_record_of(line.content()))
        except _BROKEN as cause:
            self._leave_out(line, cause)
            return None

    def _leave_out(self, line: Line, cause: Exception) -> None:
        self.faults.append(str(damaged(line, cause)))


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


def _entry(line: Line) -> HistoryEntry:
    content = _content(line)
    info, points = content["info"], content["points"]
    if not isinstance(info, dict) or not isinstance(points, list):
        msg = "expected a run and its points"
        raise TypeError(msg)
    return HistoryEntry(read_info(info), tuple(decode(Point, item) for item in points))
