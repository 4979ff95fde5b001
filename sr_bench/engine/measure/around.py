"""What sessions have in common that do something around another one."""

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sr_bench.core.backend import Session


class Around:
    """A session that is `session` but for what a subclass does otherwise."""

    def __init__(self, session: Session) -> None:
        self._session = session

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
        """Free what the session holds; a second call does nothing."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
