"""Find what may go of runs, kept images and caches, by age, number or size; and remove it."""

import os
import re
import shutil
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from stat import S_ISREG
from typing import Literal

from sr_bench.core.trend import start_of
from sr_bench.files.disk import disk_error, read_if_present
from sr_bench.files.temporary import temporary_beside
from sr_bench.history.index import History, read_history
from sr_bench.history.newest import newest_files
from sr_bench.history.store import HISTORY, LATEST

RUN = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")
"""What a run is called."""

_IMAGES = re.compile(r"outputs/((?:sr-(?:8|16)bit|pairs)-[0-9a-f]{16})")
"""What a folder of kept images is called, in a record and in the results folder."""

_CACHES = ("results", "pairs", "onnx", "calibration", "sizes")
"""Folders of the cache whose files are made again; what was fetched or put there stays."""

_HOUR, _DAY = 3600.0, 24 * 3600.0

_LAST = "the last run"
"""Stands for what the newest whole results name."""

Kind = Literal["runs", "images", "cache"]


@dataclass(frozen=True)
class Limits:
    """How much is kept; None: no limit."""

    seconds: float | None = None
    """Age."""
    runs: int | None = None
    """Number of files of runs."""
    size: int | None = None
    """Bytes of all."""


@dataclass(frozen=True)
class Part:
    """What can be removed by itself: a run's file, a folder of images, a file of the cache."""

    kind: Kind
    path: Path
    size: int
    """Bytes."""
    used: float
    """When, in seconds since 1970; of a run, its start."""


@dataclass(frozen=True)
class Cleaning:
    """What goes and what stays."""

    gone: tuple[Part, ...]
    kept: tuple[Part, ...]
    notes: tuple[str, ...]
    """What is left as it is, and why."""


def plan_cleaning(
    results: Path, cache: Path, limits: Limits, held: Collection[str], now: float
) -> Cleaning:
    """Return what goes of the folders `results` and `cache` so that `limits` are kept.

    Images go once no file of a run that stays names them. What always stays: the last run, that
    which holds the newest value of a case, those in `held` and one that may not have ended yet;
    what these name; and what is so new that a session may be at work on it.

    Args:
        results: The results folder.
        cache: The cache folder.
        limits: What is kept.
        held: Names of runs.
        now: Seconds since 1970.

    Raises:
        SrBenchError: The history, or the file of a run, can't be read.
    """
    found = _look(results, cache, held, now)
    old = -inf if limits.seconds is None else now - limits.seconds
    runs = found.runs
    newest = set(runs if limits.runs is None else runs[max(0, len(runs) - limits.runs) :])
    loose = [part for part in runs if part.path.stem not in found.stay | found.unfinished]
    gone = {part for part in loose if part.used < old or part not in newest}
    going = {part.path.stem for part in gone}
    # A session writes images before the record that names them.
    at_rest = [part for part in found.images if part.used < now - _DAY and not found.unfinished]
    gone |= {part for part in at_rest if found.named[part.path.name] <= going}
    unused = [part for part in found.cached if part.used < now - _HOUR]
    gone |= {part for part in unused if part.used < old}
    parts = (*found.images, *runs, *found.cached)
    if limits.size is not None:
        spare = [part for part in at_rest if not found.named[part.path.name] & found.stay]
        spare = [part for part in (*spare, *loose, *unused) if part not in gone]
        gone |= _oldest(spare, sum(p.size for p in parts if p not in gone) - limits.size)
    kept = tuple(part for part in parts if part not in gone)
    return Cleaning(tuple(part for part in parts if part in gone), kept, found.notes)


@dataclass(frozen=True)
class _Found:
    """All that could go, and what speaks against it."""

    runs: Sequence[Part]
    """Oldest first."""
    images: Sequence[Part]
    cached: Sequence[Part]
    named: Mapping[str, set[str]]
    """Which runs, and `_LAST`, name a folder of images."""
    stay: set[str]
    """Runs that no limit removes; `_LAST` is one."""
    unfinished: set[str]
    """Runs that may not have ended."""
    notes: tuple[str, ...]


