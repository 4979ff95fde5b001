"""Keep decoded, resized pairs for the next run over the same images, under a size cap."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from sr_bench.engine.score.protocol import Pair

DEFAULT_LIMIT_BYTES = 64 * 2**20
"""65 pairs of 256 and 512 pixels; a run stays within 200 MB of bare inference."""


class PairCache:
    """Pairs of the sets that were used last, at most `limit_bytes` of them.

    A run goes through a whole set, and the next one does so again. Were the oldest pair to go
    first, a set above the cap would find nothing: each pair would be gone just before its turn.
    So a set keeps what it had first, and only other sets make room for it.
    """

    def __init__(self, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._pairs: OrderedDict[Hashable, tuple[Hashable, Pair]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable, load: Callable[[], Pair], *, group: Hashable) -> Pair:
        """Return the pair kept under `key`, or load and keep it.

        It belongs to the set `group`. Callers must not write to its arrays.
        """
        with self._lock:
            if key in self._pairs:
                self._pairs.move_to_end(key)
                return self._pairs[key][1]
        pair = load()  # outside of the lock, so that workers decode side by side
        with self._lock:
            self._keep(key, pair, group)
        return pair

    def _keep(self, key: Hashable, pair: Pair, group: Hashable) -> None:
        size = pair.nbytes
        if key in self._pairs or size > self._limit:
            return
        others = [other for other, (its, _) in self._pairs.items() if its != group]
        while self._bytes + size > self._limit and others:
            _, oldest = self._pairs.pop(others.pop(0))
            self._bytes -= oldest.nbytes
        if self._bytes + size <= self._limit:
            self._pairs[key] = (group, pair)
            self._bytes += size
