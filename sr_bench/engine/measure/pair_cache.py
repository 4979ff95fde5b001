"""Keep decoded, resized pairs for the next run over the same images, under a size cap."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from sr_bench.engine.score.protocol import Pair

DEFAULT_LIMIT_BYTES = 64 * 2**20
"""65 pairs of 256 and 512 pixels; a run stays within 200 MB of bare inference."""

T = TypeVar("T")


class Recent(Generic[T]):
    """Values of the sets that were used last, at most `limit_bytes` of them.

    A run goes through a whole set, and the next one does so again. Were the oldest value to go
    first, a set above the cap would find nothing: each value would be gone just before its turn.
    So a set keeps what it had first, and only other sets make room for it.

    Args:
        size: Returns the bytes that a value takes.
        limit_bytes: What all values together may take.
    """

    def __init__(self, size: Callable[[T], int], limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._size = size
        self._limit = limit_bytes
        self._values: OrderedDict[Hashable, tuple[Hashable, T]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable, load: Callable[[], T], *, group: Hashable) -> T:
        """Return the value kept under `key`, or load and keep it.

        Callers must not write to its arrays. Loading happens outside of the lock, so that
        workers decode side by side.

        Args:
            key: Of the value.
            load: Makes it.
            group: The set that it belongs to.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][1]
        value = load()
        with self._lock:
            self._keep(key, value, group)
        return value

    def _keep(self, key: Hashable, value: T, group: Hashable) -> None:
        size = self._size(value)
        if key in self._values or size > self._limit:
            return
        others = [other for other, (its, _) in self._values.items() if its != group]
        while self._bytes + size > self._limit and others:
            _, oldest = self._values.pop(others.pop(0))
            self._bytes -= self._size(oldest)
        if self._bytes + size <= self._limit:
            self._values[key] = (group, value)
            self._bytes += size


def pair_cache(limit_bytes: int = DEFAULT_LIMIT_BYTES) -> Recent[Pair]:
    """Return an empty memory of decoded, resized pairs."""
    return Recent(lambda pair: pair.nbytes, limit_bytes)
