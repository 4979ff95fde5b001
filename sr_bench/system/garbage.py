"""Python's search for cycles among what a program holds."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SELDOM: Final = 5_000_000
_MANY: Final = 100_000


@contextmanager
def seldom_searched() -> Iterator[None]:
    """Let Python search for cycles after five million new objects, and not after each 700.

    For work that makes many objects which it keeps: each search looks at them once more, a fifth of
    the time in reading a document of 70,000 numbers. That makes hardly a cycle, so what is there at
    the end counts as old: it is looked at with everything else, some day, and not at once.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(_SELDOM, before[0]) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        # What somebody froze must stay so; to count that takes long.
        if before[0] and gc.get_count()[0] > _MANY and not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()  # into the oldest generation
        gc.set_threshold(*before)
