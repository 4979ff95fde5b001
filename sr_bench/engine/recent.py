"""Keep decoded, resized image pairs for the next run over the same images, under a size cap."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from sr_bench.engine.scoring import Pair

DEFAULT_LIMIT_BYTES = 512 * 2**20


class PairCache:
    """The pairs of this session that were used last, at most `limit_bytes` of them."""

    def __init__(self, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._pairs: OrderedDict[Hashable, Pair] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable, load: Callable[[], Pair]) -> Pair:
        """Return the pair kept under `key`, or load and keep it.

        Callers must not write to its arrays. Loading happens outside of the lock, so that
        workers decode side by side.
        """
        with self._lock:
            if key in self._pairs:
                self._pairs.move_to_end(key)
                return self._pairs[key]
        pair = load()
        with self._lock:
            self._keep(key, pair)
        return pair

    def _keep(self, key: Hashable, pair: Pair) -> None:
        if key in self._pairs or _size(pair) > self._limit:
            return
        self._pairs[key] = pair
        self._bytes += _size(pair)
        while self._bytes > self._limit:
            _, oldest = self._pairs.popitem(last=False)
            self._bytes -= _size(oldest)


def _size(pair: Pair) -> int:
    return pair.lr.nbytes + pair.hr.nbytes
