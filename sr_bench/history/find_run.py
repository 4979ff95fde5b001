"""Find the run that a word means: a file, the last run, a run's name, or one of a git branch."""

import os.path
import shlex
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

from sr_bench.core.history import HistoryEntry
from sr_bench.errors import NotRunError, OptionError
from sr_bench.history.environment import DIRTY, git
from sr_bench.history.index import History, read_history
from sr_bench.history.store import HISTORY
from sr_bench.text.printable import printable, some

LAST = "last"
"""The newest run that ended and measured something."""

PREVIOUS = "previous"
"""The one before `LAST`."""

_SHOWN = 5  # as many runs are named in a message; the others are counted
_SHORTEST_COMMIT = 7  # digits: a shorter one in a merged index could be of any commit


def find_run(spec: str, results: Path, folder: Path) -> Path:
    """Return the file of the run in the folder `results` that `spec` means.

    That is a file; else ``last`` or ``previous``; else a run's name or how only one run's name
    starts; else a branch, tag or commit of the git repository at `folder`, for the newest run that
    was made on it or on an ancestor.

    Raises:
        NotRunError: The run is not here: there is none yet, or its file was deleted.
        OptionError: `spec` means no run, or more than one.
        SrBenchError: The history can't be read.
    """
    # Unlike Path.is_file, false where the name is too long or the folder is closed to us.
    if os.path.isfile(spec):  # noqa: PTH113
        return Path(spec)
    history = read_history(results)
    if not history.entries:
        none = f"there is no run in {results / HISTORY} yet; {where_to_look(results, folder)}"
        msg = f"{spec!r} is no file, and {none}"
        raise NotRunError(msg)
    if spec == LAST:
        return _newest(history, ended_runs(history), "that ended and measured something")
    if spec == PREVIOUS:
        return _newest(history, ended_runs(history)[:-1], "before the last that measured something")
    return _named(spec, history) or _of_commit(spec, history, folder)


def where_to_look(results: Path, folder: Path) -> str:
    """Return what to do where `results` has no run: pytest's root may lie above `folder`."""
    above = (parent / results for parent in folder.parents)
    if kept := next((path for path in above if (path / HISTORY).is_dir()), None):
        named = shlex.quote(os.path.relpath(kept, folder))
        return f"pytest has kept some in its root folder: --results {named}"
    return "run pytest with your suites first"


def ended_runs(history: History) -> list[HistoryEntry]:
    """Return the runs that ended and measured something, oldest first."""
    return [
        entry
        for entry in history.entries
        if entry.info.run not in history.incomplete
        and any(point.value is not None for point in entry.points)
    ]


def _newest(history: History, entries: Sequence[HistoryEntry], what: str) -> Path:
    """Return the file of the newest of `entries`, the runs `what`, that has one."""
    files = {path.stem: path for path in history.files}
    if here := [files[entry.info.run] for entry in entries if entry.info.run in files]:
        return here[-1]
    if entries:
        runs = f"no file is left of the runs {what}: {_listed(entries)}"
        msg = f"{runs}; their values are, see 'sr-bench history', but no images to compare"
        raise NotRunError(msg)
    msg = f"there is no run {what}; there are {_listed(history.entries)}"
    raise NotRunError(msg)


def _named(spec: str, history: History) -> Path | None:
    """Return the file of the run whose name is `spec`, or starts so; None if there is none."""
    entries = [entry for entry in history.entries if entry.info.run == spec] or [
        entry for entry in history.entries if spec and entry.info.run.startswith(spec)
    ]
    if len(entries) > 1:
        msg = f"{spec!r} is the start of {len(entries)} runs: {_listed(entries)}"
        raise OptionError(msg)
    return _newest(history, entries, f"called {spec!r}") if entries else None


def _of_commit(spec: str, history: History, folder: Path) -> Path:
    if not (known := _reachable(spec, folder)):
        known_runs = _listed(history.entries)
        msg = f"{spec!r} is no file, run or git revision of {folder}; there are {known_runs}"
        raise OptionError(msg)
    entries = [
        entry
        for entry in ended_runs(history)
        if _contains(known, entry.info.environment.commit.removesuffix(DIRTY))
    ]
    return _newest(history, entries, f"of a commit that {spec!r} contains")


def _contains(commits: Sequence[str], start: str) -> bool:
    """Whether one of `commits`, sorted, starts so: a repository may have a million of them."""
    at = bisect_left(commits, start)
    return len(start) >= _SHORTEST_COMMIT and "".join(commits[at : at + 1]).startswith(start)


def _reachable(spec: str, folder: Path) -> list[str]:
    """Return the commits that the git revision `spec` contains, sorted; none if it is none."""
    if not spec or spec[0] in "-^" or "\0" in spec:  # to git an option, or what to leave out
        return []
    commit = git(folder, "rev-parse", "--verify", "--quiet", f"{spec}^{{commit}}")
    return sorted(git(folder, "rev-list", commit, "--").split()) if commit else []


def _listed(entries: Sequence[HistoryEntry]) -> str:
    newest = [entry.info for entry in reversed(entries)]
    shown = [f"{i.run} ({i.environment.commit})".removesuffix(" ()") for i in newest]
    return printable(some(shown, _SHOWN))  # a merged index may hold any characters
