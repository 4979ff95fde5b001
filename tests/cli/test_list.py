"""``sr-bench list`` tells what there is, and what of it is missing."""

import shutil
from pathlib import Path


def line(out: str, start: str) -> str:
    return next(line for line in out.splitlines() if line.startswith(start))


def words(out: str, start: str) -> str:
    return " ".join(line(out, start).split())


def test_it_lists_models_and_datasets_with_what_is_here(sr_bench, zoo) -> None:
    done = sr_bench("list", "--suites", "my_zoo", "--data", zoo.data)
    assert (done.code, done.err) == (0, "")
    assert words(done.out, "tiny_x2") == "tiny_x2 tiny 2 fp16 fp32 5 pair here"
    assert words(done.out, "pair") == "pair 2 2 here Two images"
    assert "missing: sr-bench fetch set5" in line(done.out, "set5")


def test_json_holds_the_same(sr_bench, zoo) -> None:
    done = sr_bench("list", "--suites", "my_zoo", "--data", zoo.data, "--json")
    (model,) = done.json["models"]
    assert model == {
        "model": "tiny_x2",
        "family": "tiny",
        "scale": 2,
        "precisions": ["fp16", "fp32"],
        "claims": 5,
        "datasets": ["pair"],
        "weights": "here",
    }
    datasets = {one["dataset"]: one for one in done.json["datasets"]}
    assert datasets["pair"]["files"] == "here"
    assert datasets["photos"]["files"] == "here"
    assert datasets["div2k_valid"]["files"] == "missing: sr-bench fetch div2k_valid"


def test_missing_weights_are_named(sr_bench, project_root: Path) -> None:
    done = sr_bench("list", "--suites", project_root / "suites" / "lesrcnn")
    assert line(done.out, "lesrcnn_x2").split()[-2:] == ["missing:", "lesrcnn_x2.pth"]


def test_a_wrong_dataset_is_named(sr_bench, zoo, tmp_path: Path) -> None:
    shutil.copytree(zoo.data, tmp_path / "data")
    (tmp_path / "data" / "LR" / "b.png").unlink()
    done = sr_bench("list", "--suites", "my_zoo", "--data", tmp_path / "data")
    assert "wrong: pair x2" in line(done.out, "pair")


def test_no_card_ends_in_2_and_a_faulty_one_in_1(sr_bench, tmp_path: Path) -> None:
    done = sr_bench("list", "--suites", tmp_path)
    assert done.code == 2
    assert "no card.toml below" in done.err
    (tmp_path / "card.toml").write_text("schema = 1\n")
    done = sr_bench("list", "--suites", tmp_path)
    assert done.code == 1
    assert "model: required, but absent" in done.err
