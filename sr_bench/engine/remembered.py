"""A session that remembers its outputs: the fp32 ones are compared with each low precision."""

from collections.abc import Callable, Hashable
from hashlib import blake2b
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.backend import Session
from sr_bench.engine.recent import Recent

Outputs = Recent[NDArray[np.float32]]


def remembered_outputs() -> Outputs:
    """Return an empty memory, of half a GiB."""
    return Recent(lambda output: output.nbytes)


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
        key = (self._key, lr.shape, content)
        return self._outputs.get(key, lambda: self._opened().run(lr))

    def _opened(self) -> Session:
        with self._lock:
            if self._session is None:
                self._session = self._open()
            return self._session
