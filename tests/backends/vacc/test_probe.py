"""Each state between here and a card is distinguished, whatever the SDK does."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from sr_bench.backends.vacc.probe import Probe, SdkState, probe
from sr_bench.backends.vacc.rig import Rig

Plan = Callable[..., None]

# The package shows the function of this name, not the module.
probe_module = import_module("sr_bench.backends.vacc.probe")


@pytest.fixture
def probed(
    tmp_path: Path, vacc_rig: Rig, fake_vsx: Plan, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Probe]:
    """Return a function that probes a healthy machine but for what its arguments break."""
    spec = ModuleSpec("vaststreamx", None)
    monkeypatch.setattr(probe_module, "find_spec", lambda _: spec)

    def probe_(
        behaviour: str = "",
        *,
        modules: str = "vastai_pci 1 0\n",
        node: str = "vastai0_ctl",
    ) -> Probe:
        if behaviour:
            fake_vsx(every=behaviour)
        proc, dev = tmp_path / "proc", tmp_path / "dev"
        proc.mkdir()
        dev.mkdir()
        (proc / "modules").write_text(modules)
        (dev / node).touch()
        (dev / "other0_version").write_text("x")
        if node.startswith("vastai"):
            (dev / "vastai0_version").write_text("d3_3_v2_7\nbuilt today\n")
        return probe(vacc_rig, proc=proc, dev=dev)

    return probe_


def test_without_the_sdk_no_process_is_started(
    vacc_rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe_module, "run_command", None)
    result = probe(vacc_rig)
    assert result.state is SdkState.NO_SDK
    assert "vaststreamx is not installed; install it, or set python in" in result.reason


def test_another_interpreter_without_the_sdk_is_asked(
    vacc_rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe_module, "find_spec", lambda _: ModuleSpec("vaststreamx", None))
    result = probe(vacc_rig)
    assert (result.state, result.dies) == (SdkState.NO_SDK, 0)


def test_an_absent_interpreter_has_no_sdk(vacc_rig: Rig) -> None:
    result = probe(replace(vacc_rig, python="no-such-python"))
    assert result.state is SdkState.NO_SDK
    assert "can't start no-such-python" in result.reason


def test_an_interpreter_that_can_not_run_the_worker_is_broken(vacc_rig: Rig) -> None:
    result = probe(replace(vacc_rig, python="false"))
    assert result.state is SdkState.SDK_BROKEN
    assert "the process ended with status 1" in result.reason


def test_a_card_that_passes_every_step_is_ready(probed: Callable[..., Probe]) -> None:
    result = probed()
    assert result == Probe(SdkState.READY, "", "", "FAKE-16G", 2, "d3_3_v2_7 built today")


@pytest.mark.parametrize("node", ["vacc0", "vatools"])
def test_other_device_nodes_are_accepted(probed: Callable[..., Probe], node: str) -> None:
    result = probed(node=node)
    assert (result.state, result.driver) == (SdkState.READY, "")


@pytest.mark.parametrize(
    ("behaviour", "state", "words"),
    [
        ("broken@import", SdkState.SDK_BROKEN, "import: ImportError: libvaccrt.so"),
        ("segfault@import", SdkState.SDK_BROKEN, "import: the process ended by signal 11"),
        ("700004@set_device", SdkState.NO_DEVICE, "device: set_device(0) failed, err code: 700004"),
        ("fault@set_device", SdkState.NO_DEVICE, "device: Exception: run err"),
        ("segfault@set_device", SdkState.NO_DEVICE, "device: the process ended by signal 11"),
        ("none@cards", SdkState.NO_DEVICE, "cards: get_all_cards_count() returned 0"),
    ],
)
def test_a_step_that_fails_is_named(
    probed: Callable[..., Probe], behaviour: str, state: SdkState, words: str
) -> None:
    result = probed(behaviour)
    assert result.state is state
    assert words in result.reason
    assert "; " in result.reason, "and what to do"


@pytest.mark.parametrize(
    ("call", "state"), [("import", SdkState.SDK_BROKEN), ("set_device", SdkState.NO_DEVICE)]
)
def test_a_step_that_hangs_is_ended_and_named(
    probed: Callable[..., Probe],
    vacc_rig: Rig,
    given_up: list[float],
    call: str,
    state: SdkState,
) -> None:
    result = probed(f"hang@{call}")
    assert result.state is state
    assert "was ended at its limit after " in result.reason
    assert given_up == [vacc_rig.limits.probe_s]


def test_no_driver_is_found_before_the_card_is_touched(probed: Callable[..., Probe]) -> None:
    result = probed("segfault@set_device", modules="nvme 1 0\n")
    assert result.state is SdkState.NO_DRIVER
    assert "no kernel module vastai_pci in" in result.reason


def test_no_node_is_found_before_the_card_is_touched(probed: Callable[..., Probe]) -> None:
    result = probed("segfault@set_device", node="nvidia0")
    assert result.state is SdkState.NO_DEVICE
    assert "no vastai*, vacc* or vatools in" in result.reason
