"""Networks timed in turn, by a clock that the tests set."""

import pytest

from sr_bench.engine.measure.in_turn import PAIRS, beside, in_turn


class Machine:
    """A clock that moves when networks run, and what they take."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ran: list[str] = []

    def network(self, name: str, *ms: float):
        times = iter(ms)

        def run() -> None:
            self.ran.append(name)
            self.now += next(times) / 1e3

        return run


def test_networks_take_turns_and_the_first_round_warms_up() -> None:
    machine = Machine()
    a, b = machine.network("a", 90, 1, 2), machine.network("b", 70, 3, 4)
    times = in_turn((a, b), 2, lambda: machine.now)
    assert machine.ran == list("ababab")
    assert times == (pytest.approx([1, 2]), pytest.approx([3, 4]))


def test_a_slow_machine_slows_both_and_a_ratio_has_an_interval() -> None:
    machine, slow = Machine(), [1, 1, 5, 1, 9, 1, 1, 2, 1, 1]
    low = [1.0, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.4, 1.6, 9.0]  # times as long as fp32
    assert len(slow) == 1 + PAIRS
    int8 = machine.network("int8", *(2 * s * r for s, r in zip(slow, low, strict=True)))
    fp32 = machine.network("fp32", *(2 * s for s in slow))
    notes = beside(int8, fp32, lambda: machine.now)
    assert notes == {
        "fp32_ms": pytest.approx(2),
        "of_fp32": pytest.approx(1.5),
        "of_fp32_low": pytest.approx(1.5),
        "of_fp32_high": pytest.approx(1.6),
    }
