"""A session on the card: compile for an image's shape, open what came out, run it."""

from collections.abc import Mapping
from functools import cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from sr_bench.backends._session import CheckedSession
from sr_bench.backends.vacc.build.compile import compile_network, compiler_version
from sr_bench.backends.vacc.rig import Rig
from sr_bench.backends.vacc.run.runtime import CardModel, CardRunner
from sr_bench.core.device import CompilerInput
from sr_bench.errors import DeviceError, NotRunError


class CardSession(CheckedSession):
    """An open network on the card; it has one shape at a time, that of the last image.

    Args:
        source: What is compiled.
        rig: Commands, die and limits.
        sdk: Version of the card's SDK.
        notes: What a record should say besides how the network was compiled.

    Raises:
        NotRunError: The compiler is not here.
    """

    def __init__(self, source: CompilerInput, rig: Rig, sdk: str, notes: Mapping[str, str]) -> None:
        self._card = _Card(source, rig, sdk)
        super().__init__(self._card.run, backend="vacc", device="vacc", notes=notes)

    @property
    def notes(self) -> Mapping[str, str]:
        """What a record should say about how it computes."""
        return {**super().notes, **self._card.notes}

    def close(self) -> None:
        """Leave the card; a second call does nothing."""
        super().close()
        self._card.close()


class _Card:
    """One network on the die, compiled again for each new shape."""

    def __init__(self, source: CompilerInput, rig: Rig, sdk: str) -> None:
        self._source = source
        self._rig = rig
        self._sdk = sdk
        self._compiler = _version(rig)
        self._lock = Lock()
        self._opened: CardRunner | None = None
        self._shape: tuple[int, ...] = ()
        self._failed: DeviceError | NotRunError | None = None
        self.notes: Mapping[str, str] = {
            "sdk": sdk,
            "compiler": self._compiler,
            "feed": source.plan.feed,
        }

    def run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        with self._lock:
            # Other threads wait here with the next images: they must not compile again for hours.
            if self._failed is not None:
                raise self._failed
            try:
                return self._for(lr.shape)(lr)
            except (DeviceError, NotRunError) as cause:
                self._failed = cause
                raise

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.close()
            self._opened = None

    def _for(self, shape: tuple[int, ...]) -> CardRunner:
        """Return the network on the die for inputs of `shape`."""
        if self._opened is not None and self._shape == shape:
            return self._opened
        if self._opened is not None:
            self._opened.close()
        n, channels, height, width = shape
        model, scale = self._source, self._source.scale
        compiled = compile_network(
            model, (n, channels, height, width), self._rig, version=self._compiler
        )
        self.notes = {**self.notes, "compiled": compiled.digest}
        found = CardModel(
            name=model.name,
            precision=model.precision,
            prefix=compiled.prefix,
            shape=(n, channels, height, width),
            output_shape=(n, channels, height * scale, width * scale),
            white=model.white,
            feed=model.plan.feed,
        )
        self._opened, self._shape = CardRunner.open(found, self._rig, sdk=self._sdk), shape
        return self._opened


@cache
def _version(rig: Rig) -> str:
    return compiler_version(rig)
