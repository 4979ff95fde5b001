"""The newest earlier records of cases, whichever runs they are in."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sr_bench.core.compare import case_key
from sr_bench.core.history import PastSession
from sr_bench.errors import SrBenchError
from sr_bench.history.find_run import ended_runs
from sr_bench.history.index import read_history
from sr_bench.history.store import read_run


def earlier_runs(results: Path, count: int) -> Iterator[PastSession]:
    """Yield up to `count` runs whose files are in the folder `results`, newest first.

    What can't be read is passed over: who asks for history sees it there.
    """
    # Names sort by time.
    files = sorted(read_history(results).files, key=lambda file: file.name, reverse=True)
    for path in files[:count]:
        with suppress(SrBenchError):
            yield read_run(path)


def newest_files(results: Path) -> tuple[Path, ...]:
    """Return the files of the runs that hold the newest value of any case, newest first.

    Of runs that ended, in the folder `results`; whose file was deleted, an older one counts. Only
    these need be read: of a year of nights that measure the same, the last.
    """
    history = read_history(results)
    files = {path.stem: path for path in history.files}
    known: set[tuple[str, ...]] = set()
    newest = []
    for entry in reversed(ended_runs(history)):
        measured = {case_key(point) for point in entry.points if point.value is not None}
        if entry.info.run in files and not measured <= known:
            newest.append(files[entry.info.run])
            known |= measured
    return tuple(newest)


def newest_of_each(
    files: Sequence[Path], wanted: set[tuple[str, ...]] | None = None
) -> Iterator[PastSession]:
    """Yield the runs in `files`, newest first, without records of cases that a newer one measured.

    Args:
        files: Of runs, the newest first.
        wanted: Keys of cases; once all have a value, no more is read. None: of all.

    Raises:
        SrBenchError: A file can't be read.
    """
    known: set[tuple[str, ...]] = set()
    for path in files:
        if wanted is not None and wanted <= known:
            return
        run = read_run(path)
        yield replace(run, records=tuple(r for r in run.records if case_key(r) not in known))
        known |= {case_key(record) for record in run.records if record.measurement}
