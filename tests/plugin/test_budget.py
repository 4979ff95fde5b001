"""A budget: what is at risk comes first, a run ends when its images decide, the rest is not run."""

import json
import shutil

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from sr_bench.engine.measure import budget
from sr_bench.imaging.files import read_image, write_png
from tests.tiny_zoo import DATASET, Zoo

COUNT = 100
PSNR = ("-k", "fp32-pair_x2-psnr")  # SSIM hardly moves with the brightness


@pytest.fixture
def large(zoo: Zoo) -> Zoo:
    """Return the zoo with 100 images instead of two."""
    manifest = zoo.root / "datasets" / "pair" / "dataset.toml"
    stems = f"stems = {{ first = 0, last = {COUNT - 1}, width = 2 }}"
    text = DATASET.replace("count = 2", f"count = {COUNT}").replace('stems = ["a", "b"]', stems)
    manifest.write_text(text)
    rng = np.random.default_rng(3)
    for index in range(COUNT):
        hr = read_image(zoo.data / "HR" / "a.png")
        noisy = np.clip(hr + rng.normal(0, 3, hr.shape), 0, 255).astype(np.uint8)
        write_png(zoo.data / "HR" / f"{index:02d}.png", noisy)
        write_png(zoo.data / "LR" / f"{index:02d}.png", np.ascontiguousarray(noisy[::2, ::2]))
    for kind in ("HR", "LR"):
        for stem in "ab":
            (zoo.data / kind / f"{stem}.png").unlink()
    return zoo


@pytest.fixture
def nights(run, large: Zoo):
    """Run a night with options, on all of the image metrics of the fp32 row; return its PSNR."""

    def night(*args: str) -> dict[str, object]:
        run("-k", "fp32-pair", "--sr-results-path=reports", *args)
        return large.records()["tiny_x2-fp32-pair_x2-psnr"]

    measured = night()["measurement"]["value"]
    ssim = large.records()["tiny_x2-fp32-pair_x2-ssim"]["measurement"]["value"]
    large.write_table(psnr=f"{measured:.3f}", ssim=f"{ssim:.4f}")
    assert night()["verdict"]["status"] == "match"
    return night


def change_network(zoo: Zoo, gain: float) -> None:
    """Let the network give `gain` times the levels that it gave."""
    path = zoo.suite / "tiny.onnx"
    model = onnx.load(path)
    (weight,) = [one for one in model.graph.initializer if one.name == "weight"]
    weight.CopyFrom(numpy_helper.from_array(gain * numpy_helper.to_array(weight), "weight"))
    model.producer_name += "2"  # with a gain of 1 another file too
    onnx.save(model, path)


def images(record: dict[str, object]) -> int:
    return len(record["measurement"]["images"])


def test_a_run_that_did_not_move_is_cleared_on_a_part_of_its_images(nights, large: Zoo) -> None:
    change_network(large, 1.0)
    record = nights("--sr-budget=1h")
    assert record["verdict"]["status"] == "match"
    assert images(record) == 64
    assert "judged early: 64 of 100 images" in record["verdict"]["sentence"]
    whole = nights()
    assert images(whole) == 100
    assert whole["cached"] >= 64  # those that were under way count too


def test_a_run_that_moved_breaks_at_the_first_look(nights, large: Zoo) -> None:
    change_network(large, 0.9)
    record = nights("--sr-budget=1h", *PSNR)
    assert record["verdict"]["status"] == "differs"
    assert images(record) == 8
    assert "8 of 100 images" in record["verdict"]["sentence"]
    estimate = record["verdict"]["measured"]
    whole = nights()
    assert whole["verdict"]["status"] == "differs"
    assert whole["verdict"]["measured"] == pytest.approx(estimate, abs=0.1)


def test_the_result_does_not_depend_on_what_is_kept_already(nights, large: Zoo) -> None:
    change_network(large, 0.9)
    first = nights("--sr-budget=1h", *PSNR)
    again = nights("--sr-budget=1h", *PSNR)
    assert again["cached"] == images(again) == 8
    assert again["verdict"] == first["verdict"]
    assert again["measurement"] == first["measurement"]


def test_without_an_earlier_whole_record_all_images_are_measured(run, large: Zoo) -> None:
    run("--sr-budget=1h", "-k", "fp32-pair")
    assert images(large.records()["tiny_x2-fp32-pair_x2-psnr"]) == 100


def test_what_there_is_no_time_for_is_not_run(
    run, large: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget.time, "time", lambda: float("inf"))
    run("--sr-budget=1h", "-k", "fp32")
    records = large.records()
    verdict = records["tiny_x2-fp32-pair_x2-psnr"]["verdict"]
    assert verdict["status"] == "not_run"
    assert verdict["sentence"] == "budget: the time was used up before this run"
    assert records["tiny_x2-fp32-params"]["verdict"]["status"] == "match"


def test_a_run_that_was_cut_goes_on_where_it_was(
    run, large: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = iter([False] * 11 + [True] * 1000)
    with monkeypatch.context() as patch:
        patch.setattr(budget.Budget, "is_over", property(lambda _self: next(late)))
        result = run("--sr-budget=1h", "-k", "fp32-pair_x2-psnr")
    cut = large.records()["tiny_x2-fp32-pair_x2-psnr"]
    assert cut["verdict"]["status"] == "not_run"
    assert cut["verdict"]["sentence"].startswith("budget: 11 of 100 images")
    assert cut["kept"] is None
    result.stdout.fnmatch_lines(["*not_run (11 of 100 images)*"])
    run("-k", "fp32-pair_x2-psnr")
    whole = large.records()["tiny_x2-fp32-pair_x2-psnr"]
    assert images(whole) == 100
    assert whole["cached"] >= 11


def test_what_is_most_at_risk_comes_first(pytester, run, large: Zoo) -> None:
    shutil.copytree(large.suite, large.root / "other")
    card = large.root / "other" / "card.toml"
    card.write_text(card.read_text().replace("tiny_x2", "other_x2"))
    run("-k", "tiny_x2 and fp32")
    result = run("--sr-budget=1h", "--collect-only", "-q", "-k", "fp32")
    names = [line for line in result.outlines if "::" in line and "-pair_x2-" in line]
    assert ["other" in name for name in names] == [True, True, False, False]
    result = run("--sr-budget=1h", "-k", "fp32")
    result.stdout.fnmatch_lines(["budget: 2 runs; 1 of them took * s before; first", "*never*"])
    run_order = [
        json.loads(line)["model"]
        for line in sorted((pytester.path / "reports/history").glob("2*.jsonl"))[-1]
        .read_text()
        .splitlines()[1:]
    ]
    assert run_order[-2:] == ["tiny_x2", "tiny_x2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sr-budget=soon"], "*--sr-budget=soon: expected a time such as 2h, 90m*"),
        (["--sr-budget=0"], "*--sr-budget=0: expected a time*"),
        (["--sr-budget=1h", "--sr-limit=2"], "*--sr-budget and --sr-limit don't go together*"),
    ],
)
def test_what_is_no_budget_is_refused(run, options: list[str], message: str) -> None:
    result = run(*options)
    assert result.ret == 4
    result.stderr.fnmatch_lines([message])
