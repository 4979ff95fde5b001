"""`pytest --backend=vacc` in every state of a rig, with fakes of the card's software."""

import json
import os
import shutil
import stat
import sys
from functools import partial
from pathlib import Path

import pytest

from sr_bench.backends import vacc
from sr_bench.backends.vacc.probe import probe
from sr_bench.backends.vacc.run import session
from tests.backends.vacc.hangs import end_limits_at_hangs
from tests.tiny_zoo import CARD, Zoo

FAKE = Path(__file__).parents[1] / "backends" / "vacc" / "fake"
LIMITS = {"probe_s": 61.0, "open_s": 62.0, "run_s": 63.0, "compile_s": 64.0, "grace_s": 1.0}


class Machine:
    """A simulated host: its kernel modules, its device nodes, and what its SDK does."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch
        self.proc, self.dev = folder / "proc", folder / "dev"
        self.proc.mkdir(parents=True)
        self.dev.mkdir()
        (self.proc / "modules").write_text("vastai_pci 1 0 - Live\n")
        (self.dev / "vastai0_version").write_text("driver 3.3.0\n")
        monkeypatch.setattr(vacc, "probe", partial(probe, proc=self.proc, dev=self.dev))
        monkeypatch.setenv("PYTHONPATH", str(FAKE))
        monkeypatch.setenv("SR_BENCH_RIG", str(folder / "rig.toml"))
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        vacc._probed.cache_clear()
        session._version.cache_clear()
        self.given_up = end_limits_at_hangs(monkeypatch, folder / "hangs")
        self._write_rig()

    def _write_rig(self) -> None:
        # A symlink is another command than ours, so that the probe asks it.
        python = self._folder / "python"
        if not python.exists():
            python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
            python.chmod(python.stat().st_mode | stat.S_IXUSR)
        lines = [f'python = "{python}"', f'vamc = "{FAKE}/bin/vamc"', f'vamp = "{FAKE}/bin/vamp"']
        lines += ["[limits]", *(f"{key} = {value}" for key, value in LIMITS.items())]
        (self._folder / "rig.toml").write_text("\n".join(lines))

    def behave(self, **plans: str) -> None:
        plan = {"*" if name == "every" else name: fault for name, fault in plans.items()}
        self._monkeypatch.setenv("FAKE_VSX", json.dumps(plan))

    def without_sdk(self) -> None:
        self._monkeypatch.setenv("PYTHONPATH", "")

    def without_driver(self) -> None:
        (self.proc / "modules").write_text("")

    def without_nodes(self) -> None:
        shutil.rmtree(self.dev)
        self.dev.mkdir()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    machine = Machine(tmp_path / "host", monkeypatch)
    # The machine is faked in this process: another one would look at the real one.
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest --sr-isolate=off")
    yield machine
    vacc._probed.cache_clear()
    session._version.cache_clear()


STATES = {
    "no-sdk": lambda machine: machine.without_sdk(),
    "sdk-broken": lambda machine: machine.behave(every="broken@import"),
    "no-driver": lambda machine: machine.without_driver(),
    "no-device": lambda machine: machine.without_nodes(),
}


@pytest.mark.parametrize("state", STATES)
def test_without_a_ready_card_the_run_is_an_emulation_and_says_why(
    run, zoo: Zoo, machine: Machine, state: str
) -> None:
    STATES[state](machine)
    result = run("--backend=vacc")
    result.assert_outcomes(passed=4, skipped=1)
    result.stdout.fnmatch_lines(
        [f"backend vacc: EMULATED by onnxruntime, as no card is ready: {state}: *"]
    )
    claim = zoo.records()["tiny_x2-vacc-fp16-pair_x2-psnr"]
    assert (claim["device"], claim["verdict"]["status"]) == ("emulated", "not_run")
    assert claim["verdict"]["measured"] == pytest.approx(zoo.psnr, abs=0.01)


@pytest.mark.parametrize("fault", ["segfault@import", "hang@import", "segfault@set_device"])
def test_a_probe_that_crashes_or_hangs_harms_nothing(
    run, zoo: Zoo, machine: Machine, fault: str
) -> None:
    machine.behave(every=fault)
    result = run("--backend=vacc")
    result.assert_outcomes(passed=4, skipped=1)
    assert machine.given_up == [LIMITS["probe_s"]] * fault.startswith("hang")
    result.stdout.fnmatch_lines(["backend vacc: EMULATED *no card is ready*"])


@pytest.mark.parametrize("state", STATES)
def test_a_required_card_that_is_not_ready_is_an_error(
    run, zoo: Zoo, machine: Machine, state: str
) -> None:
    STATES[state](machine)
    result = run("--backend=vacc", "--sr-device=require")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--sr-device=require, but no card is ready: {state}: *"])


def test_a_ready_card_compiles_runs_and_judges(run, zoo: Zoo, machine: Machine) -> None:
    result = run("--backend=vacc", "--sr-device=require")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["backend vacc: card FAKE-16G, 2 dies, driver *never executed on*"])
    records = zoo.records()
    claim = records["tiny_x2-vacc-fp16-pair_x2-psnr"]
    assert (claim["device"], claim["verdict"]["status"]) == ("vacc", "match")
    assert claim["detail"]["adapter"] == "adapter never executed on VastAI hardware"
    assert {"sdk", "compiler", "compiled", "feed"} <= set(claim["detail"])
    assert records["tiny_x2-fp32-pair_x2-psnr"]["device"] == "cpu"
    report = (zoo.root.parent / "reports" / "tiny.md").read_text()
    assert "adapter never executed on VastAI hardware" in report


def test_a_card_can_be_left_alone(run, zoo: Zoo, machine: Machine) -> None:
    machine.behave(every="segfault@import")  # nothing imports it
    result = run("--backend=vacc", "--sr-device=emulate")
    result.assert_outcomes(passed=4, skipped=1)
    result.stdout.fnmatch_lines(
        ["backend vacc: EMULATED by onnxruntime, as --sr-device=emulate asks"]
    )


def test_a_tensor_feed_equals_an_image_feed(run, zoo: Zoo, machine: Machine) -> None:
    zoo.write_card('[model.vacc]\nfeed = "tensor"\n')
    run("--backend=vacc").assert_outcomes(passed=5)
    assert zoo.records()["tiny_x2-vacc-fp16-pair_x2-psnr"]["detail"]["feed"] == "tensor"


def test_the_second_run_compiles_nothing(
    run, zoo: Zoo, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("--backend=vacc").assert_outcomes(passed=5)
    monkeypatch.setenv("SR_FAKE_VAMC", "fail")
    session._version.cache_clear()
    run("--backend=vacc").assert_outcomes(passed=5)


def test_a_failed_build_is_named_with_its_class(
    run, zoo: Zoo, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SR_FAKE_VAMC", "fail")
    result = run("--backend=vacc")
    result.assert_outcomes(passed=4, failed=1)
    claim = zoo.records()["tiny_x2-vacc-fp16-pair_x2-psnr"]
    assert claim["detail"]["failure"] == "compile-failed"


KNOWN = '[[model.vacc.known_failure]]\nfailure = "device-oom"\nreason = "too large"\n'


def test_a_known_failure_is_expected(run, zoo: Zoo, machine: Machine) -> None:
    zoo.write_card(KNOWN)
    machine.behave(every="oom")
    run("--backend=vacc").assert_outcomes(passed=4, xfailed=1)
    verdict = zoo.records()["tiny_x2-vacc-fp16-pair_x2-psnr"]["verdict"]
    assert (verdict["status"], verdict["sentence"]) == ("known_gap", "device-oom: too large")


def test_another_failure_than_the_known_one_is_not(run, zoo: Zoo, machine: Machine) -> None:
    zoo.write_card(KNOWN)
    machine.behave(every="segfault")
    run("--backend=vacc").assert_outcomes(passed=4, failed=1)


def test_a_known_failure_that_is_gone_is_reported(run, zoo: Zoo, machine: Machine) -> None:
    zoo.write_card(KNOWN)
    result = run("--backend=vacc")
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["*the known failure is gone: remove it from the card*"])


def test_a_failure_of_old_sdks_is_a_warning_where_the_version_is_unknown(
    run, zoo: Zoo, machine: Machine
) -> None:
    zoo.write_card(KNOWN + 'before_sdk = "2.0"\n')
    result = run("--backend=vacc")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["tiny_x2 fp16: device-oom before SDK 2.0: too large"])


def six_models(zoo: Zoo) -> None:
    """Give the zoo six models of the same network, with a claim about the card each."""
    rows = "".join(f"| M{i} | - |\n| M{i} **vacc fp16** | {zoo.psnr:.2f} |\n" for i in range(1, 7))
    (zoo.suite / "README.md").write_text(f"| Models | PSNR(dB) |\n| :-- | --: |\n{rows}")
    head, model = CARD.split("[[model]]")
    models = [model.replace("tiny_x2", f"m{i}").replace('"Tiny"', f'"M{i}"') for i in range(1, 7)]
    (zoo.suite / "card.toml").write_text(head + "".join(f"[[model]]{model}" for model in models))


@pytest.mark.slow
def test_a_session_survives_a_hang_a_crash_and_memory_that_runs_out(
    run, zoo: Zoo, machine: Machine
) -> None:
    six_models(zoo)
    machine.behave(
        **{"tiny-m2-fp16": "stubborn", "tiny-m4-fp16": "segfault", "tiny-m5-fp16": "oom"}
    )
    # Six names of one network: its results would be kept after the first.
    options = ("--backend=vacc", "--sr-device=require", "--sr-cache=off")
    run(*options).assert_outcomes(passed=3, failed=3)
    records = zoo.records()
    failures = {
        number: records[f"m{number}-vacc-fp16-pair_x2-psnr"]["detail"].get("failure")
        for number in range(1, 7)
    }
    failed = {number: failure for number, failure in failures.items() if failure}
    assert failed == {2: "timeout", 4: "crashed", 5: "device-oom"}
    # The model that hangs, which does not hear SIGTERM, and the one that runs out of memory.
    assert machine.given_up == [LIMITS["run_s"], LIMITS["grace_s"], LIMITS["run_s"]]
    assert not [
        path
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if b"worker.py" in path.read_bytes() and str(zoo.root.parent).encode() in path.read_bytes()
    ]
