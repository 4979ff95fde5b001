"""Measure in a process for each model: its crash, hang or lack of memory fails only its runs."""

import math
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from typing import TypeVar, cast

from sr_bench.core.backend import BackendInfo
from sr_bench.core.device import Failure
from sr_bench.engine.elsewhere.child_main import Message, Request, Setup, main
from sr_bench.engine.job import Done, Progress, quiet
from sr_bench.engine.measure.worker import Begin, Planned, Work
from sr_bench.engine.plan.options import Selection
from sr_bench.errors import DeviceError, SrBenchError
from sr_bench.files.temporary import temporary_folder
from sr_bench.system.cpu import cpu_model
from sr_bench.system.output import with_tail
from sr_bench.system.process import Group, out_of_memory_kills, resident_bytes, signal_of
from sr_bench.text.printable import printable_line

_TICK_S = 0.2
"""How often memory is looked at, and whether the process still runs."""
_START_S = 120.0
"""Importing libraries says nothing of the model, so that a short limit does not hold for it."""
_GRACE_S = 2.0
_ALONE = "run this item alone"
_MODULE = main.__module__

_Model = tuple[Path, str]
"""By folder too: two zoos may have suites and models of the same names."""

T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """What a model's process may take."""

    stall_s: float = math.inf
    """Seconds without progress: an image that is finished, a step of calibration."""
    memory_bytes: int | None = None
    """Resident memory, with that of the processes that it starts; None: any. Linux only."""


@dataclass(frozen=True)
class _Listener:
    """Who receives what the process reports on one request."""

    progress: Progress
    planned: int = 0
    """Images that were asked for."""
    begin: Begin | None = None
    done: Done | None = None


class Child:
    """As `Worker`, with one process at a time, which consecutive runs of one model share."""

    def __init__(self, selection: Selection, info: BackendInfo, limits: Limits) -> None:
        self.info, self.cpu = info, cpu_model()
        self._setup: Setup = (sys.path, selection)
        self._limits = limits
        self._process: _Process | None = None
        self._unstarted: dict[_Model, DeviceError] = {}

    def start(self, planned: Iterable[Planned]) -> None:
        """Do nothing: the work is done when it is asked for."""

    def measure(
        self, work: Work, indices: Sequence[int], *, begin: Begin, done: Done, progress: Progress
    ) -> None:
        """Measure the images `indices` of `work`; see `Executor`.

        Raises:
            DeviceError: The process ended, or passed a limit.
        """
        listener = _Listener(progress, len(indices), begin, done)
        # Progress is a function of this process, which can't travel.
        self._ask(work, ("measure", work.with_progress(quiet), tuple(indices)), listener)

    def call(self, function: Callable[..., T], work: Work, *args: object, progress: Progress) -> T:
        """Return what `function` gives in the process; see `Executor`."""
        request: Request = ("call", work.with_progress(quiet), function, args)
        return cast("T", self._ask(work, request, _Listener(progress)))

    def close(self) -> None:
        """End the process, if one runs."""
        if self._process:
            self._process.close()
        self._process = None

    def _ask(self, work: Work, request: Request, listener: _Listener) -> object:
        """Return what the model's process answers.

        Raises:
            SrBenchError: It says why there is no answer; a DeviceError if the process ended.
        """
        model = (work.job.card.folder, work.job.card.id)
        try:
            answer = self._process_of(model).ask(request, listener)
        except BaseException:  # or its answer would be taken for that to the next request
            if self._process:
                self._process.stop()
            self.close()
            raise
        if isinstance(answer, SrBenchError):
            raise answer
        return answer

    def _process_of(self, model: _Model) -> "_Process":
        """Return the process of `model`; one that ended between two requests is replaced."""
        if before := self._unstarted.get(model):
            again = "failed before, not run again"
            raise before.about(again)
        if self._process and (self._process.model != model or self._process.has_ended):
            self.close()
        if self._process is None:
            try:
                self._process = _Process(model, self._setup, self._limits)
            except OSError as error:
                msg = f"can't start a process for the model: {error}; {_ALONE}"
                self._unstarted[model] = cause = DeviceError(Failure.ERROR, msg)
                raise cause from error
            except DeviceError as cause:
                self._unstarted[model] = cause
                raise
        return self._process


