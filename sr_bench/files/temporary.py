"""Temporary files and folders whose name says who made them: those of a killed process go later."""

import os
import platform
import re
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir, mkdtemp
from uuid import uuid4
from weakref import finalize

from sr_bench.files.hashing import sha256_bytes
from sr_bench.system.process import read_process

_PREFIX = "sr-bench-"
_FOLDERS, _FILES = f"{_PREFIX}*", ".*.tmp"
_OWNER = re.compile(r"([0-9a-f]{8})-([0-9a-f]{8})-(\d+)-(\d+)-")
_OLD_S = 30 * 24 * 3600.0
"""Of another machine nobody here can tell whether its process runs: no session takes so long."""


def temporary_folder(parent: Path | None = None) -> "TemporaryDirectory[str]":
    """Return a folder that goes at the end of its context; in `parent`, or where others are."""
    prefix = f"{_PREFIX}{_owner()}"
    return TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True)


def folder_of(owner: object) -> Path:
    """Return a folder that goes with `owner`, or with this process."""
    folder = mkdtemp(prefix=f"{_PREFIX}{_owner()}")
    finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def temporary_beside(path: Path) -> Path:
    """Return a new name in the folder of `path`, for what is renamed to `path` once it is whole."""
    return path.with_name(f".{path.name}.{_owner()}{uuid4().hex[:8]}.tmp")


def remove_left_behind(folders: Iterable[Path]) -> None:
    """Delete what processes that are gone left where temporary files go, and below `folders`.

    What may not be deleted is passed over.
    """
    found = [path for folder in folders for path in (*folder.glob(_FOLDERS), *folder.rglob(_FILES))]
    for path in filter(_is_orphan, (*Path(gettempdir()).glob(_FOLDERS), *found)):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


def _owner() -> str:
    """Return what names this process: by its start too, as ids are used again."""
    return "{}-{}-{}-{}-".format(*_here(), *_own())


def _own() -> tuple[int, int]:
    """Return the id of this process, and when it started."""
    return os.getpid(), read_process(os.getpid()).started


def _is_orphan(path: Path) -> bool:
    named = _OWNER.search(path.name)
    if named is None:
        return False
    machine, boot, pid, started = named.groups()
    if (machine, boot) == _here():
        return read_process(int(pid)).started != int(started)
    with suppress(OSError):
        return machine == _here()[0] or time.time() - path.lstat().st_mtime > _OLD_S
    return False


@cache
def _here() -> tuple[str, str]:
    """Return what stands for this machine, or container, and for its last start."""
    spaces, boot = "", ""
    with suppress(OSError):
        spaces = str(os.readlink("/proc/self/ns/pid"))  # noqa: PTH115 - it leads to no path
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    names = (f"{platform.node()} {spaces}", boot)
    machine, start = (sha256_bytes(name.encode())[:8] for name in names)
    return machine, start
