"""The newest earlier records of cases, whichever runs they are in."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sr_bench.core.compare import case_key
from sr_bench.core.history import PastSession
from sr_bench.errors import SrBenchError
from sr_bench.history.index import history_files
from sr_bench.history.store import read_run


def earlier_runs(results: Path, count: int) -> Iterator[PastSession]:
    """Yield up to `count` runs whose files are in the folder `results`, newest first.

    What can't be read is passed over: who asks for history sees it there.
    """
    # Names sort by time.
    files = sorted(history_files(results)[1], key=lambda file: file.name, reverse=True)
    for path in files[:count]:
        with suppress(SrBenchError):
            yield read_run(path)


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
