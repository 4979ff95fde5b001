"""Runtimes that give what onnxruntime gives, or something else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from sr_bench import discovery
from sr_bench.backends import onnxruntime
from sr_bench.core.backend import DEFAULT_OPTIONS, Artefact, BackendInfo, BackendOptions
from sr_bench.engine.measure.around import Around
from tests.int8_zoo import Int8Zoo, make_int8_zoo

Wrong = Callable[[Artefact, NDArray[np.float32]], NDArray[np.float32]]
Add = Callable[[str, Wrong], None]


class _Other(Around):
    def __init__(self, artefact: Artefact, wrong: Wrong) -> None:
        super().__init__(onnxruntime.open_session(artefact))
        self._artefact, self._wrong = artefact, wrong

    def run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._wrong(self._artefact, super().run(lr))


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Add:
    """Return what makes the backend of a name give what a function makes of onnxruntime's."""

    def add(name: str, wrong: Wrong) -> None:
        module = discovery.load("sr_bench.backends", name)

        def open_session(
            artefact: Artefact, *, threads: int = 1, options: BackendOptions = DEFAULT_OPTIONS
        ) -> _Other:
            return _Other(artefact, wrong)

        info = BackendInfo(name, "7", "cpu", emulated=False, note="")
        monkeypatch.setattr(module, "describe", lambda _options: info)
        monkeypatch.setattr(module, "open_session", open_session)

    return add


def from_relu_on(artefact: Artefact, output: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `output`, but for half a level on one value of four where 'relu' is computed."""
    nodes = onnx.load(artefact.onnx).graph.node
    if any(node.name == "relu" for node in nodes):
        output.reshape(-1)[::4] += np.float32(0.5 / 255)
    return output


def unchanged(_artefact: Artefact, output: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `output`."""
    return output


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Int8Zoo:
    return make_int8_zoo(Path(tmp_path_factory.mktemp("agree")) / "my_zoo")
