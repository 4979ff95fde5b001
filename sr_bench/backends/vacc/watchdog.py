"""Run a command that may hang, crash or leave processes behind, and say what became of it."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sr_bench.core.device import Failure
from sr_bench.errors import DeviceError, NotRunError

_LOG_BYTES = 64 * 1024
_POLL_S = 0.02

_OOM_TEXT = "malloc dlc memory"
_OOM_CODES = frozenset({"101021", "500000", *map(str, range(500040, 500048))})
_FAULT_CODES = re.compile(r"803\d{3}|50008[3-6]")
_CODE = re.compile(r"(?:err(?:or)?[ _]code|\bret)\s*[:=]\s*(\d{5,6})\b")
_HOST_OOM_TEXT = re.compile(r"已中断|^\s*Killed\b", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    returncode: int | None
    """Negative: the signal that ended it; None: it could not be ended."""
    timed_out: bool
    """Whether it was still running at its limit, so that we had to end it."""
    log: str
    """The last 64 KiB of its standard output and error together."""
    seconds: float

    @property
    def unkillable(self) -> bool:
        """Whether it still runs, as a process that waits inside a driver may."""
        return self.returncode is None

    def describe(self) -> str:
        """Return how it ended, with its error code and the last lines of its log, if any."""
        return with_tail(self.ending, self.log)

    @property
    def ending(self) -> str:
        """The first part of `describe`: one line without the log."""
        code = error_code(self.log)
        return f"{self._manner()} after {self.seconds:.1f} s" + f", error code {code}" * bool(code)

    def _manner(self) -> str:
        if self.returncode is None:
            return "could not be ended, not even by SIGKILL,"
        if self.timed_out:
            return "was ended at its limit"
        number = _signal_of(self.returncode)
        return f"ended by signal {number}" if number else f"ended with status {self.returncode}"


def run_command(
    argv: Sequence[str],
    *,
    limit_s: float,
    grace_s: float,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Outcome:
    """Run `argv` to its end, or until `limit_s`; leave none of its processes behind.

    At the limit, or when we are interrupted, all its processes get SIGTERM, and `grace_s` later
    SIGKILL; if some survive that for `grace_s` more they are given up.

    Args:
        argv: The command and its arguments.
        limit_s: Seconds that it may take.
        grace_s: Seconds as above.
        log: Where its output goes, a new file; its folder exists.
        cwd: Its working folder; None: ours.
        env: Its environment; None: ours. PYTHONUNBUFFERED is added to it.

    Raises:
        NotRunError: There is no such command.
        DeviceError: It can't be started for another reason.
    """
    start = time.monotonic()
    group = Group(argv, log=log, cwd=cwd, env=env)
    try:
        ended = group.wait(limit_s)
    finally:
        returncode = group.end(grace_s)
    return Outcome(returncode, not ended, read_tail(log), time.monotonic() - start)


class Group:
    """A running command with all the processes that it starts, in a session of their own."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        # Or what it has printed would be lost when it is killed, which may name the cause: in
        # Python programs this holds for native libraries too.
        unbuffered = {**(os.environ if env is None else env), "PYTHONUNBUFFERED": "1"}
        # A file, as native libraries write to the descriptors themselves, and as a pipe that
        # grandchildren keep open never ends.
        with log.open("wb") as output:
            try:
                self._leader = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=cwd,
                    env=unbuffered,
                    pass_fds=pass_fds,
                    start_new_session=True,
                )
            except OSError as error:
                raise _not_started(argv[0], error) from error

    @property
    def pid(self) -> int:
        """The id of the command's process, which is also that of its group and session."""
        return self._leader.pid

    def wait(self, limit_s: float) -> bool:
        """Wait until the command ends, at most `limit_s`; return whether it did."""
        return _until(self._ended, limit_s)

    def end(self, grace_s: float) -> int | None:
        """End all its processes; return the command's status, None if some can't be ended.

        A command that has ended by itself keeps its status; what it left running is killed.
        """
        try:
            if not self._ended():
                self._signal(signal.SIGTERM)
                self.wait(grace_s)
        finally:
            # Its id stays its own until it is reaped, below, so this can't hit a stranger.
            self._signal(signal.SIGKILL)
            gone = _until(self._killed, grace_s)
        return self._leader.wait() if gone else None

    def _ended(self) -> bool:
        if self._leader.returncode is not None:
            return True
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, options) is not None

    def _signal(self, number: signal.Signals) -> None:
        if self._leader.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _killed(self) -> bool:
        """Kill what has left the group, but not the session; return whether nothing is left."""
        alive = _session_members(self.pid) if self._leader.returncode is None else []
        for pid in alive:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        return not alive and self._ended()


