"""Answer cases in a process for each model: its crash, hang or hunger fails only its own items."""

import math
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from sr_bench.core.case import Case
from sr_bench.core.device import Failure
from sr_bench.core.record import Record
from sr_bench.engine.bench import Bench
from sr_bench.engine.elsewhere import child_main as isolated_child
from sr_bench.engine.elsewhere.child_main import Message, Request, Setup
from sr_bench.engine.job import Progress
from sr_bench.engine.plan.options import Selection
from sr_bench.errors import DeviceError, SrBenchError
from sr_bench.system.process import (
    Group,
    out_of_memory_kills,
    read_tail,
    resident_bytes,
    signal_of,
    with_tail,
)
from sr_bench.text.printable import printable_line

_TICK_S = 0.2
"""How often memory is looked at, and whether the process still runs."""
_START_S = 120.0
"""Importing libraries says nothing of the model, so that a short limit does not hold for it."""
_GRACE_S = 2.0
_ALONE = "run this item alone"

_Key = tuple[Path, str]
"""By folder too: two zoos may have suites and models of the same names."""


@dataclass(frozen=True)
class Limits:
    """What a model's process may take."""

    stall_s: float = math.inf
    """Seconds without progress: an image that is finished, a step of calibration."""
    memory_bytes: int | None = None
    """Resident memory, with that of the processes that it starts; None: any. Linux only."""


class Isolated:
    """As `Bench`, with one process at a time, which consecutive cases of one model share.

    Args:
        selection: The session's options.
        dataset_folders: As of `Bench`.
        limits: For each process.

    Raises:
        SrBenchError: As of `Bench`.
    """

    def __init__(
        self, selection: Selection, dataset_folders: tuple[Path, ...], limits: Limits
    ) -> None:
        self._bench = Bench(selection, dataset_folders)
        self._setup = (sys.path, selection, dataset_folders)
        self._cases: dict[_Key, list[Case]] = {}
        self._limits = limits
        self._child: _Child | None = None
        self._failed: dict[_Key, DeviceError] = {}

    def announce(self, cases: Sequence[Case]) -> None:
        """Take in what the session will ask for, in its order."""
        for case in cases:
            self._cases.setdefault(_keys(case)[0], []).append(case)

    def evaluate(self, case: Case, node_id: str, progress: Progress) -> Record:
        """Measure and judge `case`; what ends the process becomes the record's verdict.

        A run that has ended its process is not made again for its other metrics.
        """
        start = time.perf_counter()
        try:
            self._bench.check_measurable(case)  # else a process would start only to say so
            return self._asked(case, node_id, progress)
        except SrBenchError as cause:
            return self._bench.failed(case, node_id, cause, time.perf_counter() - start)

    def _asked(self, case: Case, node_id: str, progress: Progress) -> Record:
        """Return what the model's process answers.

        Raises:
            DeviceError: The process ended, now or before.
        """
        model, run = _keys(case)
        if before := self._failed.get(model) or self._failed.get(run):
            again = "failed before, not run again"
            raise before.about(again)
        blamed = model
        try:
            child = self._child_of(model)
            blamed = run
            return child.ask((case, node_id), progress)
        except DeviceError as cause:
            self._failed[blamed] = cause
            self.close()
            raise
        except BaseException:  # its answer would be taken for the next case's
            if self._child:
                self._child.stop()
            self.close()
            raise

    def close(self) -> None:
        """End the process, if one runs."""
        if self._child:
            self._child.close()
        self._child = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _child_of(self, model: _Key) -> "_Child":
        """Return the process of `model`; one that ended between two cases is replaced."""
        if self._child and (self._child.model != model or self._child.has_ended):
            self.close()
        if self._child is None:
            setup = (*self._setup, tuple(self._cases.get(model, ())))
            try:
                self._child = _Child(model, setup, self._limits)
            except OSError as error:
                msg = f"can't start a process for the model: {error}; {_ALONE}"
                raise DeviceError(Failure.ERROR, msg) from error
        return self._child


