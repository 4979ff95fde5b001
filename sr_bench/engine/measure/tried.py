"""Networks that are tried: made in a low precision like another one, run, and gone."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from onnx import ModelProto

from sr_bench.core.backend import Artefact, Session
from sr_bench.engine.measure.worker import Worker
from sr_bench.engine.prepare.network import Prepared
from sr_bench.files.temporary import temporary_folder


class TriedNetworks:
    """Opens them, and the fp32 network beside; close it, or use it as a context manager.

    Args:
        worker: Opens networks.
        low: The network in a low precision, with its calibration set.
        full: The same in fp32.
    """

    def __init__(self, worker: Worker, low: Prepared, full: Prepared) -> None:
        self._worker, self._low = worker, low
        self._open = ExitStack()
        self._folder = Path(self._open.enter_context(temporary_folder()))
        self._reference = self._open.enter_context(worker.open(full))
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._open.close()

    @contextmanager
    def _opened(self, model: ModelProto) -> Iterator[Session]:
        self._count += 1
        path = self._folder / f"{self._count}.onnx"
        path.write_bytes(model.SerializeToString())
        artefact = Artefact(path, None, self._low.precision, path.stem)
        with self._worker.open_artefact(artefact, self._low) as session:
            yield session
        path.unlink()
