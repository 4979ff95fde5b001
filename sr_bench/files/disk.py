"""An operating-system error about a path, as a sentence that says what to do."""

import errno
from pathlib import Path

from sr_bench.errors import SrBenchError

_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "the disk quota is used up: free some space",
    errno.EFBIG: "the file would be larger than allowed: raise the limit (ulimit -f)",
    errno.EACCES: "permission denied: make the folder writable or choose another one",
    errno.EPERM: "permission denied: make the folder writable or choose another one",
    errno.EROFS: "the file system is read-only: choose another folder",
    errno.ENOTDIR: "a part of the path is a file, not a folder: choose another folder",
    errno.EEXIST: "a part of the path is a file, not a folder: choose another folder",
    errno.EISDIR: "this is a folder, and a file was expected: choose another path",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
}


def read_if_present(path: Path) -> bytes | None:
    """Return the content of the file at `path`; None if there is none.

    Raises:
        SrBenchError: It can't be read, or is a pipe or a device, which may never end.
    """
    try:
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "expected a file, got a folder, pipe or device")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise disk_error(error, path, "read") from error


def disk_error(error: OSError, path: Path, action: str) -> SrBenchError:
    """Return the error to raise when `action` (such as ``"write"``) failed at `path`."""
    reason = _ADVICE.get(error.errno or 0, error.strerror or str(error))
    return SrBenchError(f"cannot {action} {path}: {reason}")
