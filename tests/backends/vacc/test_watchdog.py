"""A command is ended at its limit with all its processes, and its failure gets its class."""

import signal
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from sr_bench.backends.vacc.watchdog import CommandResult, classify, error_code, run_command, start
from sr_bench.core.device import Failure
from sr_bench.errors import DeviceError, NotRunError
from sr_bench.system import process

_CHILD = "import subprocess, sys; subprocess.Popen(['sleep', '{seconds}']{options})"
# PyDLL keeps the interpreter's lock, so that no signal handler of Python can run.
_HANG_WITH_LOCK = "import ctypes; ctypes.PyDLL(None).sleep(600)"
_SLEEP = "import time; time.sleep(600)"


@pytest.fixture
def seconds() -> str:
    """Return how long a process sleeps: a long time, which no other process has."""
    return f"600.{uuid4().int}"


def _run(
    tmp_path: Path, code: str, *, limit_s: float = 60.0, grace_s: float = 20.0
) -> CommandResult:
    argv = [sys.executable, "-c", code]
    return run_command(argv, limit_s=limit_s, grace_s=grace_s, log=tmp_path / "log")


def _running(*words: str) -> bool:
    """Return whether a process with exactly these arguments runs; zombies have none."""
    wanted = "".join(f"{word}\0" for word in words).encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == wanted:
                return True
        except OSError:
            continue
    return False


def test_output_of_both_streams_and_the_status_are_kept(tmp_path: Path) -> None:
    outcome = _run(
        tmp_path, "import os, sys; os.write(1, b'a\\n'); os.write(2, b'b\\n'); sys.exit(3)"
    )
    assert (outcome.returncode, outcome.timed_out, outcome.log) == (3, False, "a\nb\n")
    assert classify(outcome) is Failure.ERROR


def test_the_working_folder_and_the_environment_are_as_asked(tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), os.environ.get('WORD'))"
    argv = [sys.executable, "-c", code]
    outcome = run_command(
        argv, limit_s=60, grace_s=20, log=tmp_path / "log", cwd=tmp_path, env={"WORD": "yes"}
    )
    assert outcome.log.split() == [str(tmp_path), "yes"]
    assert classify(outcome) is None


def test_only_the_end_of_a_long_log_is_returned_and_all_of_it_is_kept(tmp_path: Path) -> None:
    outcome = _run(tmp_path, "print('x' * 100_000); print('end')")
    assert outcome.log.startswith("[34469 bytes left out]\nx")
    assert outcome.log.endswith("end\n")
    assert (tmp_path / "log").stat().st_size == 100_005


@pytest.mark.parametrize(
    ("code", "at_sigterm", "grace_s", "status"),
    [
        pytest.param(_HANG_WITH_LOCK, signal.SIG_DFL, 20.0, -signal.SIGTERM, id="holding-the-lock"),
        # A child inherits that a signal is ignored: it is deaf from its first moment.
        pytest.param(_SLEEP, signal.SIG_IGN, 1.0, -signal.SIGKILL, id="ignoring-sigterm"),
    ],
)
def test_a_hang_is_ended_at_its_limit(
    tmp_path: Path, code: str, at_sigterm: signal.Handlers, grace_s: float, status: int
) -> None:
    before = signal.signal(signal.SIGTERM, at_sigterm)
    try:
        outcome = _run(tmp_path, code, limit_s=0.3, grace_s=grace_s)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (outcome.timed_out, outcome.returncode) == (True, status)
    assert classify(outcome) is Failure.TIMEOUT
    assert not _running(sys.executable, "-c", code)


@pytest.mark.parametrize(
    "options", ["", ", process_group=0"], ids=["of-the-group", "left-the-group"]
)
def test_grandchildren_do_not_outlive_a_normal_end(
    tmp_path: Path, options: str, seconds: str
) -> None:
    outcome = _run(tmp_path, _CHILD.format(seconds=seconds, options=options))
    assert outcome.returncode == 0
    assert not _running("sleep", seconds)


