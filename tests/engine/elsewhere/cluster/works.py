"""Work for clusters, whose images are drawn by whoever measures them; workers import this."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sr_bench.core.precision import Precision
from sr_bench.core.protocol import EvalProtocol
from sr_bench.data.source import ImageSet
from sr_bench.engine.job import ImageResult, Job
from sr_bench.engine.measure.worker import Work
from sr_bench.engine.plan.suite import load_suite
from sr_bench.engine.prepare.network import prepare
from sr_bench.errors import DeviceError
from tests.tiny_zoo import Zoo

HELD_S = 120.0
"""How long an image is held at most, lest a test that fails leave a worker for ever."""


@dataclass(frozen=True)
class Drawn:
    """An image that a number decides."""

    index: int
    held: str = ""
    """Folder: who loads the image says so there, and waits for the file ``go``."""
    failure: str = ""

    @property
    def name(self) -> str:
        return f"{self.index:03d}"

    def load(self) -> tuple[np.ndarray, np.ndarray]:
        if self.failure:
            raise DeviceError(self.failure, "the card fell out")
        if self.held:
            Path(self.held, f"{os.getpid()}").touch()
            deadline = time.monotonic() + HELD_S
            while not Path(self.held, "go").is_file():
                if time.monotonic() > deadline:
                    raise TimeoutError(self.held)
                time.sleep(0.01)
        hr = np.random.default_rng(self.index).integers(0, 256, (24, 28, 3)).astype(np.uint8)
        return hr[::2, ::2].copy(), hr

    def digest(self) -> str:
        return self.name


def drawn(zoo: Zoo, *items: Drawn) -> Work:
    """Return the tiny network on `items`."""
    card = load_suite(zoo.suite / "card.toml").claims[0][0]
    job = Job(card, EvalProtocol("native"), ImageSet("drawn", 2, "evaluation", items))
    return Work(job, prepare(card, Precision.FP32, None))


@dataclass
class Received:
    """What an executor reported."""

    begun: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    results: dict[int, ImageResult] = field(default_factory=dict)
    progress: list[tuple[int, int, str]] = field(default_factory=list)

    def begin(self, device: str, notes: Mapping[str, str]) -> None:
        assert not self.results or self.begun, "begun before the first result"
        self.begun.append((device, dict(notes)))


def measured(executor, work: Work, indices=None, **more: object) -> Received:
    received = more.pop("received", None) or Received()
    asked = range(len(work.job.names)) if indices is None else indices
    executor.measure(
        work,
        asked,
        begin=received.begin,
        done=received.results.__setitem__,
        progress=more.pop("progress", lambda *step: received.progress.append(step)),
        **more,
    )
    return received
