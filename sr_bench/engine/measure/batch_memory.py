"""The outputs of whole batches: those of fp32, which each low precision is compared with."""

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.backend import Batch, BatchItem, BatchSession, Session
from sr_bench.engine.measure.fp32_outputs import Outputs

Output: TypeAlias = NDArray[np.float32]
"""1 x C x H x W."""


class BatchMemory:
    """Remembers the outputs of batches as `Remembered` does those of images.

    An image alone and the same image in a batch may differ in the last bits, so that what is
    remembered is the batch.

    Args:
        opened: Opens the network when a batch is not remembered; called at most once.
        outputs: The memory, shared by networks.
        key: What decides an output besides the batch: network, precision and backend.
    """

    def __init__(self, opened: Callable[[], Session], outputs: Outputs, key: Hashable) -> None:
        self._open = opened
        self._outputs = outputs
        self._key = key
        self._session: Session | None = None

    def add(self, lrs: Sequence[Output], outputs: Sequence[Output]) -> None:
        """Remember the outputs for `lrs`."""
        self._outputs.get(self._key, _content(lrs), lambda: np.concatenate(outputs))

    def run(self, lrs: Sequence[Output]) -> Sequence[Output]:
        """Return the outputs for `lrs`, remembered or run as this very batch; don't write to them.

        Raises:
            BackendError: The network does not accept them.
        """
        outputs = self._outputs.get(self._key, _content(lrs), partial(self._run, lrs))
        return [outputs[index : index + 1] for index in range(len(outputs))]

    def _run(self, lrs: Sequence[Output]) -> Output:
        if self._session is None:
            self._session = self._open()
        session = self._session
        if isinstance(session, BatchSession):
            return np.concatenate([output_of(item) for item in session.start(Batch(lrs))()])
        return np.concatenate([session.run(lr) for lr in lrs])


def output_of(item: BatchItem) -> Output:
    """Return the output of an image of a batch whose outputs were asked for."""
    assert item.output is not None
    return item.output


def _content(lrs: Sequence[Output]) -> Hashable:
    content = blake2b(digest_size=16)
    for lr in lrs:
        content.update(np.ascontiguousarray(lr).data)
    return ("batch", len(lrs), lrs[0].shape, content.digest())
