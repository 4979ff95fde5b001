"""``sr-bench history`` shows a model's values over time, and names what is not there."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.history import SessionInfo
from sr_bench.core.record import Measurement, Record
from sr_bench.history.store import SessionStore
from tests.report.records import record, without_value
from tests.sessions import ENVIRONMENT


def add_run(results: Path, day: int, records: Iterable[Record], *, ended: bool = True) -> Path:
    name, start = f"202611{day:02}T091430-abcdef", f"2026-11-{day:02}T09:14:30+00:00"
    store = SessionStore(results, SessionInfo(name, start, ENVIRONMENT))
    kept = list(records)
    store.start()
    for entry in kept:
        store.add(entry)
    if ended:
        store.finish(kept)
    return store.lines


def named(model: str, metric: str, value: float = 30.104) -> Record:
    base = record(value=value) if metric == "psnr" else record(None, value, metric=metric)
    return replace(base, model=model, case_id=f"{model}-{base.precision}-{metric}")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    for day, value in ((1, 30.100), (8, 30.101), (15, 30.102)):
        time = replace(named("edsr_x2", "latency"), measurement=Measurement("latency", "ms", day))
        add_run(folder, day, [named("edsr_x2", "psnr", value), named("rcan_x2", "psnr"), time])
    return folder


def test_it_shows_each_case_with_its_trend(sr_bench, results: Path) -> None:
    result = sr_bench("history", "edsr_x2", "--results", results)
    assert (result.code, result.err) == (0, "")
    psnr, latency, _ = result.out.split("\n\n")
    assert psnr.startswith("zoo/edsr_x2-fp32-psnr on onnxruntime (cpu)\n▁")
    assert "█  30.1000 .. 30.1020 dB\n" in psnr
    assert "trend: 0.003 dB of margin left, -0.001 dB per week: used up about 2026-12-06" in psnr
    assert "zoo/edsr_x2-fp32-latency" in latency
    assert "trend: 15.000 ms, +7 ms per week" in latency
    assert "rcan" not in result.out


def test_without_a_model_it_shows_all_runs(sr_bench, results: Path) -> None:
    result = sr_bench("history", "--results", results)
    assert (result.code, result.err) == (0, "")
    lines = [line for line in result.out.splitlines() if line.startswith("2026-")]
    assert [line[18:27] for line in lines] == ["20261101T", "20261108T", "20261115T"]
    assert "1 moved: edsr_x2" in lines[1]
    assert "rcan" not in result.out
    (first, second, _) = sr_bench("history", "--results", results, "--json").json["runs"]
    assert first["news"] == []
    assert [(item["what"], item["count"]) for item in second["news"]] == [("moved", 1)]


def test_filters_choose_what_is_news(sr_bench, results: Path) -> None:
    result = sr_bench("history", "--results", results, "--metric", "latency")
    assert "moved" not in result.out
    assert "1 match" in result.out
    result = sr_bench("history", "--results", results, "--metric", "nix")
    assert result.code == 3
    assert "any model with --metric nix has no value in any run" in result.err


@pytest.mark.parametrize("wanted", ["edsr_x2", "e*_x2", "zoo/edsr_x2", "zoo/e*"])
def test_a_model_may_be_a_pattern_or_have_its_family(sr_bench, results: Path, wanted: str) -> None:
    result = sr_bench("history", wanted, "--results", results, "--json")
    assert [case["model"] for case in result.json["cases"]] == ["edsr_x2", "edsr_x2"]


@pytest.mark.parametrize(
    ("option", "value", "cases"),
    [
        ("--metric", "psnr", 2),
        ("--metric", "lat*", 1),
        ("--precision", "fp32", 3),
        ("--dataset", "set5_x2", 3),
        ("--backend", "onnx*", 3),
    ],
)
def test_options_choose_cases(sr_bench, results: Path, option: str, value: str, cases: int) -> None:
    result = sr_bench("history", "*", "--results", results, "--json", option, value)
    assert len(result.json["cases"]) == cases


@pytest.mark.parametrize("name", ["metric", "precision", "dataset", "backend"])
def test_options_that_leave_nothing_say_what_there_is(sr_bench, results: Path, name: str) -> None:
    result = sr_bench("history", "edsr_x2", "--results", results, f"--{name}", "nix")
    assert (result.code, result.out) == (3, "")
    assert f"edsr_x2 with --{name} nix has no value in any run; there are metric: " in result.err
    assert "metric: latency, psnr; precision: fp32; dataset: set5_x2; backend: onnx" in result.err


def test_the_limit_counts_the_values_shown(sr_bench, results: Path) -> None:
    result = sr_bench("history", "edsr_x2", "--results", results, "--limit", 1, "--metric", "psnr")
    assert "20261115T" in result.out
    assert "20261108T" not in result.out
    assert "and 2 older" in result.out
    result = sr_bench("history", "edsr_x2", "--results", results, "--limit", 0)
    assert (result.code, result.out) == (2, "")
    assert "--limit 0: expected a number of values, at least 1" in result.err


def test_json_holds_all_values(sr_bench, results: Path) -> None:
    args = ("history", "edsr_x2", "--results", results, "--metric", "psnr", "--limit", 1)
    result = sr_bench(*args, "--json")
    (case,) = result.json["cases"]
    assert [row["value"] for row in case["rows"]] == [30.100, 30.101, 30.102]
    assert case["trend"]["used_up"] == "2026-12-06"
    assert result.json["faults"] == []


def test_an_unknown_model_is_refused_with_the_nearest(sr_bench, results: Path) -> None:
    result = sr_bench("history", "esdr_x2", "--results", results)
    assert (result.code, result.out) == (2, "")
    assert result.err == "sr-bench: no run has a model 'esdr_x2'; did you mean 'edsr_x2'?\n"


def test_a_model_that_was_never_measured_is_absent(sr_bench, tmp_path: Path) -> None:
    add_run(tmp_path, 1, [without_value(named("edsr_x2", "psnr"))])
    result = sr_bench("history", "edsr_x2", "--results", tmp_path)
    assert result.code == 3
    assert "edsr_x2 has no value in any run; there are metric: none" in result.err


def test_without_a_run_it_says_what_to_do(sr_bench, tmp_path: Path) -> None:
    result = sr_bench("history", "edsr_x2", "--results", tmp_path)
    assert (result.code, result.out) == (3, "")
    assert f"no run has been kept in {tmp_path} yet; run pytest" in result.err


def test_a_damaged_line_is_named_and_the_rest_is_shown(sr_bench, results: Path) -> None:
    index = results / "history" / "index.jsonl"
    index.write_bytes(b"\x1b[2J\n" + index.read_bytes())
    result = sr_bench("history", "edsr_x2", "--results", results)
    assert result.code == 0
    assert result.err.startswith(f"sr-bench: {index}:1: damaged, so left out (")
    assert "20261101T" in result.out
    assert "faults" not in result.out
    (fault,) = sr_bench("history", "edsr_x2", "--results", results, "--json").json["faults"]
    assert "index.jsonl:1" in fault


def test_a_run_that_crashed_is_marked(sr_bench, results: Path) -> None:
    add_run(results, 22, [named("edsr_x2", "psnr")], ended=False)
    result = sr_bench("history", "edsr_x2", "--results", results, "--metric", "psnr")
    assert "20261122T091430-abcdef (did not end)" in result.out
    assert result.out.count("did not end") == 1
