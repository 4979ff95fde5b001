"""A network that remembers its outputs: the fp32 ones are compared with each low precision."""

import os
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from hashlib import blake2b
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, TypeAlias
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.backend import Batch, BatchItem, BatchSession, Session
from sr_bench.files.cache import writable_dir

Output: TypeAlias = NDArray[np.float32]
"""N x C x H x W; one image has N = 1."""

LIMIT_BYTES = 4 * 2**30
"""Of disk: more than 1300 outputs of 512x512."""


class Outputs:
    """Outputs of networks on the disk: memory does not grow with the number of images.

    The file has no name, so that it is gone with the process, however that ends. Of a network
    whose outputs exceed the limit the first ones are kept; another network's make room.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._file: IO[bytes] | None = None
        self._places: dict[Hashable, tuple[int, tuple[int, ...]]] = {}
        self._networks: set[Hashable] = set()
        self._end = 0
        self._lock = Lock()

    def get(self, network: Hashable, key: Hashable, compute: Callable[[], Output]) -> Output:
        """Return what `network` gave for the input `key`, or compute and keep it."""
        with self._lock:
            kept = self._read((network, key))
        if kept is not None:
            return kept
        output = compute()  # outside of the lock: others read meanwhile
        # Without room on the disk there is none to remember.
        with self._lock, suppress(OSError):
            self._keep(network, key, output)
        return output

    def _read(self, key: Hashable) -> Output | None:
        if self._file is None or key not in self._places:
            return None
        start, shape = self._places[key]
        output = np.empty(shape, np.float32)
        os.preadv(self._file.fileno(), [output.data], start)  # by place: threads share the file
        return output

    def _keep(self, network: Hashable, key: Hashable, output: Output) -> None:
        if (network, key) in self._places:  # two threads computed it
            return
        if self._end + output.nbytes > self._limit and self._networks != {network}:
            self._places.clear()
            self._networks.clear()
            self._end = 0  # written over; the file need not shrink
        if self._end + output.nbytes > self._limit:
            return
        if self._file is None:
            folder = writable_dir()  # not where temporary files are: that may be memory
            folder.mkdir(parents=True, exist_ok=True)
            self._file = TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115
            finalize(self, self._file.close)  # also where nobody closes us
        written = os.pwrite(self._file.fileno(), np.ascontiguousarray(output).data, self._end)
        if written < output.nbytes:  # the disk is full
            return
        self._places[network, key] = (self._end, output.shape)
        self._networks.add(network)
        self._end += output.nbytes


class Remembered:
    """Runs a network, or returns what it gave for the same input under the same key.

    An image alone and the same image in a batch may differ in the last bits, so that of batches
    the whole batch is remembered.

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

    def run(self, lr: Output) -> Output:
        """Return the output for `lr`, which callers must not write to."""
        return self._outputs.get(self._key, _content([lr]), lambda: self._opened().run(lr))

    def run_batch(self, lrs: Sequence[Output]) -> Sequence[Output]:
        """Return the outputs for `lrs`, remembered or run as this very batch; don't write to them.

        Raises:
            BackendError: The network does not accept them.
        """
        key = ("batch", *_content(lrs))
        outputs = self._outputs.get(self._key, key, lambda: self._computed(lrs))
        return [outputs[index : index + 1] for index in range(len(outputs))]

    def add_batch(self, lrs: Sequence[Output], outputs: Sequence[Output]) -> None:
        """Remember the outputs for `lrs`, which were run as a batch."""
        self._outputs.get(self._key, ("batch", *_content(lrs)), lambda: np.concatenate(outputs))

    def _computed(self, lrs: Sequence[Output]) -> Output:
        session = self._opened()
        if isinstance(session, BatchSession):
            return np.concatenate([output_of(item) for item in session.start(Batch(lrs))()])
        return np.concatenate([session.run(lr) for lr in lrs])

    def _opened(self) -> Session:
        with self._lock:
            if self._session is None:
                self._session = self._open()
            return self._session


def output_of(item: BatchItem) -> Output:
    """Return the output of an image of a batch whose outputs were asked for."""
    assert item.output is not None
    return item.output


def _content(lrs: Sequence[Output]) -> tuple[int, tuple[int, ...], bytes]:
    """Return what stands for the images `lrs`, which are of one shape."""
    content = blake2b(digest_size=16)
    for lr in lrs:
        content.update(np.ascontiguousarray(lr).data)
    return len(lrs), lrs[0].shape, content.digest()
