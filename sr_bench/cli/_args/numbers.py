"""Numbers of a command line: what each may be, told in one line."""

from collections.abc import Callable
from contextlib import suppress
from math import inf

from sr_bench.errors import OptionError


def above_0(option: str) -> Callable[[str], float]:
    """Return what reads a finite number above 0, for `option`; it may raise an OptionError."""
    return _reader(option, "a number above 0", lambda number: 0 < number < inf)


def part(option: str) -> Callable[[str], float]:
    """Return what reads a number from 0 to 1, for `option`; it may raise an OptionError."""
    return _reader(option, "a part from 0 to 1", lambda number: 0 <= number <= 1)


def _reader(option: str, expected: str, allows: Callable[[float], bool]) -> Callable[[str], float]:
    def read(text: str) -> float:
        with suppress(ValueError):
            if allows(number := float(text)):
                return number
        msg = f"{option} {text}: expected {expected}"
        raise OptionError(msg)

    return read
