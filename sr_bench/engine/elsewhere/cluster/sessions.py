"""Sessions that stay open between the shards of a run, and close when other runs need the room."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from threading import Lock

from sr_bench.core.backend import Session
from sr_bench.engine.measure.worker import Worker
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.network import Prepared

OPEN = 4
"""Sessions that stay open: two runs, each with the fp32 network that it is compared with."""


class OpenSessions:
    """The sessions that were used last, each opened once.

    Args:
        limit: How many stay open while nobody uses them.
    """

    def __init__(self, limit: int = OPEN) -> None:
        self._limit = limit
        self._sessions: OrderedDict[Hashable, Session] = OrderedDict()
        self._users: Counter[Hashable] = Counter()
        self._lock = Lock()

    @contextmanager
    def lend(self, key: Hashable, opened: Callable[[], Session]) -> Iterator[Session]:
        """Give the session of `key`, which others may use at the same time."""
        with self._lock:
            # In the lock, so that the next shard waits instead of opening another.
            session = self._sessions.get(key) or opened()
            self._sessions[key] = session
            self._sessions.move_to_end(key)
            self._users[key] += 1
        try:
            yield session
        finally:
            with self._lock:
                self._users[key] -= 1
                self._close_unused()

    def close(self) -> None:
        """Close those that nobody uses; the others close when they are given back."""
        with self._lock:
            self._limit = 0
            self._close_unused()

    def _close_unused(self) -> None:
        for key in [key for key in self._sessions if not self._users[key]]:
            if len(self._sessions) > self._limit:
                self._sessions.pop(key).close()


class SharingWorker(Worker):
    """Opens a network once for all shards of its run."""

    def __init__(self, selection: Selection) -> None:
        super().__init__(selection)
        self.sessions = OpenSessions()

    @contextmanager
    def lend(self, prepared: Prepared) -> Iterator[Session]:
        """Give the session of `prepared`, which other shards may use at the same time."""
        key = (prepared.digest, prepared.form, prepared.profile)
        with self.sessions.lend(key, lambda: self.open(prepared)) as session:
            yield session
