"""Keep what was used last for the next run over the same images, under a size cap."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

DEFAULT_LIMIT_BYTES = 512 * 2**20

T = TypeVar("T")


class Recent(Generic[T]):
    """The values of this session that were used last, at most `limit_bytes` of them.

    Args:
        size: Returns the bytes that a value takes.
        limit_bytes: What all values together may take.
    """

    def __init__(self, size: Callable[[T], int], limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._size = size
        self._limit = limit_bytes
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable, load: Callable[[], T]) -> T:
        """Return the value kept under `key`, or load and keep it.

        Callers must not write to its arrays. Loading happens outside of the lock, so that
        workers decode side by side.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = load()
        with self._lock:
            self._keep(key, value)
        return value

    def _keep(self, key: Hashable, value: T) -> None:
        if key in self._values or self._size(value) > self._limit:
            return
        self._values[key] = value
        self._bytes += self._size(value)
        while self._bytes > self._limit:
            _, oldest = self._values.popitem(last=False)
            self._bytes -= self._size(oldest)
