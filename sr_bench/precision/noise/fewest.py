"""Find how many layers of an order must leave in float, in few trials, from what errors predict."""

from collections.abc import Callable, Mapping, Sequence


def fewest(
    trial: Callable[[int], tuple[float, bool]],
    left: Sequence[float],
    goal_db: float,
    known: Mapping[int, float],
    in_time: Callable[[], bool],
) -> int | None:
    """Return the fewest layers in float that pass, as far as time lets it be tried; None: none did.

    Args:
        trial: Measures so many layers in float: fidelity in dB, and whether that passes.
        left: What error of all is predicted with so many in float, from none to all that may be.
        goal_db: What fidelity is to be reached.
        known: Fidelity of what was measured before, and did not pass.
        in_time: Tells whether there is time for another trial.
    """
    measured = dict(known)
    low, high, step = max(known, default=-1), len(left), 1
    while high - low > 1 and in_time():
        if high < len(left):  # close below what passed: predictions are good
            count, step = max((low + high) // 2, high - step), 2 * step
        else:
            count = enough(left, low, measured[low] - goal_db) if low >= 0 else 0
        measured[count], passed = trial(count)
        low, high = (low, count) if passed else (count, high)
    return high if high < len(left) else None


def enough(left: Sequence[float], low: int, short_db: float) -> int:
    """Return the first count above `low` that is predicted to be better by -`short_db`, or all."""
    most = left[low] * 10 ** (short_db / 10)
    return next((n for n in range(low + 1, len(left)) if left[n] <= most), len(left) - 1)
