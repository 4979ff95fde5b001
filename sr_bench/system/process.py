"""Processes that may hang, crash or leave others behind: start them, watch them, end them all."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sr_bench.system.output import Output

_POLL_S = 0.02
_PROC = Path("/proc")


class Group:
    """A running command with all the processes that it starts, in a session of their own.

    Raises:
        OSError: It can't be started.
    """

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
        # A pipe, as native libraries write to the descriptors themselves.
        source, target = os.pipe()
        try:
            self._leader = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=target,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=unbuffered,
                pass_fds=pass_fds,
                start_new_session=True,  # subprocess's own time-out leaves grandchildren alive
            )
        except BaseException:
            os.close(source)
            raise
        finally:
            os.close(target)
        self.output = Output(log, source)
        """What its processes print, with the end of it in the file `log`."""
        self._descendants: Mapping[int, Process] = {}

    @property
    def pid(self) -> int:
        """The id of the command's process, which is also that of its group and session."""
        return self._leader.pid

    def wait(self, limit_s: float) -> bool:
        """Wait until the command ends, at most `limit_s`; return whether it did."""
        return _until(self._ended, limit_s)

    def end(self, grace_s: float) -> int | None:
        """End all its processes; return the command's status, None if some can't be ended.

        They get SIGTERM, and `grace_s` later SIGKILL. A command that has ended by itself keeps
        its status; what it left running is killed.
        """
        try:
            if not self._ended():
                self._descendants = descendants(self.pid)
                self._signal(signal.SIGTERM)
                self.wait(grace_s)
        finally:
            returncode = self.kill(grace_s)
        return returncode

    def kill(self, grace_s: float) -> int | None:
        """Kill all its processes, and return as `end` does after at most `grace_s`."""
        if self._leader.returncode is None:
            # Before they get another parent: some may have a session of their own.
            self._descendants = {**self._descendants, **descendants(self.pid)}
        # Its id is not given to another until it is reaped, below: this can't hit a stranger.
        self._signal(signal.SIGKILL)
        return self._leader.wait() if _until(self._killed, grace_s) else None

    def _ended(self) -> bool:
        if self._leader.returncode is not None:
            return True
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, options) is not None

    def _signal(self, number: signal.Signals) -> None:
        if self._leader.returncode is None:
            with suppress(ProcessLookupError, PermissionError):  # gone, or not ours to end
                os.killpg(self.pid, number)

    def _killed(self) -> bool:
        """Kill what has left the group; return whether nothing is left."""
        members = _session_members(self.pid) if self._leader.returncode is None else []
        strays = [pid for pid, known in self._descendants.items() if read_process(pid) == known]
        alive = {*members, *strays}
        for pid in alive:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        return not alive and self._ended()


@dataclass(frozen=True)
class Process:
    """What identifies a process that runs; zeros if it does not, which includes zombies."""

    session: int = 0
    started: int = 0
    """In ticks since the machine started; differs between two processes of one id."""


def read_process(pid: int, proc: Path = _PROC) -> Process:
    """Return what `proc` says of a process."""
    try:
        # The name, in parentheses, may itself hold spaces and parentheses.
        fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return Process()
    # proc_pid_stat(5) counts from 1, with the state as the third field.
    return Process() if fields[0] in "ZX" else Process(int(fields[3]), int(fields[19]))


def descendants(pid: int) -> Mapping[int, Process]:
    """Return the running processes that `pid` and those below it have started, by their id.

    Those whose parent has ended are missing; where there is no /proc, all are.
    """
    processes = {child: read_process(child) for child in _below(pid)}
    return {child: process for child, process in processes.items() if process != Process()}


def resident_bytes(pid: int) -> int:
    """Return the resident memory of `pid` and its descendants; 0 where there is no /proc.

    What two of them share counts twice.
    """
    pages = 0
    for member in (pid, *_below(pid)):
        with suppress(OSError):
            # proc_pid_statm(5): size, resident, shared ..., in pages.
            pages += int((_PROC / str(member) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def out_of_memory_kills(proc: Path = _PROC, root: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how often the system has killed a process of our control group for its memory.

    0 where that can't be read, which is everywhere but under Linux's cgroup v2.
    """
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
        group = next(line.removeprefix("0::/") for line in lines if line.startswith("0::/"))
        events = (root / group / "memory.events").read_text().splitlines()
        return int(dict(line.split() for line in events)["oom_kill"])
    except (OSError, StopIteration, ValueError, KeyError):
        return 0


def signal_of(returncode: int) -> int:
    """Return the signal that ended a command, or a shell's that reports it; 0 if none did."""
    if returncode < 0:
        return -returncode
    return returncode - 128 if 128 < returncode < 128 + signal.NSIG else 0


def _below(pid: int) -> Iterator[int]:
    for path in _PROC.glob(f"{pid}/task/*/children"):
        with suppress(OSError):
            for child in map(int, path.read_text().split()):
                yield child
                yield from _below(child)


def _until(done: Callable[[], bool], limit_s: float) -> bool:
    deadline = time.monotonic() + limit_s
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _session_members(session: int) -> list[int]:
    """Return the processes of a session that still run; none where there is no /proc."""
    names = [path.parent.name for path in _PROC.glob("[0-9]*/stat")]
    return [int(name) for name in names if read_process(int(name)).session == session]
