"""Networks that take some sizes only: images are padded or cut for them, outputs made whole."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.backend import Batch, BatchItem, BatchSession, Session
from sr_bench.core.network_io import NetworkInput
from sr_bench.engine.measure.around import Around
from sr_bench.engine.measure.fp32_outputs import output_of
from sr_bench.errors import BackendError
from sr_bench.imaging.pieces import Pieces


def fitted(session: Session, given: NetworkInput, enlargement: int) -> Session:
    """Return `session` as one that takes images of any size.

    Args:
        session: Of a network that reads `given`; it is itself where that is any size.
        given: What it reads.
        enlargement: How much larger its outputs are.
    """
    if not given.is_fitted:
        return session
    if isinstance(session, BatchSession):
        return _FittedBatches(session, given, enlargement)
    return _Fitted(session, given, enlargement)


class _Fitted(Around):
    """A session whose images are cut into pieces; outside of it they are whole."""

    def __init__(self, session: Session, given: NetworkInput, enlargement: int) -> None:
        super().__init__(session)
        self._given = given
        self._enlargement = enlargement

    @property
    def notes(self) -> Mapping[str, str]:
        """What a record should say about how it computes, and how images are cut."""
        how = _said(self._given)
        return {**super().notes, **({"input_fit": how} if how else {})}

    def run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output for `lr`, both float32 NCHW.

        Raises:
            BackendError: As the session does; or the network takes one size alone, and `lr` has
                another one.
        """
        pieces = self._pieces(lr.shape)
        return pieces.join(map(super().run, pieces.cut(lr)), self._enlargement)

    def _pieces(self, shape: tuple[int, ...]) -> Pieces:
        given, (height, width) = self._given, shape[2:]
        if given.size not in (None, (height, width)) and given.overlap is None:
            msg = (
                f"the network takes {given.size[0]}x{given.size[1]} pixels alone, got"
                f" {height}x{width}: choose a protocol with input_shape = {list(given.size)}, or"
                " cut images into tiles, overlap = 16 under [model.input]"
            )
            raise BackendError(msg)
        return Pieces.of((height, width), given)


class _FittedBatches(_Fitted):
    """As `_Fitted`, of a session that runs several images at once: its batches are of pieces."""

    def __init__(self, session: Session, given: NetworkInput, enlargement: int) -> None:
        super().__init__(session, given, enlargement)
        assert isinstance(session, BatchSession)
        self._batches: BatchSession = session

    def batch(self, shape: tuple[int, ...]) -> int:
        """Return how many inputs of `shape`, 1 x C x H x W, to run at once; at least 1."""
        pieces = self._pieces(shape)
        return max(1, self._at_once(shape, pieces) // len(pieces))

    def start(self, batch: Batch) -> Callable[[], Sequence[BatchItem]]:
        """Start `batch`; see `sr_bench.core.backend.BatchSession`.

        A device scores no pieces: outputs come, whether asked for or not, and no scores.
        """
        shape = batch.lrs[0].shape
        pieces = self._pieces(shape)
        waiting = deque(piece for lr in batch.lrs for piece in pieces.cut(lr))
        most, started = self._at_once(shape, pieces), []
        while waiting:
            part = [waiting.popleft() for _ in range(min(most, len(waiting)))]
            started.append(self._batches.start(Batch(part)))

        def wait() -> Sequence[BatchItem]:
            outputs = [output_of(item) for finish in started for item in finish()]
            each = range(0, len(outputs), len(pieces))
            parts = (outputs[first : first + len(pieces)] for first in each)
            return [BatchItem(None, pieces.join(part, self._enlargement)) for part in parts]

        return wait

    def _at_once(self, shape: tuple[int, ...], pieces: Pieces) -> int:
        return self._batches.batch((*shape[:2], *pieces.size))


def _said(given: NetworkInput) -> str:
    """Say how images are brought to the size that a network takes; empty if they are left."""
    if given.size is None:
        return f"padded where a side is no multiple of {given.multiple_of} ({given.padding})"
    if given.overlap is None:
        return ""
    size = "x".join(map(str, given.size))
    return f"cut into tiles of {size} that overlap by {given.overlap}"
