"""`--sr-latency` adds items that pytest-benchmark times, and its users feel at home."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.test_vacc import Machine
from tests.tiny_zoo import Zoo

ITEM = "tiny_x2-fp32-3x20x20-latency"
QUICK = ("--sr-latency", "--benchmark-min-time=0.000001", "--benchmark-max-time=0.000001")
OFF = "timing is switched off, by --benchmark-disable or by pytest-xdist"


@pytest.fixture
def zoo(zoo: Zoo) -> Zoo:
    """Count and time the network on a small image."""
    for file in (zoo.suite / "README.md", zoo.suite / "card.toml"):
        text = file.read_text().replace("3x1000x1000", "3x20x20")
        file.write_text(text.replace("| 0.018 |", "| 0.0000072 |"))
    return zoo


def saved(path: Path) -> dict[str, Any]:
    return {entry["name"]: entry for entry in json.loads(path.read_text())["benchmarks"]}


def test_without_the_option_nothing_is_timed(run, zoo: Zoo):
    result = run()
    result.assert_outcomes(passed=4, skipped=1)
    result.stdout.no_fnmatch_line("*latency*")
    result.stdout.no_fnmatch_line("*benchmark '*")


def test_each_network_has_one_more_item(run, zoo: Zoo):
    result = run(*QUICK)
    result.assert_outcomes(passed=5, skipped=1)
    result.stdout.fnmatch_lines(
        ["*benchmark 'tiny/tiny_x2 3x20x20': 1 tests*", f"{ITEM} *", "*passed*"]
    )
    record = zoo.records()[ITEM]
    assert record["node_id"] == f"my_zoo/tiny/card.toml::{ITEM}"
    assert record["verdict"]["status"] == "new"
    assert record["verdict"]["measured"] > 0


def test_addopts_asks_for_it_too(run, zoo: Zoo, pytester: pytest.Pytester):
    pytester.makeini("[pytest]\naddopts = --sr-latency")
    run("--collect-only", "-q").stdout.fnmatch_lines([f"*::{ITEM}", "6 tests collected*"])


def test_it_is_selected_by_name_and_mark(run, zoo: Zoo):
    for chosen in (["-k", "latency"], ["-m", "latency"], ["-m", "latency and tiny_x2 and fp32"]):
        result = run("--sr-latency", "--collect-only", "-q", "--strict-markers", *chosen)
        result.stdout.fnmatch_lines([f"*::{ITEM}", "1/6 tests collected*"])
    run("--sr-latency", "--collect-only", "-q", "-m", "pair").stdout.fnmatch_lines(["3/6 *"])


def test_the_record_has_the_statistics_of_the_table(run, zoo: Zoo, pytester: pytest.Pytester):
    run(*QUICK, "--benchmark-json=bench.json", "--benchmark-min-rounds=3", "-k", "latency")
    stats = saved(pytester.path / "bench.json")[ITEM]["stats"]
    assert stats["rounds"] == 3
    measurement = zoo.records()[ITEM]["measurement"]
    assert measurement["value"] == pytest.approx(1000 * stats["median"])
    notes = measurement["notes"]
    assert notes["images_per_s"] == pytest.approx(1 / stats["median"])
    for name in ("mean", "stddev", "iqr", "min"):
        assert notes[f"{name}_ms"] == pytest.approx(1000 * stats[name])
    assert notes["rounds"] == 3


def test_a_saved_benchmark_says_what_it_is_true_of(run, zoo: Zoo, pytester: pytest.Pytester):
    run(*QUICK, "--benchmark-json=bench.json", "-k", "latency")
    entry = saved(pytester.path / "bench.json")[ITEM]
    record = zoo.records()[ITEM]
    assert entry["fullname"] == record["node_id"]
    assert entry["group"] == "tiny/tiny_x2 3x20x20"
    version = entry["extra_info"].pop("version")
    assert record["inputs"]["backend"] == f"onnxruntime {version}"
    assert entry["extra_info"].pop("computes").startswith("CPU provider; fp16 rounds")
    assert entry["extra_info"].pop("peak_mb", None) == record["measurement"]["notes"].get("peak_mb")
    assert entry["extra_info"] == {
        "backend": "onnxruntime",
        "device": "cpu",
        "emulated": False,
        "precision": "fp32",
        "shape": "3x20x20",
        "threads": 1,
        "image": "pair a",
    }


def test_the_precisions_of_a_network_stand_in_one_table(run, zoo: Zoo):
    result = run(*QUICK, "--sr-precision=fp32,fp16", "-k", "latency")
    result.assert_outcomes(passed=2, deselected=7)
    result.stdout.fnmatch_lines(["*benchmark 'tiny/tiny_x2 3x20x20': 2 tests*"])


def test_a_group_that_a_mark_names_is_kept(run, zoo: Zoo, pytester: pytest.Pytester):
    pytester.makeconftest(
        """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.benchmark(group="mine"))
        """
    )
    run(*QUICK, "-k", "latency").stdout.fnmatch_lines(["*benchmark 'mine': 1 tests*"])


def test_a_saved_run_is_compared_with_the_next(run, zoo: Zoo):
    run(*QUICK, "--benchmark-autosave", "-k", "latency")
    result = run(*QUICK, "--benchmark-compare", "-k", "latency")
    result.stdout.fnmatch_lines_random(
        ["*benchmark 'tiny/*': 2 tests*", f"{ITEM} (0001_*", f"{ITEM} (NOW)*"]
    )


def test_only_benchmarks_run_if_that_is_asked(run, zoo: Zoo):
    run(*QUICK, "--benchmark-only").assert_outcomes(passed=1, skipped=5)
    run(*QUICK, "--benchmark-skip").assert_outcomes(passed=4, skipped=2)


def test_with_timing_switched_off_it_runs_and_records_no_number(run, zoo: Zoo):
    result = run(*QUICK, "--benchmark-disable", "-k", "latency", "-rs", "-W", "error")
    result.assert_outcomes(skipped=1, deselected=5)
    result.stdout.fnmatch_lines([f"SKIPPED *{OFF}*"])
    record = zoo.records()[ITEM]
    assert (record["verdict"]["status"], record["measurement"]) == ("not_run", None)
    assert record["verdict"]["sentence"].startswith(OFF)
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_workers_of_xdist_do_not_time(pytester: pytest.Pytester, zoo: Zoo):
    arguments = ["my_zoo", f"--sr-data={zoo.data}", *QUICK, "-n1", "-k", "latency or psnr"]
    pytester.runpytest_inprocess(*arguments).assert_outcomes(passed=1, skipped=2)
    assert zoo.records()[ITEM]["verdict"]["sentence"].startswith(OFF)


def test_a_network_that_fails_is_an_error_without_a_time(run, zoo: Zoo):
    (zoo.suite / "tiny.onnx").write_bytes(b"no network")
    result = run(*QUICK, "-k", "latency", "-W", "error")
    result.assert_outcomes(failed=1, deselected=5)
    result.stdout.no_fnmatch_line("*benchmark*: 1 tests*")
    record = zoo.records()[ITEM]
    assert (record["verdict"]["status"], record["measurement"]) == ("error", None)
    assert "tiny.onnx" in record["verdict"]["sentence"]


def test_an_emulated_card_is_not_timed(run, zoo: Zoo):
    result = run(*QUICK, "--backend=vacc", "--sr-device=emulate", "-k", "latency", "-W", "error")
    result.assert_outcomes(skipped=2, deselected=5)
    sentences = {record["verdict"]["sentence"] for record in zoo.records().values()}
    assert sentences == {
        "vacc is emulated here, and the speed of an emulation says nothing about the card; time"
        " it where a card is ready"
    }


def test_a_replay_is_not_timed(run, zoo: Zoo):
    run("--backend=vacc", "--sr-device=emulate", "--sr-record=outputs")
    result = run(*QUICK, "--backend=replay", "--sr-replay=outputs", "-k", "latency")
    result.assert_outcomes(skipped=2, deselected=5)
    assert zoo.records()[ITEM]["verdict"]["status"] == "not_run"


def test_a_card_is_timed_end_to_end_and_named(
    run, zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    Machine(tmp_path / "host", monkeypatch)
    zoo_card = (zoo.suite / "card.toml").read_text().replace("3x20x20", "3x8x16")
    (zoo.suite / "card.toml").write_text(zoo_card)
    result = run(*QUICK, "--backend=vacc", "--sr-device=require", "-k", "latency")
    result.assert_outcomes(passed=2, deselected=5)
    records = zoo.records()
    low = records["tiny_x2-fp16-3x8x16-latency"]
    assert (low["backend"], low["device"]) == ("vacc", "vacc")
    assert low["detail"]["adapter"] == "adapter never executed on VastAI hardware"
    assert "peak_mb" not in low["measurement"]["notes"]
    assert records["tiny_x2-fp32-3x8x16-latency"]["device"] == "cpu"


def test_without_pytest_benchmark_the_option_says_so(run, zoo: Zoo):
    run("-p", "no:benchmark").assert_outcomes(passed=4, skipped=1)
    result = run("-p", "no:benchmark", "--sr-latency")
    result.stdout.fnmatch_lines(["*--sr-latency times with pytest-benchmark, which is switched*"])
    assert result.ret == pytest.ExitCode.INTERRUPTED
