"""A session that remembers its outputs: the fp32 ones are compared with each low precision."""

import os
from collections.abc import Callable, Hashable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from tempfile import mkstemp
from threading import Lock
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.backend import Session
from sr_bench.files.cache import cache_dir

LIMIT_BYTES = 4 * 2**30
"""Of disk: more than 1300 outputs of 512x512."""


class Outputs:
    """Outputs of networks on the disk: memory does not grow with the number of images.

    The file has no name, so that it is gone with the process, however that ends. Of a network
    whose outputs exceed the limit the first ones are kept; another network's make room.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._file: int | None = None
        self._places: dict[Hashable, tuple[int, tuple[int, ...]]] = {}
        self._networks: set[Hashable] = set()
        self._end = 0
        self._lock = Lock()

    def get(
        self, network: Hashable, key: Hashable, compute: Callable[[], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Return what `network` gave for the input `key`, or compute and keep it."""
        with self._lock:
            found = self._read((network, key))
        if found is not None:
            return found
        output = compute()
        # Without room on the disk there is none to remember.
        with self._lock, suppress(OSError):
            self._keep(network, key, output)
        return output

    def _read(self, key: Hashable) -> NDArray[np.float32] | None:
        if self._file is None or key not in self._places:
            return None
        start, shape = self._places[key]
        output = np.empty(shape, np.float32)
        os.preadv(self._file, [output.data], start)
        return output

    def _keep(self, network: Hashable, key: Hashable, output: NDArray[np.float32]) -> None:
        if (network, key) in self._places:
            return
        if self._end + output.nbytes > self._limit and self._networks != {network}:
            self._places.clear()
            self._networks.clear()
            self._end = 0
        if self._end + output.nbytes > self._limit:
            return
        if self._file is None:
            self._file = self._opened()
        written = os.pwrite(self._file, np.ascontiguousarray(output).data, self._end)
        if written < output.nbytes:  # the disk is full
            return
        self._places[network, key] = (self._end, output.shape)
        self._networks.add(network)
        self._end += output.nbytes

    def _opened(self) -> int:
        folder = cache_dir()  # not where temporary files are: that may be memory
        folder.mkdir(parents=True, exist_ok=True)
        file, name = mkstemp(dir=folder)
        Path(name).unlink()
        finalize(self, os.close, file)
        return file


class Remembered:
    """Runs a network, or returns what it gave for the same input under the same key.

    Args:
        opened: Opens the session when an output is not remembered; called at most once.
        outputs: The memory, shared by sessions.
        key: What decides an output besides the input: network, precision and backend.
    """

    def __init__(self, opened: Callable[[], Session], outputs: Outputs, key: Hashable) -> None:
        self._open = opened
        self._outputs = outputs
        self._key = key
        self._session: Session | None = None
        self._lock = Lock()

    def run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output for `lr`, which callers must not write to."""
        content = blake2b(np.ascontiguousarray(lr).data, digest_size=16).digest()
        return self._outputs.get(self._key, (lr.shape, content), lambda: self._opened().run(lr))

    def _opened(self) -> Session:
        with self._lock:
            if self._session is None:
                self._session = self._open()
            return self._session