def test_grandchildren_do_not_outlive_the_limit(tmp_path: Path, seconds: str) -> None:
    code = _CHILD.format(seconds=seconds, options="") + ".wait()"
    assert _run(tmp_path, code, limit_s=0.7).timed_out
    assert not _running("sleep", seconds)


def test_an_interrupt_ends_the_command_too(
    tmp_path: Path, seconds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    argv = ["sleep", seconds]

    def interrupt(_group: process.Group, _limit_s: float) -> bool:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(process.Group, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_command(argv, limit_s=60, grace_s=20, log=tmp_path / "log")
    assert not _running(*argv)


def test_what_even_sigkill_does_not_end_is_given_up(
    tmp_path: Path, seconds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    argv = ["sleep", seconds]
    group = start(argv, log=tmp_path / "log")
    with monkeypatch.context() as patch:  # as a process that waits inside a driver
        patch.setattr(process.os, "killpg", lambda *_: None)
        patch.setattr(process.os, "kill", lambda *_: None)
        assert group.end(0.1) is None
    assert _running(*argv)
    assert group.end(20.0) == -signal.SIGTERM
    assert group.end(20.0) == -signal.SIGTERM, "a second call does nothing"
    outcome = CommandResult(None, True, "", 0.3)
    assert classify(outcome) is Failure.TIMEOUT
    assert "SIGKILL" in outcome.describe()


def test_an_absent_command_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(NotRunError, match=r"no-such-vamc.*rig\.toml"):
        run_command(["no-such-vamc"], limit_s=1, grace_s=1, log=tmp_path / "log")


def test_a_command_that_may_not_be_executed_says_so(tmp_path: Path) -> None:
    (tmp_path / "vamc").write_text("text")
    (tmp_path / "vamc").chmod(0o755)
    with pytest.raises(DeviceError, match="Exec format error"):
        run_command([str(tmp_path / "vamc")], limit_s=1, grace_s=1, log=tmp_path / "log")


@pytest.mark.parametrize(
    ("returncode", "timed_out", "log", "failure"),
    [
        (0, False, "err code: 803012", None),
        (0, True, "", Failure.TIMEOUT),
        (-15, True, "malloc dlc memory faild, flag:1", Failure.DEVICE_OOM),
        (None, True, "malloc dlc memory faild, flag:1", Failure.DEVICE_OOM),
        (1, False, "vacl_x error, ret: 500040.", Failure.DEVICE_OOM),
        (1, False, "vacm_x error, ret: 101021.", Failure.DEVICE_OOM),
        (1, False, "processed 500040 images", Failure.ERROR),
        (-11, False, "", Failure.CRASHED),
        (139, False, "Segmentation fault", Failure.CRASHED),
        (-9, False, "", Failure.HOST_OOM),
        (137, False, "", Failure.HOST_OOM),
        (1, False, "vamc: 已中断", Failure.HOST_OOM),
        (1, False, "a\nKilled\n", Failure.HOST_OOM),
        (1, False, "run err, err code: 803012, vafwER_MCU_ERROR_LMCU0", Failure.DEVICE_FAULT),
        (1, False, "vart_x error, ret: 500084.", Failure.DEVICE_FAULT),
        (1, False, "vart_x error, ret: 500095.", Failure.ERROR),
        (1, False, "TVMError: x", Failure.ERROR),
    ],
)
def test_a_command_that_failed_is_classified(
    returncode: int | None, timed_out: bool, log: str, failure: Failure | None
) -> None:
    assert classify(CommandResult(returncode, timed_out, log, 1.0)) is failure


def test_the_class_of_an_unknown_failure_is_the_callers() -> None:
    outcome = CommandResult(1, False, "TVMError: x", 1.0)
    assert classify(outcome, otherwise=Failure.COMPILE_FAILED) is Failure.COMPILE_FAILED


def test_a_description_has_the_code_and_the_last_lines() -> None:
    text = CommandResult(-11, False, "first\n" * 20 + "err code: 803012\n", 2.5).describe()
    assert text.startswith("ended by signal 11 after 2.5 s, error code 803012; its last output:")
    assert text.count("first") == 14
    assert error_code("nothing") == ""
