"""What all sessions share: they refuse wrong arrays, and any use after closing."""

from collections.abc import Callable, Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sr_bench.errors import BackendError

Infer = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class CheckedSession:
    """A session around a function that computes; see `sr_bench.core.backend.Session`."""

    def __init__(
        self, infer: Infer, *, backend: str, device: str, notes: Mapping[str, str] | None = None
    ) -> None:
        self._infer: Infer | None = infer
        self._backend, self._device = backend, device
        self._notes = dict(notes or {})

    @property
    def device(self) -> str:
        """What computes."""
        return self._device

    @property
    def notes(self) -> Mapping[str, str]:
        """What a record should say about how it computes."""
        return self._notes

    def run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output for `lr`, both float32 NCHW.

        Raises:
            BackendError: `lr` is not such an array, or the network does not accept it, or the
                session is closed.
        """
        # Read once: another thread may close the session after the check.
        infer = self._infer
        if infer is None:
            msg = f"this session of {self._backend} is closed; open another one"
            raise BackendError(msg)
        self._check(lr, "input")
        return self._check(infer(lr), "output of the network")

    def close(self) -> None:
        """Free what the session holds; a second call does nothing."""
        self._infer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _check(self, array: object, what: str) -> NDArray[np.float32]:
        if isinstance(array, np.ndarray):
            if array.ndim == 4 and array.dtype == np.float32 and array.size:
                return array
            got = f"{array.dtype} of shape {array.shape}"
        else:
            got = type(array).__name__
        msg = f"{self._backend}: expected the {what} as float32 (N, C, H, W), not empty; got {got}"
        raise BackendError(msg)
