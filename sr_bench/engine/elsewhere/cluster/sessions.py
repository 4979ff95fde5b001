"""Sessions that stay open between the shards of a run, and close when other runs need the room."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.backend import Batch, BatchItem, BatchSession, Session
from sr_bench.engine.measure.worker import Worker
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.prepare.network import Prepared

OPEN = 4
"""Sessions that stay open: two runs, each with the fp32 network that it is compared with."""


@dataclass
class _Slot:
    """A session, once somebody has opened it."""

    session: Session | None = None
    users: int = 0
    lock: Lock = field(default_factory=Lock)


class OpenSessions:
    """The sessions that were used last, each opened once.

    Args:
        limit: How many stay open while nobody uses them.
    """

    def __init__(self, limit: int = OPEN) -> None:
        self._limit = limit
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()
        self._lock = Lock()

    def borrow(self, key: Hashable, opened: Callable[[], Session]) -> Session:
        """Return the session of `key`; closing it only gives it back."""
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            slot.users += 1
        try:
            with slot.lock:
                if slot.session is None:
                    slot.session = opened()
        except BaseException:
            self._give_back(slot)
            raise
        kind = _BorrowedBatches if isinstance(slot.session, BatchSession) else _Borrowed
        return kind(slot.session, lambda: self._give_back(slot))

    def close(self) -> None:
        """Close those that nobody uses; the others close when they are given back."""
        with self._lock:
            self._limit = 0
        self._close_unused()

    def _give_back(self, slot: _Slot) -> None:
        with self._lock:
            slot.users -= 1
        self._close_unused()

    def _close_unused(self) -> None:
        with self._lock:
            unused = [key for key, slot in self._slots.items() if not slot.users]
            surplus = max(0, len(self._slots) - self._limit)
            closing = [self._slots.pop(key).session for key in unused[:surplus]]
        for session in closing:
            if session is not None:
                session.close()


class _Borrowed:
    """A session that somebody else uses too."""

    def __init__(self, session: Session, give_back: Callable[[], None]) -> None:
        self._session = session
        self._give_back: Callable[[], None] | None = give_back

    @property
    def device(self) -> str:
        """What computes."""
        return self._session.device

    @property
    def notes(self) -> Mapping[str, str]:
        """What a record should say about how it computes."""
        return self._session.notes

    def run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output for `lr`, both float32 NCHW."""
        return self._session.run(lr)

    def close(self) -> None:
        """Give it back; a second call does nothing."""
        give_back, self._give_back = self._give_back, None
        if give_back:
            give_back()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


class _BorrowedBatches(_Borrowed):
    """A borrowed session that runs several images at once."""

    def __init__(self, session: Session, give_back: Callable[[], None]) -> None:
        super().__init__(session, give_back)
        self._batches = cast("BatchSession", session)

    def batch(self, shape: tuple[int, ...]) -> int:
        """Return how many inputs of `shape` to run at once."""
        return self._batches.batch(shape)

    def start(self, batch: Batch) -> Callable[[], Sequence[BatchItem]]:
        """Start `batch`; return what waits for it."""
        return self._batches.start(batch)


class SharingWorker(Worker):
    """Opens a network once for all shards of its run."""

    def __init__(self, selection: Selection) -> None:
        super().__init__(selection)
        self.sessions = OpenSessions()

    def open(self, prepared: Prepared) -> Session:
        """Return the session of `prepared`, which other shards may use at the same time."""
        key = (prepared.digest, prepared.form, prepared.profile)
        return self.sessions.borrow(key, lambda: super(SharingWorker, self).open(prepared))
