"""Results of images, kept by content: durable as they are made, reused by any later session.

Each network, precision and protocol has one file, named by the digest of all that decides a result
but the image. It is a log: every line carries a digest of itself and of the run that it is about,
so that what a crash cut off, a lost disk block spoilt or a copy put into another's place is told
of, taken out, and measured again. Lines of several writers may mix; a result does not depend on
who made it.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from threading import Lock

from sr_bench.core.codec import encode
from sr_bench.engine.job import ImageResult
from sr_bench.engine.score.fidelity import Fidelity
from sr_bench.errors import SrBenchError
from sr_bench.files.atomic import append_line, rewrite, sync
from sr_bench.files.disk import read_if_present
from sr_bench.files.kept import Spare, spare_of

_SYNC_EVERY_S = 1.0
"""A killed process loses nothing; a power failure at most the results of this time."""

_BEGINNING_S = 1.0
"""Within which a new file gets its first line."""


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
    spare: Spare = field(default_factory=lambda: spare_of(""), compare=False)

    def open(self, key: str, wanted: Sequence[str], *, repeats: bool) -> "RunResults":
        """Return the results of the run whose content, but for the images, has the digest `key`.

        The same content may not give the same result again (`repeats`), as on a device that a
        nightly job watches: then a run that an earlier session finished, so that all images
        `wanted` are there, starts again; one that was interrupted goes on.
        """
        if self.folder is None:
            return RunResults(None, self.session)
        path = self.folder / key[:2] / f"{key}.jsonl"
        results = RunResults(path, self.session, self.spare)
        foreign = results.made is not None and results.made.session != self.session
        # Whether it is whole is asked last: that looks at every image.
        if foreign and (self.refresh or (not repeats and all(map(results.get, wanted)))):
            results.forget()
        return results


class RunResults:
    """The results of one run, from any thread; other processes may add to the same file.

    Where the disk refuses, that is told, and they are kept in memory alone.

    Args:
        path: Of the file, which may be absent; None: nothing is kept on the disk.
        session: Name of the session that adds.
        spare: What tells of trouble with the file.
    """

    def __init__(self, path: Path | None, session: str, spare: Spare | None = None) -> None:
        self._path = path
        self._key = path.stem if path else ""
        self._spare = spare or spare_of("")
        self._session = session
        self._lock = Lock()
        self._synced = 0.0
        self._unsynced = False
        self._results: dict[str, ImageResult] = {}
        self.made: Made | None = None
        """Who made them; None if there is none yet."""
        if path is not None:
            with self._without_disk():
                content = read_if_present(path)
                if content == b"" and time.time() - path.stat().st_mtime < _BEGINNING_S:
                    content = None  # somebody has just made it
                if content is not None and not self._is_whole(content):
                    rewrite(path, self._mended)  # looks again: somebody may have been writing

    def get(self, image: str) -> ImageResult | None:
        """Return the result of the image with the digest `image`; None if there is none."""
        return self._results.get(image)

    def forget(self) -> None:
        """Leave out what earlier sessions made, unless a process of this one has done so."""
        if self._path is not None:
            with self._without_disk():
                rewrite(self._path, self._own)
            if not self._is_own():
                self._clear()

    def _is_own(self) -> bool:
        return self.made is not None and self.made.session == self._session

    def _own(self, content: bytes) -> bytes:
        """Return what this session made of `content`, the file's."""
        self._is_whole(content)
        return content if self._is_own() else self._start()

    def _start(self) -> bytes:
        """Return the content of a file without results: an empty one has lost its own."""
        return f"{self._line(Made(self._session, '', {}))}\n".encode()

    def _mended(self, content: bytes) -> bytes:
        """Return `content` without what is damaged, and tell of that."""
        if self._is_whole(content):
            return content
        self._spare.tell_damaged(f"{self._path} is damaged or cut off: results of images")
        return b"".join(self._read(content)) or self._start()

    def _clear(self) -> None:
        self._results.clear()
        self.made = None

    @contextmanager
    def _without_disk(self) -> Iterator[None]:
        """Go on in memory alone if the disk refuses."""
        try:
            yield
        except SrBenchError as cause:
            self._spare.tell_unusable(cause)
            self._path = None

    def begin(self, device: str, notes: Mapping[str, str]) -> None:
        """Say what makes the results that are added from now on."""
        made = Made(self._session, device, notes)
        with self._lock:
            if made != self.made:  # said again at the end of each run
                self.made = made
                self._append(made)

    def add(self, image: str, result: ImageResult) -> None:
        """Keep the `result` of the image with the digest `image`, beside what is kept of it."""
        with self._lock:
            before = self._results.get(image)
            result = replace(result, image="")
            whole = _merged(before, result) if before else result
            self._results[image] = whole
            # An image is measured again if only its picture was gone.
            if before is None or replace(whole, faults={}) != replace(before, faults={}):
                self._append(_content(image, whole))  # locked, or an older one may win

    def close(self) -> None:
        """Bring what was added to the disk, and note that the file was in use."""
        if self._path is None:
            return
        if self._unsynced:  # what was only read needs no disk
            with self._without_disk():
                self._sync(self._path)
        with suppress(OSError):  # a cache that others share may be read-only
            os.utime(self._path)

    def _append(self, content: Made | Mapping[str, object]) -> None:
        if self._path is None:
            return
        with self._without_disk():
            # Another session may have deleted it, to make room.
            for each in (content,) if self._path.is_file() else self._all():
                append_line(self._path, self._line(each))
            self._unsynced = True
            if time.monotonic() - self._synced >= _SYNC_EVERY_S:
                self._sync(self._path)

    def _all(self) -> Iterator[Made | Mapping[str, object]]:
        if self.made is not None:
            yield self.made
        for image, result in self._results.items():
            yield _content(image, result)

    def _sync(self, path: Path) -> None:
        if path.is_file():
            sync(path)
        self._synced, self._unsynced = time.monotonic(), False

    def _is_whole(self, content: bytes) -> bool:
        """Take the results in `content`; tell whether nothing of it is damaged."""
        return bool(content) and b"".join(self._read(content)) == content

    def _read(self, content: bytes) -> list[bytes]:
        """Take the results in `content`; return the lines that are whole."""
        self._clear()
        whole = []
        for raw in content.splitlines(keepends=True):
            line = _read_line(raw, self._key)
            if isinstance(line, Made):
                self.made = line
            elif line is not None:
                image, result = line
                before = self._results.get(image)
                self._results[image] = _merged(before, result) if before else result
            if line is not None:
                whole.append(raw)
        if self.made is None:  # what made them is lost
            self._results.clear()
        return whole

    def _line(self, content: Made | Mapping[str, object]) -> str:
        fields = encode(content)
        text = json.dumps(fields, allow_nan=False)
        return f"{_digest(self._key, text.encode())} {text}"


def _merged(before: ImageResult, now: ImageResult) -> ImageResult:
    """Return `now` with what only `before` has: a session may ask for other metrics."""
    scores = {**before.scores, **now.scores}
    return replace(now, scores=scores, fidelity=now.fidelity or before.fidelity)


def _content(image: str, result: ImageResult) -> Mapping[str, object]:
    # No faults: the next session tries those scores again.
    fields = {"image": "", "scores": result.scores, "fidelity": result.fidelity}
    return {"image": image, "result": fields}


def _digest(key: str, text: bytes) -> str:
    """Return the digest of the line `text` of the run with the digest `key`."""
    return sha256(key.encode() + b" " + text).hexdigest()[:32]


def _read_line(line: bytes, key: str) -> Made | tuple[str, ImageResult] | None:
    """Return what made results, or an image's digest and result; None if nothing can be used.

    `key` is that of the run which the line ought to be about.
    """
    digest, _, text = line.partition(b" ")
    # First: what is damaged may still be JSON. The line feed may be written with the next line.
    if digest != _digest(key, text.removesuffix(b"\n")).encode():
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
