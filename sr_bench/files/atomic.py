"""Write a file whole or not at all."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sr_bench.files.disk import disk_error
from sr_bench.files.temporary import temporary_beside


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, nothing else.

    Missing parent folders are made. What isn't `durable` is not waited for: a power failure may
    leave a file with other content.

    Raises:
        SrBenchError: The folder isn't writable, the disk is full, or the like; the old file is
            untouched and nothing is left behind.
    """
    if not path.name:  # pathlib reads an empty text as the folder we are in
        raise disk_error(IsADirectoryError(errno.EISDIR, ""), path, "write")
    # In the same folder, as os.replace is atomic only within one file system.
    temp = temporary_beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temp.open("xb") as file:
            file.write(data)
            if durable:
                file.flush()
                # Else the new name may reach the disk before the content, and power fail between.
                os.fsync(file.fileno())
        temp.replace(path)
    except OSError as error:
        raise disk_error(error, path, "write") from error
    finally:
        with suppress(OSError):  # what failed before counts, not this
            temp.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, its line ends as they are; see `write_bytes`."""
    write_bytes(path, text.encode())


def append_line(path: Path, text: str, *, cut_torn: bool = False) -> None:
    """Append `text` and a line feed to `path`; make the file if it is absent.

    Others that append to it as well wait for each other, so that none takes a line that is half
    written for a torn one. A last line without an end, which a killed process left, stays a line
    of its own, or is cut off if `cut_torn`.

    Raises:
        ValueError: `text` holds a line feed itself.
        SrBenchError: It can't be written; the file ends where it did before.
    """
    if "\n" in text:
        msg = "expected one line, got a text with a line feed in it"
        raise ValueError(msg)
    with _locked(path, "append to") as handle:
        _append(handle, text.encode() + b"\n", cut_torn=cut_torn)


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Make the content of the file at `path` what `change` returns of it.

    Those that append to it wait meanwhile, so that no line is lost that `change` did not see.

    Raises:
        SrBenchError: It can't be written.
    """
    with _locked(path, "replace") as handle:
        before = _tail(handle, 0)
        if (after := change(before)) != before:
            os.ftruncate(handle, 0)
            _write(handle, after)


@contextmanager
def _locked(path: Path, verb: str) -> Iterator[int]:
    """Open `path`, which is made if it is absent, and keep other processes waiting."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            # O_APPEND keeps the lines of several processes apart, but not on a network's disk.
            with suppress(ImportError):  # absent on Windows
                import fcntl

                fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)
    except OSError as error:
        raise disk_error(error, path, verb) from error


def sync(path: Path) -> None:
    """Bring the file at `path`, and its name, to the disk: a power failure then spares it.

    Raises:
        SrBenchError: It is absent, or the disk refuses.
    """
    try:
        for place, flags in ((path, os.O_RDWR), (path.parent, os.O_RDONLY)):
            handle = os.open(place, flags)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    except OSError as error:
        raise disk_error(error, path, "write") from error


def _append(handle: int, data: bytes, *, cut_torn: bool) -> None:
    before = os.fstat(handle).st_size
    if before and _tail(handle, before - 1) != b"\n":
        if cut_torn:
            before = _tail(handle, 0).rfind(b"\n") + 1
            os.ftruncate(handle, before)
        else:
            data = b"\n" + data
    try:
        _write(handle, data)
    except OSError:
        # A full disk may take the first half of a line; devices can't be cut.
        with suppress(OSError):
            os.ftruncate(handle, before)
        raise


def _write(handle: int, data: bytes) -> None:
    written = 0
    while written < len(data):
        written += os.write(handle, data[written:])


def _tail(handle: int, start: int) -> bytes:
    with os.fdopen(os.dup(handle), "rb") as file:
        file.seek(start)
        return file.read()
