"""The child of `isolated`: answers the cases of one model, one by one, over a pipe of its own.

Run as ``python -m sr_bench.engine.elsewhere.child_main DESCRIPTOR``. It is sent `Setup`, then any
number of `Request`. It sends None when it is ready, or a sentence that says why it can't be, and
for each request the progress (done, planned, image), from real progress alone, and in the end the
Record.
"""

import ctypes
import faulthandler
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import NoReturn

from sr_bench.core.case import Case
from sr_bench.core.record import Record
from sr_bench.engine.plan.options import Selection
from sr_bench.errors import SrBenchError

Setup = tuple[list[str], Selection, tuple[Path, ...], tuple[Case, ...]]
"""The parent's ``sys.path``, then what a `Bench` is made of, and what it will be asked."""

Request = tuple[Case, str]
"""A case and its node id."""

Message = None | str | tuple[int, int, str] | Record
"""What the child sends: tuples, as the classes of a main module are not found elsewhere."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(descriptor: int) -> None:
    """Answer over `descriptor`, an inherited one, until the parent closes its end."""
    # Of the thread that crashed alone: those of the others would push it out of the last lines.
    faulthandler.enable(all_threads=False)
    signal.signal(signal.SIGTERM, _leave)
    _end_with_parent()
    # Or a process that a backend starts could keep it open after we have crashed.
    os.set_inheritable(descriptor, False)
    with Connection(descriptor) as parent:
        serve(parent)


def serve(parent: Connection) -> None:
    """Make the bench that `parent` describes, then answer its cases until it sends no more."""
    setup: Setup = parent.recv()
    # Before the imports: the parent may have found a backend's package by a path of its own.
    sys.path[:], selection, folders, cases = setup
    from sr_bench.engine.bench import Bench

    def tell(message: Message) -> None:
        parent.send(message)

    try:
        bench = Bench(selection, folders)
        bench.announce(cases)
    except SrBenchError as cause:
        return tell(str(cause))
    tell(None)
    for case, node_id in _requests(parent):
        tell(bench.evaluate(case, node_id, lambda *progress: tell(progress)))
    return None


def _requests(parent: Connection) -> Iterator[Request]:
    with suppress(EOFError):
        while True:
            yield parent.recv()


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """End as by the signal, but close what is open: a device's process, temporary folders."""
    sys.exit(128 + number)


def _end_with_parent() -> None:
    """Have the system end us when the parent is killed; else we would find out when it is told.

    To be exact, when the thread that started us ends. Only Linux can.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]))
