"""What can be made again, kept by what it was made from, and checked whenever it is used.

The name of a file holds a digest of its content and of what it stands for: what is cut off, changed
or in another's place is noticed, and made again. Where the cache can't be used, work goes on
without it. Of each kind of trouble a session tells once.
"""

import os
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock

from sr_bench.errors import CacheWarning, SrBenchError
from sr_bench.files.atomic import write_bytes
from sr_bench.files.cache import cache_dir
from sr_bench.files.disk import disk_error
from sr_bench.files.hashing import sha256_bytes, sha256_unchanged
from sr_bench.files.temporary import folder_of


class Spare:
    """What a session has in this process besides the cache: a folder, and what it has told.

    Args:
        session: Its name; wherever the object travels, it is the one of that process.
    """

    def __init__(self, session: str) -> None:
        self._session = session
        self._told: set[str] = set()
        self._lock = Lock()

    @cached_property
    def folder(self) -> Path:
        """A folder that goes with the process."""
        return folder_of(self)

    def tell(self, kind: str, text: str) -> None:
        """Warn with `text`, unless there was a warning of this `kind` before."""
        with self._lock:
            if kind in self._told:
                return
            self._told.add(kind)
        warning = CacheWarning(kind, text)
        try:
            warnings.warn(warning, stacklevel=2)
        except CacheWarning:  # where warnings are errors: it is none of what is measured
            with warnings.catch_warnings():
                warnings.simplefilter("always", CacheWarning)
                warnings.warn(warning, stacklevel=2)

    def tell_damaged(self, what: str) -> None:
        """Warn that `what` is damaged; of others that follow nothing is said."""
        text = f"{what}; it is made again, as all of the cache that is damaged"
        self.tell("damaged", text)

    def tell_unusable(self, cause: SrBenchError) -> None:
        """Warn that the cache can't be used because of `cause`."""
        text = (
            f"the cache can't be used: {cause}. The session goes on without it, and later ones "
            "measure again; SR_BENCH_CACHE names another folder for it"
        )
        self.tell("unusable", text)

    def __reduce__(self) -> tuple[object, ...]:
        return spare_of, (self._session,)


@lru_cache(maxsize=8)
def spare_of(session: str) -> Spare:
    """Return what the session of this name has in this process."""
    return Spare(session)


@dataclass(frozen=True)
class Kept:
    """Files that can be made again, by name: ``folder/key.suffix``, the key a digest of all input.

    Several processes may use them at once.
    """

    base: Path | None
    """The cache folder; None: nothing made before is read, or left for later."""
    spare: Spare = field(default_factory=lambda: spare_of(""), compare=False)
    since: float = 0.0
    """Older files are not used, in seconds since the epoch."""

    @classmethod
    def usual(cls) -> "Kept":
        """Return the files in the cache folder."""
        return cls(cache_dir())

    @property
    def place(self) -> Path:
        """A folder for what is more than one file."""
        if self.base is None:
            return self.spare.folder
        try:
            self.base.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=self.base):
                return self.base
        except OSError as error:
            self.spare.tell_unusable(disk_error(error, self.base, "write"))
            return self.spare.folder

    def file(self, name: str, make: Callable[[Path], None]) -> Path:
        """Return the file `name`; if it isn't there, it is what `make` writes to a path."""
        if path := self._find(name):
            return path
        made = self.spare.folder / "making" / Path(name).name
        made.parent.mkdir(exist_ok=True)
        make(made)
        content = made.read_bytes()
        made.unlink()
        return self.write(name, content)

    def read(self, name: str) -> bytes | None:
        """Return the content of the file `name`; None if it is to be made."""
        path = self._find(name)
        return path.read_bytes() if path else None

    def write(self, name: str, content: bytes) -> Path:
        """Keep `content` as the file `name`; return where it is."""
        key = Path(name)
        file = key.with_name(f"{key.stem}.{_seal(name, sha256_bytes(content))}{key.suffix}")
        if self.base is not None:
            try:
                write_bytes(self.base / file, content)
            except SrBenchError as cause:
                self.spare.tell_unusable(cause)
            else:
                self._replace_old(name, self.base / file)
                return self.base / file
        write_bytes(self.spare.folder / file, content)
        return self.spare.folder / file

    def _find(self, name: str) -> Path | None:
        """Return where the file `name` is, whole and not too old; delete it if it is damaged."""
        for path in self._candidates(name):
            with suppress(OSError):
                if path.stat().st_mtime < self.since:
                    continue
            try:
                whole = path.name.split(".")[-2] == _seal(name, sha256_unchanged(path))
            except SrBenchError as cause:
                self.spare.tell_unusable(cause)
                continue
            if whole:
                return path
            self.spare.tell_damaged(f"{path} is damaged")
            with suppress(OSError):
                path.unlink()
        return None

    def _candidates(self, name: str) -> list[Path]:
        key = Path(name)
        folders = filter(None, (self.base, self.spare.__dict__.get("folder")))
        pattern = f"{key.stem}.{'?' * _SEAL}{key.suffix}"
        return sorted(path for folder in folders for path in (folder / key.parent).glob(pattern))

    def _replace_old(self, name: str, written: Path) -> None:
        """Delete what stood for `name` before, if it counts no more."""
        with suppress(OSError):  # by the clock that `since` was read from, not that of a server
            os.utime(written, (now := time.time(), now))
            for path in self._candidates(name):
                if path != written and path.stat().st_mtime < self.since:
                    path.unlink()


_SEAL = 32


def _seal(name: str, digest: str) -> str:
    """Return what the name of a file holds that stands for `name` and has the content `digest`."""
    return sha256_bytes(f"{name} {digest}".encode())[:_SEAL]
