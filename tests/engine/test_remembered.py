"""Remembered outputs: a network runs once for an input, whoever asks."""

import numpy as np

from sr_bench.engine.recent import Recent
from sr_bench.engine.remembered import Remembered, remembered_outputs

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
    outputs, first, second = remembered_outputs(), Counting(), Counting()
    one = Remembered(lambda: first, outputs, "fp32")
    np.testing.assert_array_equal(one.run(LR), LR + 1)
    one.run(LR.copy())
    Remembered(lambda: second, outputs, "fp32").run(LR)
    assert (first.runs, second.runs) == (1, 0)


def test_another_input_shape_or_network_runs_again() -> None:
    outputs, session = remembered_outputs(), Counting()
    one = Remembered(lambda: session, outputs, "fp32")
    for lr in (LR, LR + 1, LR.reshape(1, 3, 5, 4)):
        one.run(lr)
    Remembered(lambda: session, outputs, "other").run(LR)
    assert session.runs == 4


def test_a_session_is_opened_when_needed_and_once() -> None:
    outputs, opened = Recent[np.ndarray](lambda array: array.nbytes), []

    def open_session() -> Counting:
        opened.append(Counting())
        return opened[-1]

    one = Remembered(open_session, outputs, "fp32")
    assert not opened
    one.run(LR)
    one.run(LR + 1)
    assert len(opened) == 1
