"""Time networks in turn, so that what slows the machine meanwhile slows them all alike."""

from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter

PAIRS = 9
"""Rounds in which two networks are compared."""


def in_turn(
    runs: Sequence[Callable[[], object]], rounds: int, clock: Callable[[], float] = perf_counter
) -> tuple[list[float], ...]:
    """Return the ms that each of `runs` takes in each round, after one that warms up.

    `clock` tells seconds from any start on.
    """
    times: tuple[list[float], ...] = tuple([] for _ in runs)
    for _ in range(rounds + 1):
        for run, each in zip(runs, times, strict=True):
            start = clock()
            run()
            each.append(1e3 * (clock() - start))
    return tuple(each[1:] for each in times)


def beside(
    low: Callable[[], object],
    full: Callable[[], object],
    clock: Callable[[], float] = perf_counter,
) -> dict[str, float]:
    """Return how many times as long as `full`, the fp32 network, `low` takes, for a measurement.

    ``of_fp32`` is the median of the pairs. That of many more lies between ``of_fp32_low`` and
    ``of_fp32_high`` with 96 % certainty: the second smallest and second largest of 9 pairs.
    """
    slow, fast = in_turn((low, full), PAIRS, clock)
    ratios = sorted(a / b for a, b in zip(slow, fast, strict=True))
    return {
        "fp32_ms": median(fast),
        "of_fp32": median(ratios),
        "of_fp32_low": ratios[1],
        "of_fp32_high": ratios[-2],
    }