class _Child:
    """The process of one model, from its start to its end."""

    def __init__(self, model: _Key, setup: Setup, limits: Limits) -> None:
        self.model = model
        self._limits = limits
        self._place = "while it started"
        self._memory_due = 0.0
        self._kills_before = out_of_memory_kills()
        with ExitStack() as held:
            folder = held.enter_context(TemporaryDirectory(prefix="sr-bench-isolated-"))
            self._log = Path(folder, "output")
            self._pipe, theirs = Pipe()
            held.enter_context(self._pipe)
            # -P, or files of the working folder would be imported in place of libraries.
            argv = [sys.executable, "-P", "-m", isolated_child.__name__, str(theirs.fileno())]
            with theirs:
                self._group = Group(argv, log=self._log, pass_fds=[theirs.fileno()])
            held.callback(self.stop)
            refusal = self._answer_to(setup, max(_START_S, limits.stall_s))
            if refusal is not None:
                raise DeviceError(Failure.ERROR, str(refusal))
            self._held = held.pop_all()

    @property
    def has_ended(self) -> bool:
        return self._group.wait(0)

    def ask(self, request: Request, progress: Progress) -> Record:
        """Return the answer to `request`, and pass on the progress until then.

        Raises:
            DeviceError: The process ended, or passed a limit; it has gone.
        """
        self._place = "before any progress"
        os.truncate(self._log, 0)  # what earlier cases printed is not about this one
        message = self._answer_to(request, self._limits.stall_s)
        while isinstance(message, tuple):
            done, planned, image = message
            self._place = f"after {done}/{planned} {printable_line(image)}"
            progress(done, planned, image)
            message = self._next(self._limits.stall_s)
        if not isinstance(message, Record):
            msg = f"expected a record, got {message!r}"
            raise TypeError(msg)
        return message

    def stop(self) -> None:
        """End the process whatever it is doing."""
        self._group.end(_GRACE_S)

    def close(self) -> None:
        """Let the process end by itself, which it does unless it is busy."""
        self._pipe.close()
        self._group.wait(_GRACE_S)
        self._held.close()

    def _answer_to(self, message: Setup | Request, limit_s: float) -> Message:
        try:
            self._pipe.send(message)
        except OSError:
            raise self._died() from None
        return self._next(limit_s)

    def _next(self, limit_s: float) -> Message:
        """Return the next message, which may take `limit_s`."""
        deadline = time.monotonic() + limit_s
        while True:
            self._check_memory()
            left_s = deadline - time.monotonic()
            try:
                if self._pipe.poll(max(0.0, min(_TICK_S, left_s))):
                    message: Message = self._pipe.recv()
                    return message
            except (EOFError, OSError):
                raise self._died() from None
            # A process that it has started may keep the pipe open.
            if self._group.wait(0) and not self._pipe.poll(0):
                raise self._died()
            if left_s <= 0:
                raise self._stalled(limit_s)

    def _check_memory(self) -> None:
        limit, now = self._limits.memory_bytes, time.monotonic()
        if limit is None or now < self._memory_due:
            return
        self._memory_due = now + _TICK_S
        used = resident_bytes(self._group.pid)
        if used > limit:
            self._group.kill(_GRACE_S)
            how = f"was killed at {_mib(used)}, above --sr-memory-limit={_mib(limit)}"
            raise self._failure(Failure.HOST_OOM, how, "raise it where there is more memory")

    def _stalled(self, limit_s: float) -> DeviceError:
        self.stop()
        how = f"was killed as nothing came for {limit_s:g} s (--sr-time-limit)"
        return self._failure(Failure.TIMEOUT, how, "raise it if the model is only slow")

    def _died(self) -> DeviceError:
        """Return how the process ended by itself; its end of the pipe closes a moment before."""
        self._group.wait(_GRACE_S)
        status = self._group.end(_GRACE_S) or 0
        number = signal_of(status)
        if number == signal.SIGKILL:
            known = out_of_memory_kills() > self._kills_before
            why = "as the system was out of memory" if known else "perhaps for its memory"
            how = f"was killed by signal 9, {why}"
            return self._failure(Failure.HOST_OOM, how, f"{_ALONE}, with more memory free")
        if number:
            how = f"was ended by signal {number} ({signal.strsignal(number)})"
            return self._failure(Failure.CRASHED, how, _ALONE)
        return self._failure(Failure.ERROR, f"ended with status {status}", _ALONE)

    def _failure(self, failure: Failure, how: str, what_to_do: str) -> DeviceError:
        if not self.has_ended:
            how += f" but still runs as process {self._group.pid}"
        text = f"the model's process {how}, {self._place}; {what_to_do}"
        return DeviceError(failure, with_tail(text, read_tail(self._log)))


def _keys(case: Case) -> tuple[_Key, _Key]:
    """Return what stands for the model of `case`, and for what is computed once for its like."""
    folder, model = case.card.folder, case.card.id
    return (folder, model), (folder, case.run_key or f"{model}|cost")


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"
