"""Keep numpy's linear algebra on one thread, where its threads would wait at full speed."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

_NAMES = (
    ("scipy_openblas", "64_"),  # numpy's wheels
    ("scipy_openblas", ""),
    ("openblas", "64_"),
    ("openblas", ""),
)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let OpenBLAS start no threads meanwhile; where numpy has another library nothing changes.

    They wait for work and for each other without sleeping: the factors of a deep network's second
    moments took three times the CPU so, beside other work on the same cores.
    """
    found = blas_threads()
    if found is None:
        yield
        return
    get, change = found
    before = get()
    change(1)
    try:
        yield
    finally:
        change(before)


def blas_threads() -> tuple[Callable[[], int], Callable[[int], object]] | None:
    """Return what tells and what sets the threads of numpy's OpenBLAS; None if it has another."""
    library = ctypes.CDLL(import_module("numpy.linalg._umath_linalg").__file__)
    for prefix, suffix in _NAMES:
        get, change = (
            getattr(library, f"{prefix}_{verb}_num_threads{suffix}", None)
            for verb in ("get", "set")
        )
        if get and change:
            return get, change
    return None
