"""Run a command that may hang, crash or leave processes behind, and say what became of it."""

import re
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sr_bench.core.device import Failure
from sr_bench.errors import DeviceError, NotRunError
from sr_bench.system.output import with_tail
from sr_bench.system.process import Group, signal_of

_OOM_TEXT = "malloc dlc memory"  # in published logs of runs that looked like a time-out
_OOM_CODES = frozenset({"101021", "500000", *map(str, range(500040, 500048))})  # failed allocations
_FAULT_CODES = re.compile(r"803\d{3}|50008[3-6]")  # of the card's MCU; of loading or running
_CODE = re.compile(r"(?:err(?:or)?[ _]code|\bret)\s*[:=]\s*(\d{5,6})\b")  # as public logs spell it
# A shell says so, in Chinese in published logs, when the system kills for want of memory.
_HOST_OOM_TEXT = re.compile(r"已中断|^\s*Killed\b", re.MULTILINE)


@dataclass(frozen=True)
class CommandResult:
    """How a command ended."""

    returncode: int | None
    """Negative: the signal that ended it; None: it still runs, as one inside a driver may."""
    timed_out: bool
    """Whether it was still running at its limit, so that we had to end it."""
    log: str
    """The last 64 KiB of its standard output and error together."""
    seconds: float

    def describe(self) -> str:
        """Return how it ended, with its error code and the last lines of its log, if any."""
        return with_tail(self.ending, self.log)

    @property
    def ending(self) -> str:
        """The first part of `describe`: one line without the log."""
        if self.returncode is None:
            manner = "could not be ended, not even by SIGKILL,"
        elif self.timed_out:
            manner = "was ended at its limit"
        elif number := signal_of(self.returncode):
            manner = f"ended by signal {number}"
        else:
            manner = f"ended with status {self.returncode}"
        code = error_code(self.log)
        return f"{manner} after {self.seconds:.1f} s" + f", error code {code}" * bool(code)


def run_command(
    argv: Sequence[str],
    *,
    limit_s: float,
    grace_s: float,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> CommandResult:
    """Run `argv` to its end, or for at most `limit_s` seconds; leave none of its processes behind.

    At the limit, or when we are interrupted, all its processes get SIGTERM, and `grace_s` seconds
    later SIGKILL; if some survive that for `grace_s` more they are given up. Its output goes to the
    new file `log`. PYTHONUNBUFFERED is added to its environment.

    Raises:
        NotRunError: There is no such command.
        DeviceError: It can't be started for another reason.
    """
    began = time.monotonic()
    group = start(argv, log=log, cwd=cwd, env=env)
    try:
        ended = group.wait(limit_s)
    finally:
        returncode = group.end(grace_s)
    return CommandResult(returncode, not ended, group.output.tail(), time.monotonic() - began)


def start(
    argv: Sequence[str],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> Group:
    """Start `argv`; the arguments are those of `Group`.

    Raises:
        NotRunError: There is no such command.
        DeviceError: It can't be started for another reason.
    """
    try:
        return Group(argv, log=log, cwd=cwd, env=env, pass_fds=pass_fds)
    except OSError as error:
        msg = f"can't start {argv[0]}: {error.strerror} ({error.filename}); "
        if isinstance(error, FileNotFoundError):
            raise NotRunError(msg + "install it, or set its path in rig.toml") from error
        msg += "check that it may be executed on this machine"
        raise DeviceError(Failure.ERROR, msg) from error


def classify(outcome: CommandResult, *, otherwise: Failure = Failure.ERROR) -> Failure | None:
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
    number = signal_of(outcome.returncode)
    if number == signal.SIGKILL or _HOST_OOM_TEXT.search(outcome.log):
        return Failure.HOST_OOM
    if number:
        return Failure.CRASHED
    return Failure.DEVICE_FAULT if _FAULT_CODES.fullmatch(code) else otherwise


def error_code(text: str) -> str:
    """Return the first error code that a message of the SDK holds, such as ``803012``, or ""."""
    match = _CODE.search(text)
    return match[1] if match else ""
