"""Models are isolated where a device computes or where it is asked, with limits that fit."""

import math

import pytest

from sr_bench.core.backend import BackendInfo, Form
from sr_bench.discovery import load
from sr_bench.engine.elsewhere import open as opened
from sr_bench.engine.elsewhere.child import Child, Limits
from sr_bench.engine.plan.options import Selection

CPU = BackendInfo("onnxruntime", "1", "cpu", emulated=False, note="")
EMULATED = BackendInfo("vacc", "1", "emulated", emulated=True, note="")
CARD = BackendInfo("vacc", "1", "vacc", emulated=False, note="", form=Form.SOURCE)
REPLAY = BackendInfo("replay", "1", "vacc", emulated=False, note="", form=Form.RECORDED)


@pytest.mark.parametrize(
    ("info", "auto"), [(CPU, False), (EMULATED, False), (CARD, True), (REPLAY, False)]
)
def test_only_a_device_is_isolated_unless_asked(
    info: BackendInfo, auto: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Selection().isolates(info) is auto
    assert Selection(isolate="model").isolates(info)
    assert not Selection(isolate="off").isolates(info)
    monkeypatch.setattr("sys.platform", "darwin")
    assert not Selection().isolates(info)


def limits(monkeypatch: pytest.MonkeyPatch, info: BackendInfo, **options: object) -> Limits:
    """Return the limits of a session on a machine with 1000 MiB."""
    monkeypatch.setattr(opened, "machine_bytes", lambda: 1000 * 2**20)
    monkeypatch.setattr(load("sr_bench.backends", "onnxruntime"), "describe", lambda _options: info)
    executor = opened.open_executor(Selection(isolate="model", **options))
    assert isinstance(executor, Child)
    return executor._limits


def test_limits_are_those_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = limits(monkeypatch, CPU, stall_s=7.0, memory_bytes=5)
    assert chosen == Limits(7.0, 5)


def test_limits_that_nobody_asked_for_fit_the_machine_and_the_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert limits(monkeypatch, CPU) == Limits(600.0, 900 * 2**20)
    assert limits(monkeypatch, CARD).stall_s == math.inf
    assert limits(monkeypatch, CPU, workers=3).memory_bytes == 300 * 2**20


def test_a_machine_that_reports_no_memory_has_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    limits(monkeypatch, CPU)
    monkeypatch.setattr(opened, "machine_bytes", lambda: None)
    assert opened.open_executor(Selection(isolate="model"))._limits.memory_bytes is None


def test_without_isolation_this_process_measures() -> None:
    assert opened.open_executor(Selection()) is None
