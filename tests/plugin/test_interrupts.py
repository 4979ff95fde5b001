"""SIGTERM and SIGHUP end a session with its reports; what killed sessions left goes later."""

import json
import os
import signal
import tempfile
from pathlib import Path

import pytest

from sr_bench.files import temporary
from sr_bench.plugin.interrupts import Interrupts
from tests.tiny_zoo import Zoo

_SIGNALS = [signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", _SIGNALS)
def test_a_signal_interrupts_once_and_its_handler_is_given_back(number: signal.Signals) -> None:
    interrupts = Interrupts()
    interrupts.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        for later in _SIGNALS:
            os.kill(os.getpid(), later)
    finally:
        interrupts.stop()
    assert [signal.getsignal(each) for each in _SIGNALS] == [signal.SIG_DFL] * 2


@pytest.mark.parametrize("other", [signal.SIG_IGN, lambda *_: None])
def test_who_ignores_or_handles_a_signal_goes_on_doing_so(other: signal.Handlers) -> None:
    before = signal.signal(signal.SIGHUP, other)
    interrupts = Interrupts()
    try:
        interrupts.start()
        os.kill(os.getpid(), signal.SIGHUP)
        interrupts.stop()
        assert signal.getsignal(signal.SIGHUP) is other
    finally:
        signal.signal(signal.SIGHUP, before)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_while_reports_are_written_nothing_is_cut_off() -> None:
    interrupts = Interrupts()
    interrupts.start()
    try:
        interrupts.wait()
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        interrupts.stop()


def test_what_was_measured_before_a_signal_is_reported(pytester: pytest.Pytester, zoo: Zoo) -> None:
    pytester.makeconftest(
        "import os, signal\n"
        "def pytest_runtest_setup(item):\n"
        "    if 'ssim' in item.name:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    result = pytester.runpytest_inprocess(
        "my_zoo", f"--sr-data={zoo.data}", "--sr-precision=fp32", no_reraise_ctrlc=True
    )
    assert result.ret == pytest.ExitCode.INTERRUPTED
    stopped = "stopped early: 1 of 4 numbers not reached"
    result.stdout.fnmatch_lines(["tiny_x2 *", "*match*", stopped, "*KeyboardInterrupt*"])
    latest = json.loads((pytester.path / "reports" / "latest.json").read_text())
    assert {record["metric"] for record in latest["records"]} >= {"psnr"}
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_session_removes_what_a_killed_one_left(
    run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(pytester.path))
    with monkeypatch.context() as patch:
        patch.setattr(temporary, "_own", lambda: (2**22 + 1, 1))
        folder = Path(tempfile.mkdtemp(prefix=f"sr-bench-{temporary._owner()}"))
        half = [temporary.temporary_beside(pytester.path / place) for place in _HALF]
        for file in half:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    run("-k", "params")
    assert [path for path in (folder, *half) if path.exists()] == []


_HALF = (
    "cache/results/ab/x.jsonl",
    "cache/results/costs/x.json",
    "cache/onnx/x.onnx",
    "reports/latest.json",
)
