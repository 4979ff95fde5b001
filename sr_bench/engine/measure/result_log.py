"""Results of images, kept by content: durable as they are made, reused by any later session.

Each network, precision and protocol has one file, named by the digest of all that decides a result
but the image. It is a log: every line carries its checksum, so that what a crash cut off or a lost
disk block spoilt is left out, and measured again. Lines of several writers may mix; a result does
not depend on who made it.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from zlib import crc32

from sr_bench.core.codec import encode
from sr_bench.engine.job import ImageResult
from sr_bench.engine.score.fidelity import Fidelity
from sr_bench.files.atomic import append_line, empty_if, sync
from sr_bench.files.disk import disk_error

_SYNC_EVERY_S = 1.0
"""A killed process loses nothing; a power failure at most the results of this time."""


@dataclass(frozen=True)
class Made:
    """What made a run's results, apart from what its key covers."""

    session: str
    """The session that continued them last."""
    device: str
    notes: Mapping[str, str]
    """What the backend said of how it computes."""


@dataclass(frozen=True)
class ResultCache:
    """Where results are kept.

    Args:
        folder: Made when the first result is kept; None: nothing is read or written.
        refresh: Whether what earlier sessions made is not used, and replaced.
        session: Names this session, in whichever of its processes.
    """

    folder: Path | None
    refresh: bool = False
    session: str = ""

    def open(self, key: str, wanted: Sequence[str], *, repeats: bool) -> "RunResults":
        """Return the results of the run whose content, but for the images, has the digest `key`.

        The same content may not give the same result again (`repeats`), as on a device that a
        nightly job watches: then a run that an earlier session finished, so that all images
        `wanted` are there, starts again; one that was interrupted goes on.
        """
        if self.folder is None:
            return RunResults(None, self.session)
        path = self.folder / key[:2] / f"{key}.jsonl"
        results = RunResults(path, self.session)
        foreign = results.made is not None and results.made.session != self.session
        # Whether it is whole is asked last: that looks at every image.
        if foreign and (self.refresh or (not repeats and all(map(results.get, wanted)))):
            results.forget()
        return results


class RunResults:
    """The results of one run, from any thread; other processes may add to the same file.

    Args:
        path: Of the file, which may be absent; None: nothing is kept on the disk.
        session: Name of the session that adds.
    """

    def __init__(self, path: Path | None, session: str) -> None:
        self._path = path
        self._session = session
        self._lock = Lock()
        self._synced = 0.0
        self._unsynced = False
        self._results: dict[str, ImageResult] = {}
        self.made: Made | None = None
        """Who made them; None if there is none yet."""
        if path is not None:
            try:
                self._read(path.read_bytes())
            except FileNotFoundError:  # nothing is kept yet
                pass
            except OSError as error:
                raise disk_error(error, path, "read") from error

    def get(self, image: str) -> ImageResult | None:
        """Return the result of the image with the digest `image`; None if there is none."""
        return self._results.get(image)

    def forget(self) -> None:
        """Leave out what earlier sessions made, unless a process of this one has done so."""
        if self._path is not None:
            empty_if(self._path, self._is_foreign)

    def _is_foreign(self, content: bytes) -> bool:
        self._read(content)
        if foreign := self.made is None or self.made.session != self._session:
            self._read(b"")
        return foreign

    def begin(self, device: str, notes: Mapping[str, str]) -> None:
        """Say what makes the results that are added from now on.

        Raises:
            SrBenchError: The file can't be written.
        """
        made = Made(self._session, device, notes)
        with self._lock:
            if made != self.made:  # said again at the end of each run
                self.made = made
                self._append(made)

    def add(self, image: str, result: ImageResult) -> None:
        """Keep the `result` of the image with the digest `image`, beside what is kept of it.

        Raises:
            SrBenchError: The file can't be written.
        """
        with self._lock:
            before = self._results.get(image)
            result = replace(result, image="")
            whole = _merged(before, result) if before else result
            self._results[image] = whole
            # An image is measured again if only its picture was gone.
            if before is None or replace(whole, faults={}) != replace(before, faults={}):
                # No faults: the next session tries those scores again.
                fields = {"image": "", "scores": whole.scores, "fidelity": whole.fidelity}
                self._append({"image": image, "result": fields})  # locked, or an older one may win

    def close(self) -> None:
        """Bring what was added to the disk, and note that the file was in use."""
        if self._path is None:
            return
        if self._unsynced:  # what was only read needs no disk
            self._sync(self._path)
        with suppress(OSError):  # a cache that others share may be read-only
            os.utime(self._path)

    def _append(self, content: Made | Mapping[str, object]) -> None:
        if self._path is None:
            return
        append_line(self._path, _line(content))
        self._unsynced = True
        if time.monotonic() - self._synced >= _SYNC_EVERY_S:
            self._sync(self._path)

    def _sync(self, path: Path) -> None:
        sync(path)
        self._synced, self._unsynced = time.monotonic(), False

    def _read(self, content: bytes) -> None:
        self._results.clear()
        self.made = None
        for line in map(_read_line, content.split(b"\n")):
            if isinstance(line, Made):
                self.made = line
            elif line is not None:
                image, result = line
                before = self._results.get(image)
                self._results[image] = _merged(before, result) if before else result
        if self.made is None:  # what made them is lost
            self._results.clear()


def _merged(before: ImageResult, now: ImageResult) -> ImageResult:
    """Return `now` with what only `before` has: a session may ask for other metrics."""
    scores = {**before.scores, **now.scores}
    return replace(now, scores=scores, fidelity=now.fidelity or before.fidelity)


def _line(content: Made | Mapping[str, object]) -> str:
    text = json.dumps(encode(content), allow_nan=False)
    return f"{crc32(text.encode()):08x} {text}"


def _read_line(line: bytes) -> Made | tuple[str, ImageResult] | None:
    """Return what made results, or an image's digest and result; None if nothing can be used."""
    digest, _, text = line.partition(b" ")
    if digest != b"%08x" % crc32(text):  # first: what is damaged may still be JSON
        return None
    try:
        content = json.loads(text)
        if "session" in content:
            return Made(**content)
        # Without `decode`: the checksum vouches for the types, and a session reads many lines.
        scores, close = map(content["result"].get, ("scores", "fidelity"))
        fidelity = Fidelity(**_floats(close)) if close else None
        # Without the image's name: another dataset may call it otherwise.
        return content["image"], ImageResult("", _floats(scores), fidelity)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _floats(values: Mapping[str, float | str]) -> dict[str, float]:
    """Return `values` with infinity, which JSON can't spell, as a number again."""
    return dict(zip(values, map(float, values.values()), strict=True))
