"""Prepared pairs on the disk, by content: a later session neither inflates nor decodes them again.

An entry is named by the digest of the image's files and of all that is done to them, and holds a
digest of its name and its pixels. It is written only where the protocol makes a pair smaller than
the files it comes from: whatever else is kept would take more to read than it saves.
"""

import os
import struct
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from sr_bench.engine.job import Job
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.code_digest import measuring
from sr_bench.engine.score.protocol import Pair
from sr_bench.errors import SrBenchError
from sr_bench.files.atomic import write_bytes
from sr_bench.files.cache import cache_dir, prune
from sr_bench.files.disk import disk_error
from sr_bench.files.hashing import sha256_json
from sr_bench.files.kept import Spare
from sr_bench.system.cpu import cpu_model

FOLDER = "pairs"
"""Of the cache folder."""

_SIZES = struct.Struct("<4I")  # height and width of LR, then of HR
_SEAL = 32  # bytes of the digest that an entry starts with
_CHANNELS = 3
_PART = 8  # the folder is searched for what is old after each such part of its limit


class KeptPairs:
    """The pairs in one folder, for any number of threads and processes.

    Args:
        folder: Made when the first pair is kept.
        limit_bytes: What the folder may take; what was used longest ago goes first.
        spare: What tells of damage, and of a disk that refuses; then no more is written.
        reads: Whether what is there is used, not only replaced.
    """

    def __init__(self, folder: Path, limit_bytes: int, spare: Spare, *, reads: bool = True) -> None:
        self._folder = folder
        self._limit = limit_bytes
        self._spare = spare
        self._reads = reads
        self._cpu = cpu_model()  # another one's instructions may resize to other levels
        self._writes = True
        self._room = 0
        self._lock = Lock()

    def load(self, job: Job, index: int) -> Pair:
        """Return image `index` of `job` as it is kept, or decode, resize and keep it.

        Raises:
            SrBenchError: It can't be decoded or resized.
        """
        done = [job.card.scale, job.pair_rule, measuring(), self._cpu]
        key = sha256_json([job.images.items[index].digest(), *done])
        kept = self._read(key) if self._reads else None
        if kept is not None:
            return kept
        pair = job.pair(index)
        # Of a set that exceeds the limit the first stay: each would be gone before its turn.
        fits = (index + 1) * pair.nbytes <= self._limit * (_PART - 1) // _PART
        if self._writes and fits and pair.nbytes < job.images.file_bytes(index):
            self._write(key, pair)
        return pair

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key

    def _read(self, key: str) -> Pair | None:
        path = self._path(key)
        try:
            content = np.fromfile(path, np.uint8)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._spare.tell_unusable(disk_error(error, path, "read"))
            return None
        body = content[_SEAL:]
        if content[:_SEAL].tobytes() != _seal(key, body.data):
            self._spare.tell_damaged(f"{path} is damaged")
            with suppress(OSError):  # it may not be kept anew
                path.unlink()
            return None
        with suppress(OSError):  # a cache that others share may be read-only
            os.utime(path)  # used now: it goes last
        return _unpacked(body)

    def _write(self, key: str, pair: Pair) -> None:
        body = _packed(pair)
        content = b"".join((_seal(key, *body), *body))
        try:
            # What a power failure spoils is made again: no need to wait for the disk.
            write_bytes(self._path(key), content, durable=False)
        except SrBenchError as cause:
            self._spare.tell_unusable(cause)
            self._writes = False
            return
        with self._lock:
            self._room -= len(content)
            if self._room <= 0:  # others may have written too
                self._room = self._limit // _PART
                prune(self._folder, self._limit - self._room)


def kept_pairs(selection: Selection) -> KeptPairs | None:
    """Return the pairs that a session with these options keeps; None if it keeps none."""
    if selection.cache == "off" or not selection.pairs_bytes:
        return None
    folder, reads = cache_dir() / FOLDER, selection.cache == "on"
    return KeptPairs(folder, selection.pairs_bytes, selection.spare, reads=reads)


def _seal(key: str, *body: memoryview | bytes) -> bytes:
    digest = sha256(key.encode())
    for part in body:
        digest.update(part)
    return digest.digest()


def _packed(pair: Pair) -> tuple[memoryview | bytes, ...]:
    sizes = _SIZES.pack(*pair.lr.shape[:2], *pair.hr.shape[:2])
    return sizes, np.ascontiguousarray(pair.lr).data, np.ascontiguousarray(pair.hr).data


def _unpacked(body: NDArray[np.uint8]) -> Pair:
    """Return the pair whose bytes are `body`, whose digest is right."""
    lr_height, lr_width, *hr_size = _SIZES.unpack_from(body.data)
    lr, hr = np.split(body[_SIZES.size :], [lr_height * lr_width * _CHANNELS])
    return Pair(lr.reshape(lr_height, lr_width, _CHANNELS), hr.reshape(*hr_size, _CHANNELS))
