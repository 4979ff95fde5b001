"""The process of `child`: does the work of one model, request by request, over a pipe of its own.

Run as ``python -m sr_bench.engine.elsewhere.child_main DESCRIPTOR``. It is sent `Setup`, then any
number of `Request`. To each it answers, with None when it is ready, and an `SrBenchError` where
there is no answer. Before the answer it reports what begins, each result and each step of
calibration as soon as it is there, from real progress alone.
"""

import ctypes
import faulthandler
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Lock
from types import FrameType
from typing import TYPE_CHECKING, Literal, NoReturn

from sr_bench.engine.plan.options import Selection
from sr_bench.errors import CacheWarning, SrBenchError

if TYPE_CHECKING:  # the parent's path may differ
    from sr_bench.engine.job import ImageResult
    from sr_bench.engine.measure.worker import Work, Worker

Setup = tuple[list[str], Selection]
"""The parent's ``sys.path``, and what a `Worker` is made of."""

Request = (
    tuple[Literal["measure"], "Work", tuple[int, ...]]
    | tuple[Literal["call"], "Work", Callable[..., object], tuple[object, ...]]
)
"""A method of `Worker` and its arguments; the first is the work."""

Message = (
    tuple[Literal["begin"], str, Mapping[str, str]]
    | tuple[Literal["done"], int, "ImageResult"]
    | tuple[Literal["progress"], int, int, str]
    | tuple[Literal["warning"], str, str]
    | tuple[Literal["answer"], object]
)
"""Tuples: no other process can import classes of a main module."""

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
    """Make the worker that `parent` describes, then do what it asks until it sends no more."""
    setup: Setup = parent.recv()
    # Before the imports: only the parent's path may lead to a backend's package.
    sys.path[:], selection = setup
    from sr_bench.engine.measure.worker import Worker

    voice = _Voice(parent)
    warnings.showwarning = voice.warn  # type: ignore[assignment]
    try:
        worker = Worker(selection)
    except SrBenchError as cause:
        return voice.tell(("answer", cause))
    voice.tell(("answer", None))
    for request in _requests(parent):
        voice.tell(("answer", _answer(worker, request, voice)))
    return None


class _Voice:
    """Tells the parent, from any thread.

    A message has left this process when a call returns. So the thread that made a result sends
    it before it takes the next image: whatever that does then, even if it holds the interpreter's
    lock for ever, the parent knows of the result.
    """

    def __init__(self, parent: Connection) -> None:
        self._parent = parent
        self._lock = Lock()

    def tell(self, message: Message) -> None:
        with self._lock:
            self._parent.send(message)

    def begin(self, device: str, notes: Mapping[str, str]) -> None:
        self.tell(("begin", device, dict(notes)))  # a view of a mapping can't travel

    def warn(self, message: Warning | str, *rest: object) -> None:
        """Tell of the cache what the session tells once; print other warnings, as Python does."""
        if isinstance(message, CacheWarning):
            self.tell(("warning", message.kind, str(message)))
        else:
            print(f"warning: {message}", file=sys.stderr)

    def done(self, index: int, result: "ImageResult") -> None:
        self.tell(("done", index, result))

    def progress(self, done: int, planned: int, image: str) -> None:
        self.tell(("progress", done, planned, image))


def _answer(worker: "Worker", request: Request, voice: _Voice) -> object:
    from sr_bench.engine.job import quiet

    work = request[1].with_progress(voice.progress)
    try:
        match request:
            case ("measure", _, indices):  # each result is progress, which the parent counts
                worker.measure(work, indices, begin=voice.begin, done=voice.done, progress=quiet)
            case ("call", _, function, args):
                return worker.call(function, work, *args, progress=voice.progress)
    except SrBenchError as cause:
        return cause
    return None


def _requests(parent: Connection) -> Iterator[Request]:
    with suppress(EOFError):
        while True:
            yield parent.recv()


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """End as by the signal, but close what is open: a device's process, temporary folders."""
    sys.exit(128 + number)


def _end_with_parent() -> None:
    """Have the system end us when the parent is killed, not at our next message to it.

    To be exact, when the thread that started us ends. Only Linux can.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]))
