"""Processes exclude each other on a die; what a restart or a stuck worker leaves is remembered."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sr_bench.backends.vacc.run.state import DeviceState
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, NotRunError, SrBenchError

_HOLD = """
import sys
from pathlib import Path
from sr_bench.backends.vacc.run.state import DeviceState
with DeviceState(Path(sys.argv[1])).die(int(sys.argv[2]), wait_s=0, settle_s=0):
    print("held", flush=True)
    sys.stdin.read()
"""
_BEGIN = """
import os, sys
from pathlib import Path
from sr_bench.backends.vacc.run.state import DeviceState
from sr_bench.core.precision import Precision
DeviceState(Path(sys.argv[1])).begin("edsr/x2", Precision.FP16, "2.8", 0, int(sys.argv[2]))
"""


@pytest.fixture
def device_state(tmp_path: Path) -> DeviceState:
    return DeviceState(tmp_path / "state")


def _after_restart(state: DeviceState, tmp_path: Path) -> DeviceState:
    """Return the same notes as seen after a restart: another boot id, none of the processes."""
    boot = tmp_path / "proc/sys/kernel/random/boot_id"
    boot.parent.mkdir(parents=True)
    boot.write_text("00000000-1111-2222-3333-444444444444\n")
    return DeviceState(state.folder, tmp_path / "proc")


def _begin(state: DeviceState, name: str = "edsr/x2", pid: int | None = None) -> Path:
    return state.begin(name, Precision.FP16, "2.8", 0, pid or os.getpid())


def _python(code: str, state: DeviceState, argument: int) -> list[str]:
    return [sys.executable, "-c", code, str(state.folder), str(argument)]


def _take(state: DeviceState, device: int = 0) -> None:
    with state.die(device, wait_s=0, settle_s=0):
        pass


def test_two_processes_exclude_each_other_on_one_die(device_state: DeviceState) -> None:
    argv = _python(_HOLD, device_state, 0)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(NotRunError, match="die 0 has been used by another process for 0 s"):
            _take(device_state)
        _take(device_state, device=1)
        timer = threading.Timer(0.2, other.stdin.close)
        timer.start()
        with device_state.die(0, wait_s=60, settle_s=0):
            timer.join()
    assert other.returncode == 0


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SrBenchError, match=r"cannot lock .*die-0\.lock"):
        _take(DeviceState(tmp_path / "file"))


def test_the_lock_of_a_killed_process_is_free(device_state: DeviceState) -> None:
    argv = _python(_HOLD, device_state, 0)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        other.kill()
    _take(device_state)


def test_one_process_may_hold_a_die_from_several_threads(device_state: DeviceState) -> None:
    barrier = threading.Barrier(8, timeout=60)
    errors: list[BaseException] = []

    def hold() -> None:
        try:
            for _ in range(20):
                with device_state.die(0, wait_s=60, settle_s=0):
                    barrier.wait()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=hold) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    argv = _python(_HOLD, device_state, 0)
    result = subprocess.run(argv, input=b"", capture_output=True, timeout=60, check=False)
    assert result.stdout == b"held\n", "and leaves it to others afterwards"


def test_a_restart_while_a_model_runs_quarantines_it_until_cleared(
    device_state: DeviceState, tmp_path: Path
) -> None:
    _begin(device_state)
    assert device_state.quarantined("edsr/x2", Precision.FP16, "2.8") == ""
    later = _after_restart(device_state, tmp_path)
    reason = later.quarantined("edsr/x2", Precision.FP16, "2.8")
    assert "restarted while edsr/x2 fp16 ran on die 0" in reason
    assert "sr-bench vacc clear 'edsr/x2'" in reason
    assert later.quarantined("edsr/x2", Precision("int8_kl"), "2.8") == ""
    assert later.quarantined("edsr/x2", Precision.FP16, "2.9") == ""
    assert later.quarantined("edsr/x3", Precision.FP16, "2.8") == ""
    _take(later)
    assert later.clear("rcan/*") == []
    assert later.clear("edsr/*") == ["edsr/x2 fp16"]
    assert later.quarantined("edsr/x2", Precision.FP16, "2.8") == ""


def test_an_entry_is_on_disk_before_the_die_is_used(
    device_state: DeviceState, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    flush = os.fsync

    def spy(descriptor: int) -> None:
        flush(descriptor)
        flushed.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")

    monkeypatch.setattr("os.fsync", spy)
    _begin(device_state)
    assert (flushed[0], flushed[-1]) == ("file", "folder")


def test_a_restart_after_a_model_has_run_does_not(
    device_state: DeviceState, tmp_path: Path
) -> None:
    device_state.finish(_begin(device_state))
    later = _after_restart(device_state, tmp_path)
    assert later.quarantined("edsr/x2", Precision.FP16, "2.8") == ""


def test_what_another_machine_left_in_a_shared_cache_is_not_judged(
    device_state: DeviceState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _begin(device_state)
    later = _after_restart(device_state, tmp_path)
    monkeypatch.setattr("sr_bench.backends.vacc.run.state.platform.node", lambda: "elsewhere")
    assert later.quarantined("edsr/x2", Precision.FP16, "2.8") == ""
    assert later.clear("*") == []
    _take(later)
    assert path.is_file()


def test_the_entry_of_a_process_that_has_simply_gone_is_removed(device_state: DeviceState) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    path = _begin(device_state, pid=ended.pid)
    assert device_state.quarantined("edsr/x2", Precision.FP16, "2.8") == ""
    assert not path.exists()


def test_a_process_that_took_over_the_id_is_another_one(device_state: DeviceState) -> None:
    path = _begin(device_state)
    entry = json.loads(path.read_text())
    path.write_text(json.dumps(entry | {"started": entry["started"] - 1}))
    device_state.quarantined("edsr/x2", Precision.FP16, "2.8")
    assert not path.exists()


def test_a_worker_given_up_keeps_the_die_until_it_has_gone(device_state: DeviceState) -> None:
    with subprocess.Popen(["sleep", "60"]) as stuck:
        path = _begin(device_state, pid=stuck.pid)
        _take(device_state)  # it is looked after
        device_state.give_up(path)
        with pytest.raises(NotRunError, match=rf"kill -9 {stuck.pid}\b.* restart the machine"):
            _take(device_state)
        _take(device_state, device=1)
        stuck.kill()
    _take(device_state)
    assert not path.exists()


def test_a_worker_whose_process_has_gone_is_waited_for(device_state: DeviceState) -> None:
    with subprocess.Popen(["sleep", "60"]) as orphan:
        subprocess.run(_python(_BEGIN, device_state, orphan.pid), check=True)
        with pytest.raises(NotRunError, match="which an earlier run could not end"):
            _take(device_state)
        timer = threading.Timer(0.2, orphan.kill)
        timer.start()
        with device_state.die(0, wait_s=0, settle_s=10):
            timer.join()


def test_a_stuck_worker_quarantines_its_model_after_the_restart(
    device_state: DeviceState, tmp_path: Path
) -> None:
    device_state.give_up(_begin(device_state))
    later = _after_restart(device_state, tmp_path)
    assert later.quarantined("edsr/x2", Precision.FP16, "2.8")
    _take(later)


@pytest.mark.parametrize("text", ["", "{", '{"name": "edsr/x2"}'])
def test_a_damaged_entry_is_named(device_state: DeviceState, text: str) -> None:
    path = _begin(device_state)
    path.write_text(text)
    with pytest.raises(BackendError, match=path.name):
        device_state.quarantined("edsr/x2", Precision.FP16, "2.8")