def _look(results: Path, cache: Path, held: Collection[str], now: float) -> _Found:
    history = read_history(results)
    notes = list(history.faults)
    runs = _runs(results, history, notes)
    unfinished = {part.path.stem for part in runs if _may_go_on(part, history, now)}
    if unfinished:
        notes.append(f"no images go, as run {min(unfinished)} may not have ended")
    # A file that is no run by its name, or a link, is somebody's own.
    names = {path.stem for path in history.files} - {part.path.stem for part in runs}
    stay = {*held, _LAST, *names, *(path.stem for path in newest_files(results))}
    return _Found(
        runs,
        _images(results, notes),
        [part for name in _CACHES for part in _files("cache", cache / name, notes)],
        _named(results, history.files),
        stay | {part.path.stem for part in runs[-1:]},
        unfinished,
        tuple(notes),
    )


def remove(parts: Sequence[Part]) -> list[str]:
    """Remove `parts`; return why some could not be.

    A folder is renamed first: where this is killed, no half of it is taken for the whole, and the
    next session deletes the rest.
    """
    faults = []
    for part in parts:
        try:
            if part.kind == "images":
                away = part.path.rename(temporary_beside(part.path))
                shutil.rmtree(away)  # follows no link
            else:
                part.path.unlink()
        except FileNotFoundError:
            continue  # somebody else was faster
        except OSError as error:
            faults.append(str(disk_error(error, part.path, "remove")))
    return faults


def _runs(results: Path, history: History, notes: list[str]) -> list[Part]:
    """Return the files of runs, oldest first."""
    told = {entry.info.run: entry.info.started for entry in history.entries}
    folder, parts = results / HISTORY, []
    for part in _files("runs", folder, notes):
        if part.path.parent != folder or not _is_run(part.path):
            continue
        # A file that can't be read counts by its name: its own times are of who looked at it.
        start = start_of(told.get(part.path.stem, ""), part.path.stem)
        parts.append(replace(part, used=start.timestamp()) if start else part)
    return sorted(parts, key=lambda part: (part.used, part.path.name))


def _is_run(path: Path) -> bool:
    return path.suffix == ".jsonl" and RUN.fullmatch(path.stem) is not None


def _may_go_on(part: Part, history: History, now: float) -> bool:
    """Tell whether a session may still be at work: the run has not ended, and is not old."""
    try:
        return part.path.stem in history.incomplete and now - part.path.lstat().st_mtime < _DAY
    except OSError:
        return False


def _named(results: Path, files: Sequence[Path]) -> Mapping[str, set[str]]:
    """Return the names of the runs, and `_LAST`, whose `files` name each folder of images."""
    named: dict[str, set[str]] = defaultdict(set)
    for run, path in {_LAST: results / LATEST, **{path.stem: path for path in files}}.items():
        for name in _IMAGES.findall((read_if_present(path) or b"").decode(errors="replace")):
            named[name].add(run)
    return named


def _images(results: Path, notes: list[str]) -> list[Part]:
    """Return the folders of kept images."""
    folder = results / "outputs"
    sizes: dict[Path, int] = defaultdict(int)
    used: dict[Path, float] = defaultdict(float)
    for part in _files("images", folder, notes):
        home = folder / part.path.relative_to(folder).parts[0]
        if _IMAGES.fullmatch(f"outputs/{home.name}"):
            sizes[home] += part.size
            used[home] = max(used[home], part.used)
    return [Part("images", home, size, used[home]) for home, size in sorted(sizes.items())]


def _files(kind: Kind, folder: Path, notes: list[str]) -> list[Part]:
    """Return the files below `folder`; links are not followed, and are none."""
    if folder.is_symlink():
        notes.append(f"{folder} is left as it is: a link, which is not followed")
        return []
    parts = []
    for place, _, names in os.walk(folder):  # follows no link to a folder
        for path in (Path(place, name) for name in sorted(names)):
            with suppress(OSError):  # somebody else may clean, too
                status = path.lstat()
                if S_ISREG(status.st_mode):
                    parts.append(Part(kind, path, status.st_size, _used(status)))
    return parts


def _used(status: os.stat_result) -> float:
    # Readers of results and pairs set the time of modification; most disks note that of a reading.
    return max(status.st_mtime, status.st_atime)


def _oldest(parts: Sequence[Part], size: int) -> set[Part]:
    """Return the parts used longest ago that take `size` bytes, or all; none for 0 or less."""
    taken: set[Part] = set()
    for part in sorted(parts, key=lambda part: part.used):
        if size <= 0:
            break
        taken.add(part)
        size -= part.size
    return taken
