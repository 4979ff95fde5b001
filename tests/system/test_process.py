"""Processes end with all that they started, and their last output can be shown."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sr_bench.system.output import read_tail
from sr_bench.system.process import (
    Group,
    Process,
    descendants,
    out_of_memory_kills,
    read_process,
    resident_bytes,
    signal_of,
)

# Prints the id of a process in a session of its own, which it waits for.
_BELOW = (
    "import subprocess\n"
    "below = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
    "print(below.pid, flush=True)\n"
    "below.wait()"
)
_DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Group]]:
    groups = []

    def start(code: str) -> Group:
        groups.append(Group([sys.executable, "-c", code], log=tmp_path / "log"))
        _await(lambda: read_tail(tmp_path / "log").endswith("\n"))
        return groups[-1]

    yield start
    for group in groups:
        group.kill(20.0)


@pytest.mark.parametrize(
    ("code", "end", "status"),
    [
        (_BELOW, lambda group: group.end(20.0), -signal.SIGTERM),
        (_DEAF + _BELOW, lambda group: group.end(1.0), -signal.SIGKILL),
        (_BELOW, lambda group: group.kill(20.0), -signal.SIGKILL),
    ],
    ids=["asked", "asked-in-vain", "killed"],
)
def test_a_process_below_in_a_session_of_its_own_is_ended_too(
    start: Callable[[str], Group],
    tmp_path: Path,
    code: str,
    end: Callable[[Group], int | None],
    status: int,
) -> None:
    group = start(code)
    below = int(read_tail(tmp_path / "log"))
    assert set(descendants(group.pid)) == {below}
    assert end(group) == status
    assert read_process(below) == Process()
    assert descendants(group.pid) == {}


def test_memory_counts_what_is_resident_in_all_that_runs_below(
    start: Callable[[str], Group],
) -> None:
    size, reserved = 2**26, 2**33
    code = f"kept = b'x' * {size}; import mmap; more = mmap.mmap(-1, {reserved}); print(); input()"
    for _ in range(2):
        code = (
            "import subprocess, sys\n"
            f"subprocess.Popen([sys.executable, '-c', {code!r}], stdin=subprocess.PIPE).wait()"
        )
    group = start(code)
    below, lowest = sorted(descendants(group.pid))
    assert resident_bytes(group.pid) > resident_bytes(below) > resident_bytes(lowest) > size
    assert resident_bytes(group.pid) < reserved
    group.kill(20.0)
    assert resident_bytes(group.pid) == 0


def test_a_process_below_that_ended_unnoticed_is_not_waited_for(
    start: Callable[[str], Group], tmp_path: Path
) -> None:
    code = "import os, signal\npid = os.fork()\nif not pid: os._exit(0)\n"
    group = start(code + "os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)\n"
                  "print(pid, flush=True)\nsignal.pause()")  # fmt: skip
    assert int(read_tail(tmp_path / "log")) not in descendants(group.pid)
    assert group.kill(20.0) == -signal.SIGKILL


def test_a_log_can_be_emptied_meanwhile(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = (
        "import signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})\n"
        "for word in ('before', 'after'): print(word); signal.sigwait({signal.SIGUSR1})"
    )
    group = Group([sys.executable, "-c", code], log=log)
    _await(lambda: log.read_text() == "before\n")
    os.truncate(log, 0)
    os.kill(group.pid, signal.SIGUSR1)
    _await(lambda: log.read_text() == "after\n")
    group.kill(20.0)


@pytest.mark.parametrize(
    ("cgroup", "events", "kills"),
    [
        ("0::/job\n", "low 0\noom 3\noom_kill 2\n", 2),
        ("1:name=systemd:/\n0::/job\n", "oom_kill 2\n", 2),
        ("4:memory:/job\n", "oom_kill 2\n", 0),
        ("0::/elsewhere\n", "oom_kill 2\n", 0),
        ("0::/job\n", "low 0\n", 0),
        ("0::/job\n", "oom_kill many\n", 0),
    ],
    ids=["v2", "both", "v1", "not-readable", "no-entry", "no-number"],
)
def test_kills_for_memory_are_read_where_the_system_counts_them(
    tmp_path: Path, cgroup: str, events: str, kills: int
) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text(cgroup)
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "memory.events").write_text(events)
    assert out_of_memory_kills(tmp_path, tmp_path) == kills


@pytest.mark.parametrize(("status", "number"), [(-11, 11), (139, 11), (0, 0), (3, 0), (128, 0)])
def test_a_status_names_the_signal(status: int, number: int) -> None:
    assert signal_of(status) == number


def test_a_command_that_is_absent_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-command"):
        Group(["no-such-command"], log=tmp_path / "log")


def test_a_process_that_has_ended_is_not_a_process() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert read_process(ended.pid) == Process()
    assert read_process(os.getpid()) != Process()