class _Process:
    """The process of one model, from its start to its end."""

    def __init__(self, model: _Model, setup: Setup, limits: Limits) -> None:
        self.model = model
        self._limits = limits
        self._spare = setup[1].spare
        self._listener = _Listener(quiet)
        self._finished = 0
        self._place = "while it started"
        self._memory_due = 0.0
        self._kills_before = out_of_memory_kills()  # counted for the whole system
        with ExitStack() as held:
            folder = held.enter_context(temporary_folder())
            self._pipe, theirs = Pipe()
            held.enter_context(self._pipe)
            # -P, or files of the working folder would be imported in place of libraries.
            argv = [sys.executable, "-P", "-m", _MODULE, str(theirs.fileno())]
            with theirs:
                self._group = Group(argv, log=Path(folder, "output"), pass_fds=[theirs.fileno()])
            held.callback(self.stop)
            refusal = self._answer_to(setup, max(_START_S, limits.stall_s))
            if refusal is not None:
                raise DeviceError(Failure.ERROR, str(refusal))
            self._held = held.pop_all()

    @property
    def has_ended(self) -> bool:
        return self._group.wait(0)

    def ask(self, request: Request, listener: _Listener) -> object:
        """Return the answer to `request`, or an error, and pass on what is reported until then.

        Raises:
            DeviceError: The process ended, or passed a limit; it has gone.
        """
        self._listener, self._finished = listener, 0
        self._place = "before any progress"
        self._group.output.clear()  # what earlier requests printed is not about this one
        return self._answer_to(request, self._limits.stall_s)

    def stop(self) -> None:
        """End the process whatever it is doing."""
        self._group.end(_GRACE_S)

    def close(self) -> None:
        """Let the process end by itself, which it does unless it is busy."""
        self._pipe.close()  # that is what it waits for
        self._group.wait(_GRACE_S)
        self._held.close()

    def _answer_to(self, request: Setup | Request, limit_s: float) -> object:
        try:
            self._pipe.send(request)
        except OSError:
            raise self._died() from None
        while (message := self._next(limit_s))[0] != "answer":
            self._pass_on(message)
        return message[1]

    def _next(self, limit_s: float) -> Message:
        """Return the next message, which may take `limit_s`."""
        deadline = time.monotonic() + limit_s
        while True:
            self._check_memory()
            left_s = deadline - time.monotonic()
            try:
                # Also when the time is over: what was reported until then counts.
                if self._pipe.poll(max(0.0, min(_TICK_S, left_s))):
                    message: Message = self._pipe.recv()
                    return message
            except (EOFError, OSError):
                raise self._died() from None
            # A process that it has started may keep the pipe open.
            if self._group.wait(0) and not self._pipe.poll(0):
                raise self._died()
            if left_s <= 0:
                self.stop()
                how = f"was killed after no progress for {limit_s:g} s (sr_time_limit)"
                raise self._failure(Failure.TIMEOUT, how, "raise it if the model is only slow")

    def _pass_on(self, message: Message) -> None:
        """Tell the listener, and remember how far the work is."""
        listener = self._listener
        match message:
            case ("begin", device, notes) if listener.begin:
                listener.begin(device, notes)
            case ("done", index, result) if listener.done:
                listener.done(index, result)
                self._finished += 1
                self._reached(self._finished, listener.planned, result.image)
            case ("progress", done, planned, image):
                self._reached(done, planned, image)
            case ("warning", kind, text):
                self._spare.tell(kind, text)

    def _reached(self, done: int, planned: int, image: str) -> None:
        self._place = f"after {done}/{planned} {printable_line(image)}"
        self._listener.progress(done, planned, image)

    def _check_memory(self) -> None:
        limit, now = self._limits.memory_bytes, time.monotonic()
        if limit is None or now < self._memory_due:
            return
        self._memory_due = now + _TICK_S  # a look reads files of each of its processes
        if (used := resident_bytes(self._group.pid)) > limit:
            self._group.kill(_GRACE_S)
            how = f"was killed at {_mib(used)}, above sr_memory_limit={_mib(limit)}"
            raise self._failure(Failure.HOST_OOM, how, "raise it where there is more memory")

    def _died(self) -> DeviceError:
        """Return how the process ended by itself; its end of the pipe closes a moment before."""
        self._group.wait(_GRACE_S)
        status = self._group.end(_GRACE_S) or 0
        number = signal_of(status)
        if number == signal.SIGKILL:
            starved = out_of_memory_kills() > self._kills_before
            why = "as the system was out of memory" if starved else "perhaps for lack of memory"
            how = f"was killed by signal 9, {why}"
            return self._failure(Failure.HOST_OOM, how, f"{_ALONE}, with more memory free")
        if number:
            how = f"was ended by signal {number} ({signal.strsignal(number)})"
            return self._failure(Failure.CRASHED, how, _ALONE)
        return self._failure(Failure.ERROR, f"ended with status {status}", _ALONE)

    def _failure(self, failure: Failure, how: str, what_to_do: str) -> DeviceError:
        if self.has_ended:
            self._drain()  # nothing more will come
        else:
            how += f" but still runs as process {self._group.pid}"
        text = f"the model's process {how}, {self._place}; {what_to_do}"
        return DeviceError(failure, with_tail(text, self._group.output.tail()))

    def _drain(self) -> None:
        """Pass on what the process reported before it ended: results, and how far it got."""
        with suppress(EOFError, OSError):
            while self._pipe.poll(0):
                self._pass_on(self._pipe.recv())


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"
