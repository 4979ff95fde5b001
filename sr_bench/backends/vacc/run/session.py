"""A session on the card: compile for an image's shape, open the result, run it."""

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

_version = cache(compiler_version)  # it starts the compiler to ask


class CardSession(CheckedSession):
    """An open network on the card; it has one shape at a time, that of the last image.

    Raises:
        NotRunError: The compiler is not here.
    """

    def __init__(self, source: CompilerInput, rig: Rig, sdk: str, notes: Mapping[str, str]) -> None:
        self._source, self._rig, self._sdk = source, rig, sdk
        self._compiler = _version(rig)
        self._lock = Lock()
        self._runner: CardRunner | None = None
        self._shape: tuple[int, ...] = ()
        self._failed: DeviceError | NotRunError | None = None
        notes = {**notes, "sdk": sdk, "compiler": self._compiler, "feed": source.plan.feed}
        super().__init__(self._infer_on_card, backend="vacc", device="vacc", notes=notes)

    def close(self) -> None:
        """Leave the card; a second call does nothing."""
        super().close()
        with self._lock:
            if self._runner is not None:
                self._runner.close()
            self._runner = None

    def _infer_on_card(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        with self._lock:
            # Other threads wait here with the next images: they must not compile again for hours.
            if self._failed is not None:
                raise self._failed
            try:
                return self._runner_for(lr.shape)(lr)
            except (DeviceError, NotRunError) as cause:
                self._failed = cause
                raise

    def _runner_for(self, shape: tuple[int, ...]) -> CardRunner:
        """Return the network on the die for inputs of `shape`."""
        if self._runner is not None and self._shape == shape:
            return self._runner
        if self._runner is not None:
            self._runner.close()
        n, channels, height, width = shape
        model, scale = self._source, self._source.scale
        size = (n, channels, height, width)
        compiled = compile_network(model, size, self._rig, version=self._compiler)
        # Not in place: a record may hold the notes of an earlier shape.
        self._notes = {**self._notes, "compiled": compiled.digest}
        card_model = CardModel(
            name=model.name,
            precision=model.precision,
            prefix=compiled.prefix,
            shape=size,
            output_shape=(n, channels, height * scale, width * scale),
            white=model.white,
            feed=model.plan.feed,
        )
        self._runner = CardRunner.open(card_model, self._rig, sdk=self._sdk)
        self._shape = shape
        return self._runner
