"""How files are broken for fuzzing, and how often: ``SR_FUZZ_EXAMPLES`` says the number."""

import gc
import os
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

_ASKED = os.environ.get("SR_FUZZ_EXAMPLES", "")

_SETTINGS = settings(
    max_examples=int(_ASKED or 100),
    # Without the variable a run is the same each time, and no clock decides about it.
    derandomize=not _ASKED,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

_LIMIT_S = 1.0


def fuzzed(test: Callable[..., None], *, inputs: int = 1) -> Callable[..., None]:
    """Run `test`, which `given` made, on many examples; where they are asked for, each within 1 s.

    The time is that of the processor, so that a busy machine fails nothing.

    Args:
        test: Takes one example.
        inputs: How many inputs an example holds: there are so many times fewer examples.
    """
    if _ASKED:
        test.hypothesis.inner_test = _timed(test.hypothesis.inner_test)
    return settings(_SETTINGS, max_examples=_SETTINGS.max_examples // inputs)(test)


def _timed(inner: Callable[..., None]) -> Callable[..., None]:
    @wraps(inner)
    def run(*args: object, **kwargs: object) -> None:
        gc.disable()  # what hypothesis keeps of thousands of examples takes seconds to go through
        try:
            start = time.thread_time()
            inner(*args, **kwargs)
            taken = time.thread_time() - start
        finally:
            gc.enable()
        assert taken < _LIMIT_S, f"took {taken:.2f} s of the processor"

    return run


_TELLING = (b"\x00", b"\xff", b"\x7f", b"\x80", bytes(8), b"\xff" * 4, b"\xff" * 8, b"\n", b"../")
"""Bytes that are often lengths, ends or signs."""


@st.composite
def broken(draw: st.DrawFn, *valid: bytes) -> bytes:
    """Return one of the files `valid` with some bytes flipped, cut out, doubled or put in."""
    data = bytearray(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        length = draw(st.sampled_from((1, 2, 4, 8, 64, 1024)))
        match draw(st.sampled_from(("flip", "put", "over", "cut", "end", "double"))):
            case "flip" if data:
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "put":
                data[at:at] = draw(st.sampled_from(_TELLING) | st.binary(max_size=16))
            case "over":
                piece = draw(st.sampled_from(_TELLING) | st.binary(min_size=1, max_size=8))
                data[at : at + len(piece)] = piece
            case "cut":
                del data[at : at + length]
            case "end":
                del data[at:]
            case "double":
                data[at:at] = data[at : at + length]
    return bytes(data)


def fresh(folder: Path, name: str, data: bytes) -> Path:
    """Write `data` over what an earlier example left at `name`."""
    path = folder / name
    path.write_bytes(data)
    return path
