"""Recordings for tests, and the functions that write them."""

from pathlib import Path

import numpy as np

from sr_bench.core.backend import Artefact
from sr_bench.core.precision import Precision
from sr_bench.recording.format import Header
from sr_bench.recording.recorder import Recorder

Array = np.ndarray


def header(**changes: object) -> Header:
    fields = {
        "backend": "vacc",
        "version": "2.8.3",
        "device": "vacc",
        "emulated": False,
        "made_by": "0.1.0",
        "environment": {"cpu": "A CPU", "system": "Linux x86_64"},
        "started": "2026-11-21T10:00:00+00:00",
    }
    return Header(**(fields | changes))


def artefact(
    name: str = "edsr/small_x2", precision: Precision = Precision.FP16, network: str = "a" * 64
) -> Artefact:
    return Artefact(None, None, precision, digest="d" * 64, name=name, network=network)


def lr_of(seed: int, height: int = 4) -> Array:
    return np.random.default_rng(seed).random((1, 3, height, 5), dtype=np.float32)


def sr_of(seed: int) -> Array:
    return np.random.default_rng(seed + 1000).random((1, 3, 8, 10), dtype=np.float32)


def record(
    folder: Path, *seeds: int, recorded: Artefact | None = None, sr: Array | None = None
) -> Recorder:
    """Record for each seed `sr`, or the output of `sr_of`."""
    recorder = Recorder(folder, header())
    for seed in seeds:
        output = sr_of(seed) if sr is None else sr
        add(recorder, recorded or artefact(), lr_of(seed), output, compiler="vamc 1")
    return recorder


def add(
    recorder: Recorder, recorded: Artefact, lr: Array, sr: Array, device: str = "vacc", **notes: str
) -> None:
    recorder.add(recorded, lr, sr, device=device, notes=notes)


def output_files(folder: Path) -> list[Path]:
    return sorted((folder / "outputs").glob("??/*.z"))
