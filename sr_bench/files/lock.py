"""Keep other processes and threads away from files while they are read, changed and written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from sr_bench.errors import SrBenchError
from sr_bench.files.cache import writable_dir
from sr_bench.files.disk import disk_error
from sr_bench.files.hashing import sha256_bytes


@contextmanager
def locked(path: Path, *, wait_s: float) -> Iterator[None]:
    """Hold the lock that stands for `path`, a file or a folder, which need not be writable.

    The lock is a file in `writable_dir`; the system frees it when a process that holds it dies.
    Links to one file share a lock.

    Raises:
        SrBenchError: It is held all this time, or no lock can be made.
    """
    name = sha256_bytes(os.fsencode(path.resolve()))[:32]
    file = writable_dir() / "locks" / f"{name}.lock"
    msg = (
        f"{path}: another process has been changing it for more than {wait_s:g} s; wait until"
        " that is done, then run this again"
    )
    with held(FileLock(file), wait_s=wait_s, busy=SrBenchError(msg)):
        yield


@contextmanager
def held(lock: BaseFileLock, *, wait_s: float, busy: SrBenchError) -> Iterator[None]:
    """Hold `lock`, of a file whose folder is made if need be.

    Raises:
        SrBenchError: `busy`, if another holds it all this time; or its folder can't be written.
    """
    file = Path(lock.lock_file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=wait_s)
    except Timeout as cause:
        raise busy from cause
    except OSError as cause:
        raise disk_error(cause, file, "lock") from cause
    try:
        yield
    finally:
        lock.release()
