"""SHA-256 digests of files and bytes."""

import hashlib
import json
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from sr_bench.errors import SrBenchError
from sr_bench.files.disk import disk_error

_TICK_S = 0.1
"""More than the clock of any disk takes for a step."""


def sha256_bytes(data: bytes) -> str:
    """Return the lower-case hex digest of `data`."""
    return hashlib.sha256(data).hexdigest()


def sha256_json(value: object) -> str:
    """Return the lower-case hex digest of `value`, whose mappings may be in any order.

    Raises:
        TypeError: JSON has no spelling for it.
    """
    return sha256_bytes(json.dumps(value, sort_keys=True, default=_as_dict).encode())


def _as_dict(value: object) -> dict[object, object]:
    if isinstance(value, Mapping):
        return dict(value)
    msg = f"expected what JSON can spell, got {type(value).__name__}"
    raise TypeError(msg)


def sha256_file(*paths: Path) -> str:
    """Return the lower-case hex digest of the files at `paths`, one after another, in pieces.

    Raises:
        SrBenchError: The file is absent or can't be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                hashlib.file_digest(file, lambda: digest)
        except FileNotFoundError:
            msg = f"cannot read {path}: there is no such file"
            raise SrBenchError(msg) from None
        except OSError as error:
            raise disk_error(error, path, "read") from error
    return digest.hexdigest()


def sha256_unchanged(path: Path) -> str:
    """Return what `sha256_file` returns, read once as long as the file and its status stay.

    Behind a link that is the file it leads to.

    Raises:
        SrBenchError: The file is absent or can't be read.
    """
    try:
        status = path.stat()
    except OSError:
        return sha256_file(path)  # says why not
    if abs(time.time() - status.st_ctime) < _TICK_S:  # another change would leave it the same
        return sha256_file(path)
    # A link may lead to another file of the same size and time, and a copy keep its time.
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return _read_once(path, (status.st_dev, status.st_ino, status.st_size, *times))


@lru_cache(maxsize=2**16)
def _read_once(path: Path, _status: tuple[int, ...]) -> str:
    return sha256_file(path)


def parse_sha256sums(text: str) -> dict[str, str]:
    r"""Return digests by file name from the text that ``sha256sum`` prints.

    Blank lines and lines that start with ``#`` are skipped.

    Raises:
        ValueError: A line isn't ``<64 hex digits>  <name>``; the message gives its number.

    >>> list(parse_sha256sums("# from the wheel\n" + "0" * 64 + "  a.png\n"))
    ['a.png']
    """
    digests = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        digest, _, name = line.partition(" ")
        # A second blank, or a star in binary mode.
        name = name.removeprefix(" ").removeprefix("*")
        if len(digest) != 64 or set(digest) - set("0123456789abcdef") or not name:
            msg = f"line {number}: expected '<64 hex digits>  <file name>', got {line!r}"
            raise ValueError(msg)
        digests[name] = digest
    return digests
