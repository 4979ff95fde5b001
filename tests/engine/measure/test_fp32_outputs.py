"""Remembered outputs: a network runs once for an input, whoever asks."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sr_bench.engine.measure.fp32_outputs import Outputs, Remembered

LR = np.zeros((1, 3, 4, 5), np.float32)


class Counting:
    """A session that counts its runs."""

    device, notes = "cpu", {}

    def __init__(self) -> None:
        self.runs = 0

    def run(self, lr: np.ndarray) -> np.ndarray:
        self.runs += 1
        return lr + 1


def test_the_same_input_runs_once_also_in_another_session() -> None:
    outputs, first, second = Outputs(), Counting(), Counting()
    remembered = Remembered(lambda: first, outputs, "fp32")
    np.testing.assert_array_equal(remembered.run(LR), LR + 1)
    remembered.run(LR.copy())
    Remembered(lambda: second, outputs, "fp32").run(LR)
    assert (first.runs, second.runs) == (1, 0)


def test_another_input_shape_or_network_runs_again() -> None:
    outputs, session = Outputs(), Counting()
    remembered = Remembered(lambda: session, outputs, "fp32")
    for lr in (LR, LR + 1, LR.reshape(1, 3, 5, 4)):
        remembered.run(lr)
    Remembered(lambda: session, outputs, "other").run(LR)
    assert session.runs == 4


def test_a_session_is_opened_when_needed_and_once() -> None:
    outputs, opened = Outputs(), []

    def open_session() -> Counting:
        opened.append(Counting())
        return opened[-1]

    remembered = Remembered(open_session, outputs, "fp32")
    assert not opened
    remembered.run(LR)
    remembered.run(LR + 1)
    assert len(opened) == 1


def asked(outputs: Outputs, network: str, *levels: int) -> list[int]:
    """Ask for an output for each of `levels`; return those that had to be computed."""
    computed = []

    def compute(level: int) -> Callable[[], np.ndarray]:
        return lambda: computed.append(level) or np.full((1, 3, 2, 2), level, np.float32)

    for level in levels:
        output = outputs.get(network, level, compute(level))
        np.testing.assert_array_equal(output, np.full((1, 3, 2, 2), level, np.float32))
    return computed


def test_above_the_limit_the_first_outputs_of_a_network_stay() -> None:
    outputs = Outputs(limit_bytes=2 * 48)
    assert asked(outputs, "a", 1, 2, 3, 1, 2, 3) == [1, 2, 3, 3]


def test_another_network_takes_the_room_of_the_last_one() -> None:
    outputs = Outputs(limit_bytes=2 * 48)
    asked(outputs, "a", 1, 2)
    assert asked(outputs, "b", 1, 2, 1, 2) == [1, 2]
    assert asked(outputs, "a", 1) == [1]


def test_outputs_are_in_a_file_without_a_name(cache: Path) -> None:
    outputs = Outputs()
    asked(outputs, "a", 1)
    assert outputs._file is not None
    assert os.fstat(outputs._file.fileno()).st_size == 48
    assert list(cache.iterdir()) == []


def test_a_full_disk_only_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = Outputs()

    def full(*_arguments: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    assert asked(outputs, "a", 1, 1) == [1, 1]
    monkeypatch.setattr(os, "pwrite", lambda *_: 40)
    assert asked(outputs, "a", 1, 1) == [1, 1]


def test_threads_get_what_they_asked_for() -> None:
    outputs = Outputs(limit_bytes=20 * 48)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: asked(outputs, f"net {n % 3}", *range(9), *range(9)), range(12)))