def classify(outcome: Outcome, *, otherwise: Failure = Failure.ERROR) -> Failure | None:
    """Return the class of a command's failure, None if it ended well; `otherwise` if unknown.

    Too little memory on the device comes first: it is the cause of what follows, which some
    runtimes show as a hang.
    """
    if outcome.returncode == 0 and not outcome.timed_out:
        return None
    code = error_code(outcome.log)
    if _OOM_TEXT in outcome.log or code in _OOM_CODES:
        return Failure.DEVICE_OOM
    if outcome.timed_out or outcome.returncode is None:
        return Failure.TIMEOUT
    number = _signal_of(outcome.returncode)
    if number == signal.SIGKILL or _HOST_OOM_TEXT.search(outcome.log):
        return Failure.HOST_OOM
    if number:
        return Failure.CRASHED
    return Failure.DEVICE_FAULT if _FAULT_CODES.fullmatch(code) else otherwise


def error_code(text: str) -> str:
    """Return the first error code that a message of the SDK holds, such as ``803012``, or ""."""
    found = _CODE.search(text)
    return found[1] if found else ""


def with_tail(text: str, log: str) -> str:
    """Return `text` with the last lines of `log`, if there are any."""
    lines = [line for line in log.splitlines() if line.strip()][-8:]
    return "\n  | ".join([f"{text}; its last output:", *lines]) if lines else text


def read_tail(log: Path) -> str:
    """Return the last 64 KiB of `log`; empty if there is none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LOG_BYTES))
            return file.read(_LOG_BYTES).decode(errors="replace")
    except FileNotFoundError:
        return ""


@dataclass(frozen=True)
class Process:
    """What identifies a process that runs; zeros if it does not, which includes zombies."""

    session: int = 0
    started: int = 0
    """In ticks since the machine started; tells apart two processes of one id."""


def read_process(pid: int, proc: Path = Path("/proc")) -> Process:
    """Return what `proc` says of a process."""
    try:
        # The name, in parentheses, may itself hold spaces and parentheses.
        fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return Process()
    # proc_pid_stat(5) counts from 1, with the state as the third field.
    return Process() if fields[0] in "ZX" else Process(int(fields[3]), int(fields[19]))


def _not_started(command: str, error: OSError) -> Exception:
    msg = f"can't start {command}: {error.strerror} ({error.filename}); "
    if isinstance(error, FileNotFoundError):
        return NotRunError(msg + "install it, or name the right path in rig.toml")
    return DeviceError(Failure.ERROR, msg + "check that it may be executed on this machine")


def _signal_of(returncode: int) -> int:
    """Return the signal that ended the command, or a shell's that reports it; 0 if none did."""
    if returncode < 0:
        return -returncode
    return returncode - 128 if 128 < returncode < 128 + signal.NSIG else 0


def _until(done: Callable[[], bool], limit_s: float) -> bool:
    deadline = time.monotonic() + limit_s
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _session_members(session: int) -> list[int]:
    """Return the processes of a session that still run; none where there is no /proc."""
    names = [path.parent.name for path in Path("/proc").glob("[0-9]*/stat")]
    return [int(name) for name in names if read_process(int(name)).session == session]
