"""``sr-bench compare`` says by its exit code whether a run is worse than an earlier one."""

from dataclasses import replace
from pathlib import Path

import pytest

from sr_bench.core.record import ImageScore, Measurement, Record
from tests.cli.test_history import add_run
from tests.report.records import record

VALUES = (30.0, 31.0, 32.0, 33.0, 34.0) * 8


def scored(drop: float = 0.0, metric: str = "psnr", **changes: str) -> Record:
    values = [value - drop - 1e-6 * i for i, value in enumerate(VALUES)] if drop else VALUES
    images = tuple(ImageScore(f"{i}.png", value) for i, value in enumerate(values))
    measurement = Measurement(metric, "", sum(values) / len(values), images, len(values))
    base = replace(record(None, 1.0, metric=metric), measurement=measurement)
    inputs = {"network": str(drop), "data": changes.pop("data", "d")}
    return replace(base, inputs=inputs, fingerprint=str(inputs), **changes)


@pytest.fixture
def compare(sr_bench, tmp_path: Path):
    """Return a function that compares two runs, each given by its records."""

    def compare(before: list[Record], now: list[Record], *args: str):
        add_run(tmp_path, 1, before)
        add_run(tmp_path, 2, now)
        return sr_bench("compare", "20261101", "20261102", "--results", tmp_path, *args)

    return compare


def test_an_equal_run_ends_in_0(compare) -> None:
    result = compare([scored()], [scored()])
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        "A  20261101T091430-abcdef  2026-11-01 09:14 UTC  abc",
        "B  20261102T091430-abcdef  2026-11-02 09:14 UTC  abc",
        "",
        "1 same",
    ]


def test_a_loss_ends_in_1_and_is_shown(compare) -> None:
    result = compare([scored()], [scored(0.05)])
    assert (result.code, result.err) == (1, "")
    assert "0.050 dB (0.050 to 0.050 dB)" in result.out
    assert result.out.splitlines()[-1] == "1 loss"


def test_the_page_of_a_comparison_is_written_beside_what_is_printed(compare, tmp_path) -> None:
    result = compare([scored()], [scored(0.05)], "--html", str(tmp_path / "deep" / "compare.html"))
    assert (result.code, result.out.splitlines()[-1]) == (1, "1 loss")
    assert "<h3>Worse" in (tmp_path / "deep" / "compare.html").read_text()


def test_a_run_within_the_limits_ends_in_0(compare) -> None:
    result = compare([scored()], [scored(0.005)])
    assert result.code == 0
    assert "fp32" not in result.out


def test_all_shows_also_what_is_within(compare) -> None:
    result = compare([scored()], [scored(0.005)], "--all")
    assert "within" in result.out.splitlines()[-3]


def test_few_images_are_within_only_with_a_limit_of_each(compare) -> None:
    few = []
    for base in (scored(), scored(0.005)):
        measurement = replace(base.measurement, images=base.measurement.images[:12])
        few.append([replace(base, measurement=measurement)])
    assert compare(*few).out.splitlines()[-1] == "1 undecided"
    assert compare(*few, "--max-image-drop-db", "0.015").out.splitlines()[-1] == "1 within"
    assert compare(*few, "--max-image-drop-db", "0.004").out.splitlines()[-1] == "1 loss"


def test_a_vanished_case_ends_in_1(compare) -> None:
    result = compare([scored(), scored(model="n")], [scored()])
    assert result.code == 1
    assert "the case is not in this run" in result.out
    assert compare([scored()], [scored(), scored(model="n")]).code == 0


def test_nothing_comparable_ends_in_3(compare) -> None:
    assert compare([scored()], [scored(data="other")]).code == 3
    assert compare([scored()], [scored(model="n")]).code == 3


def test_nothing_measured_ends_in_3(compare) -> None:
    assert compare([], []).out.splitlines()[-1] == "neither run has a value"
    assert compare([], []).code == 3


@pytest.mark.parametrize(
    ("metric", "drop", "option"),
    [
        ("psnr", 0.05, "--max-drop-db=0.06"),
        ("ssim", 0.05, "--max-drop-ssim=0.06"),
        ("fidelity", 0.7, "--max-drop-fidelity-db=0.8"),
    ],
)
def test_limits_can_be_chosen(compare, metric: str, drop: float, option: str) -> None:
    runs = [scored(metric=metric)], [scored(drop, metric)]
    assert compare(*runs).code == 1
    assert compare(*runs, option).code == 0


def test_the_limit_of_latency_can_be_chosen(compare) -> None:
    before, now = (
        replace(scored(ms, "latency"), measurement=Measurement("latency", "ms", ms))
        for ms in (100.0, 120.0)
    )
    assert compare([before], [now]).code == 1
    assert compare([before], [now], "--max-slower-percent", "25").code == 0


@pytest.mark.parametrize("value", ["-1", "inf", "nan"])
def test_a_limit_below_zero_is_refused(compare, value: str) -> None:
    result = compare([scored()], [scored()], f"--max-drop-db={value}")
    assert (result.code, result.out) == (2, "")
    assert f"--max-drop-db {float(value):g}: expected a limit of 0 or more" in result.err


def test_a_limit_of_zero_is_a_limit(compare) -> None:
    runs = [scored()], [scored(0.005)]
    assert compare(*runs).code == 0
    assert compare(*runs, "--max-drop-db=0").code == 1


def test_json_holds_both_runs_and_each_case(compare) -> None:
    result = compare([scored()], [scored(0.05)], "--json")
    assert result.code == 1
    assert result.json["before"]["run"] == "20261101T091430-abcdef"
    assert result.json["now"]["run"] == "20261102T091430-abcdef"
    assert result.json["limits"]["psnr_db"] == 0.01
    (case,) = result.json["cases"]
    assert (case["outcome"], case["inputs"][0]["name"]) == ("loss", "network")


def test_a_run_is_not_compared_with_itself(compare, sr_bench, tmp_path: Path) -> None:
    compare([scored()], [scored()])
    result = sr_bench("compare", "last", tmp_path / "latest.json", "--results", tmp_path)
    assert (result.code, result.out) == (2, "")
    assert "are the same run, 20261102T091430-abcdef: nothing can change" in result.err


def test_the_order_of_the_two_runs_counts(compare, sr_bench, tmp_path: Path) -> None:
    assert compare([scored()], [scored(0.05)]).code == 1
    back = sr_bench("compare", "20261102", "20261101", "--results", tmp_path)
    assert (back.code, "1 gain" in back.out) == (0, True)


def test_an_unknown_run_is_wrong_and_a_missing_one_absent(sr_bench, tmp_path: Path) -> None:
    assert sr_bench("compare", "last", "main", "--results", tmp_path).code == 3
    add_run(tmp_path, 1, [scored()])
    result = sr_bench("compare", "nightly", "last", "--results", tmp_path)
    assert (result.code, result.out) == (2, "")
    assert "'nightly' is no file" in result.err
    (tmp_path / "run.jsonl").write_text("hello\n")
    result = sr_bench("compare", tmp_path / "run.jsonl", "last", "--results", tmp_path)
    assert result.code == 1
    assert "not a run of sr-bench" in result.err
