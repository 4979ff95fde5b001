"""The profiler's reports are read, of every version on record; and it is called as documented."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sr_bench.backends.vacc.profile.vamp import (
    Latency,
    Load,
    Spread,
    parse_clocks,
    parse_vamp,
    run_vamp,
)
from sr_bench.backends.vacc.rig import PhaseLimits, Rig
from sr_bench.core.codec import decode, encode
from sr_bench.core.device import Failure
from sr_bench.errors import BackendError, DeviceError, NotRunError, OptionError

HERE = Path(__file__).parent
LOGS = HERE / "vamp_logs"
SHAPE = (1, 3, 96, 128)
LIMITS = PhaseLimits(
    probe_s=61.0, compile_s=62.0, open_s=63.0, run_s=64.0, vamp_s=65.0, wait_s=66.0, grace_s=5.0
)
RIG = Rig(sys.executable, "vamc", str(HERE / "fake/bin/vamp"), 0, LIMITS)


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the prefix of a compiled network, where the fakes find our interpreter."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    (tmp_path / "mod.json").write_text(json.dumps({"input_shape": SHAPE}))
    (tmp_path / "mod.so").touch()
    (tmp_path / "mod.params").touch()
    (tmp_path / "vdsp.json").write_text("{}")
    return tmp_path / "mod"


def read(name: str) -> Latency:
    return parse_vamp((LOGS / name).read_text(), where=name)


def test_the_log_of_2023_is_read_with_its_typo() -> None:
    latency = read("2023_rcan.txt")
    assert latency == Latency(
        throughput=20.9133,
        end_to_end=Spread(
            avg_us=938804,
            min_us=242944,
            max_us=1778707,
            percentiles_us={"p50": 925637, "p90": 1205204, "p95": 1262033, "p99": 1375009},
        ),
        model=Spread(
            avg_us=790979,
            min_us=241057,
            max_us=1396289,
            percentiles_us={"p50": 785185, "p90": 933979, "p95": 971597, "p99": 1072986},
        ),
        instances=8,
        devices=(0,),
        batch=1,
        ai_utilise_percent=84.7898,
        memory_mb=2962.27,
        temperature_c=48.9539,
        power_w=31.4568,
    )


def test_the_log_of_version_2_1_is_read() -> None:
    latency = read("2.1.0_rcan2.txt")
    assert (latency.throughput, latency.instances, latency.batch) == (36.1415, 1, 1)
    assert latency.end_to_end is not None
    assert latency.end_to_end.percentiles_us["p99"] == 83121
    assert latency.model is not None
    assert latency.model.avg_us == 69019


def test_the_log_of_2024_is_read_without_what_it_leaves_out() -> None:
    latency = read("2024_cbdnet.txt")
    assert latency == Latency(
        throughput=775.808,
        end_to_end=Spread(21697, 1883, 21965),
        model=Spread(1241, 1241, 1241),
        instances=1,
        processes=1,
        devices=(0,),
        batch=1,
        samples=1024,
        seconds=1.31991,
        ai_utilise_percent=96.4176,
        memory_mb=1356.75,
    )


def test_the_log_of_version_2_5_is_read_with_stars_around_its_head() -> None:
    latency = read("2.5.2_resnet50.txt")
    assert (latency.instances, latency.batch, latency.samples) == (3, 8, 10240)
    assert (latency.power_w, latency.temperature_c) == (43.7734, 47.7225)
    assert latency.model == Spread(315, 315, None)


def test_spaces_after_colons_are_free() -> None:
    text = (LOGS / "2.1.0_rcan2.txt").read_text()
    assert parse_vamp(text.replace(": ", ":"), where="log") == read("2.1.0_rcan2.txt")


def test_a_latency_can_be_recorded() -> None:
    latency = read("2023_rcan.txt")
    assert decode(Latency, json.loads(json.dumps(encode(latency)))) == latency


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"^log: .*got none"),
        ("batch size: 1\n", r"^log: .*got none"),
        ("batch size: 1\nthroughput (qps): fast", r"^log:2: throughput .* got 'fast'"),
        ("throughput (qps):", r"^log:1: .*got ''"),
        ("throughput (qps): nan", r"^log:1: .*got 'nan'"),
        ("throughput (qps): -1", r"^log:1: .*got '-1'"),
        ("throughput (qps): 2\nbatch size: one", r"^log:2: batch size: .* got 'one'"),
        ("throughput (qps): 2\nthroughput (qps): 3", r"^log:2: expected one report"),
    ],
)
def test_a_report_without_a_number_is_refused(text: str, message: str) -> None:
    with pytest.raises(BackendError, match=message):
        parse_vamp(text, where="log")


def test_clocks_are_read() -> None:
    clocks = parse_clocks((LOGS / "getfreq.txt").read_text())
    assert len(clocks) == 12
    assert (clocks["OCLK"], clocks["ODSPCLK"], clocks["VDSPCLK"]) == (880, 835, 900)
    assert parse_clocks("vasmi: no such card") == {}


def test_the_profiler_is_run_for_the_shape(network: Path) -> None:
    vdsp = network.with_name("vdsp.json")
    assert run_vamp(network, SHAPE, RIG, vdsp, Load()) == read("2.5.2_resnet50.txt")
    with pytest.raises(DeviceError, match=r"takes \[1, 3, 96, 128\], not \[3, 96, 96\]"):
        run_vamp(network, (1, 3, 96, 96), RIG, vdsp, Load())


def test_the_clocks_of_the_first_die_are_added(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vasmi = tmp_path / "vasmi"
    vasmi.write_text(f'#!/bin/sh\n[ "$*" = "getfreq -d 0 -i 0" ] && cat {LOGS}/getfreq.txt\n')
    vasmi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    latency = run_vamp(network, SHAPE, RIG, network.with_name("vdsp.json"), Load())
    assert latency.clocks_mhz["OCLK"] == 880
    assert latency.throughput == 3101.12


def test_a_profile_that_hangs_out_of_memory_is_named_so(
    network: Path, given_up: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SR_FAKE_VAMP", "oom")
    with pytest.raises(DeviceError, match="malloc dlc memory") as caught:
        run_vamp(network, SHAPE, RIG, network.with_name("vdsp.json"), Load())
    assert caught.value.failure == Failure.DEVICE_OOM
    assert given_up == [LIMITS.vamp_s]


def test_a_missing_profiler_is_not_a_failure(network: Path) -> None:
    rig = Rig(RIG.python, RIG.vamc, "no-such-vamp", 0, LIMITS)
    with pytest.raises(NotRunError, match="no-such-vamp"):
        run_vamp(network, SHAPE, rig, network.with_name("vdsp.json"), Load())


@pytest.mark.parametrize(
    "numbers", [{"processes": 2}, {"instances": 0}, {"batch": 0}, {"iterations": 0}]
)
def test_impossible_numbers_are_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(OptionError, match="at most as many processes as instances"):
        Load(**numbers)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (["p", "1"], "unrecognized arguments: p 1"),
        (["-m", "nowhere/mod"], "there is no nowhere/mod.json"),
        (["-s", "[1,3,96,128]"], "the network takes"),
        (["-p", "4"], "more processes than instances"),
        (["--iter", "5"], "unrecognized arguments"),
    ],
)
def test_the_fake_profiler_rejects_wrong_use(network: Path, changed: list[str], fault: str) -> None:
    vdsp = network.with_name("vdsp.json")
    argv = [RIG.vamp, "-m", network, "--vdsp_params", vdsp, "-s", "[3,96,128]", *changed]
    env = {**os.environ, "VSX_DISABLE_DEEPBIND": "1"}
    proc = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert proc.returncode != 0
    assert fault in proc.stderr


def test_the_fake_profiler_rejects_deep_binding(network: Path) -> None:
    argv = [RIG.vamp, "-m", network, "--vdsp_params", network.with_name("vdsp.json")]
    proc = subprocess.run([*argv, "-s", "[3,96,128]"], capture_output=True, text=True, check=False)
    assert proc.returncode != 0
    assert "VSX_DISABLE_DEEPBIND" in proc.stderr
