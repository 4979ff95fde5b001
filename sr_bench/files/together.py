"""Write several files, all of them or none."""

import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sr_bench.errors import SrBenchError
from sr_bench.files.atomic import write_bytes
from sr_bench.files.disk import read_if_present

_Old = tuple[Path, bytes | None]  # a file and what was in it; None if there was none


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write each of `files`, in order; if one can't be written, put those before it back.

    Each file is seen whole by readers, old or new. Links stay links, and permissions stay.

    Raises:
        SrBenchError: One can't be written, or is read-only; all are as they were, or the message
            names those that could not be put back.
    """
    targets = {path.resolve(): data for path, data in files.items()}
    for path in targets:
        _check_writable(path)
    done: list[_Old] = []
    try:
        for path, data in targets.items():
            # Noted before it is written, as an interrupt may come in between.
            done.append((path, read_if_present(path)))
            _write(path, data)
    except BaseException as cause:  # an interrupt too
        stuck = _put_back(done)
        if stuck and isinstance(cause, SrBenchError):
            msg = f"{cause}; and could not be put back as they were: {', '.join(stuck)}"
            raise SrBenchError(msg) from cause
        raise


def _check_writable(path: Path) -> None:
    """Refuse a file, or a folder for a new one, whose permissions let nobody write it.

    Replacing a file asks only its folder, so a file that someone made read-only would be changed
    all the same; and an administrator's rights pass over permissions.
    """
    for place in filter(Path.exists, (path, path.parent)):
        if not place.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
            msg = f"cannot write {path}: {place} is read-only: make it writable (chmod u+w)"
            raise SrBenchError(msg)


def _write(path: Path, data: bytes) -> None:
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
    write_bytes(path, data)
    if mode is not None:
        with suppress(OSError):  # a file of another owner: its content is what counts
            path.chmod(mode)


def _put_back(done: Sequence[_Old]) -> list[str]:
    stuck = []
    for path, old in reversed(done):
        try:
            if old is None:
                path.unlink(missing_ok=True)
            elif read_if_present(path) != old:
                _write(path, old)
        except (OSError, SrBenchError):
            stuck.append(str(path))
    return stuck
