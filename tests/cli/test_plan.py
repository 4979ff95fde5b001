"""plan: the search, its front, what it writes, and what it says where there is no plan."""

import tomllib
from pathlib import Path

import pytest

from sr_bench.cards.load import load_card
from tests.int8_zoo import Int8Zoo, make_int8_zoo


@pytest.fixture
def int8_zoo(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Int8Zoo:
    monkeypatch.chdir(tmp_path)
    return make_int8_zoo(tmp_path / "my_zoo")


def _args(zoo: Int8Zoo, *more: object) -> tuple[object, ...]:
    places = ("--suites", zoo.root, "--data", zoo.data)
    return ("plan", "res_x2", "--precision", "int8_max", *places, *more)


def test_a_plan_is_found_and_written_into_the_card(sr_bench, int8_zoo: Int8Zoo) -> None:
    before = (int8_zoo.suite / "card.toml").read_text()
    found = sr_bench(*_args(int8_zoo, "--min-fidelity", "49", "--dry-run", "--json")).json
    assert (int8_zoo.suite / "card.toml").read_text() == before
    keep = found["chosen"]["candidate"]["keep"]
    assert keep
    assert found["chosen"]["worst_db"] >= 49
    shares = [one["int8_share"] for one in found["front"]]
    worst = [min(one["worst_db"], one["ring_db"]) for one in found["front"]]
    assert shares == sorted(shares, reverse=True)
    assert worst == sorted(worst)
    # None with less in float was found that passes.
    assert all(db < 49 for db, share in zip(worst, shares, strict=True)
               if share > found["chosen"]["int8_share"])  # fmt: skip

    result = sr_bench(*_args(int8_zoo, "--min-fidelity", "49"))
    assert result.code == 0
    assert "+#  Found by sr-bench plan" in result.out
    (model,) = load_card(int8_zoo.suite / "card.toml").models
    assert list(model.int8.keep) == keep
    assert model.int8.calibration == "seen"  # the other keys stay


def test_where_no_plan_reaches_the_fidelity_the_best_is_told(sr_bench, int8_zoo: Int8Zoo) -> None:
    result = sr_bench(*_args(int8_zoo, "--min-fidelity", "90"))
    assert result.code == 1
    assert "no plan reaches 90 dB on each image: the best found has" in result.err
    assert "MACs in int8" in result.out  # the front
    assert "Found by" not in (int8_zoo.suite / "card.toml").read_text()


def test_a_time_too_short_for_a_plan_is_told_with_what_was_found(
    sr_bench, int8_zoo: Int8Zoo
) -> None:
    result = sr_bench(*_args(int8_zoo, "--min-fidelity", "49", "--seconds", "0.0001"))
    assert result.code == 1
    assert "within 0.0001 s; give it more with --seconds: the best found has" in result.err


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (("--max-float-share", "0.001"), 1, "no plan reaches 49 dB"),
        (("--max-latency", "0.000001"), 1, "keeps to --max-latency 1e-06 ms"),
        (("--max-float-share", "2"), 2, "--max-float-share 2: expected a part from 0 to 1"),
        (("--seconds", "0"), 2, "--seconds 0: expected more than 0"),
        (("--plan", "p.toml"), 2, "--plan p.toml: it is for an ONNX file"),
        (("--precision", "fp16"), 2, "--precision fp16: expected one of int8"),
    ],
    ids=lambda value: str(value),
)
def test_what_can_t_be_searched_for_is_one_line(
    sr_bench, int8_zoo: Int8Zoo, more: tuple[str, ...], code: int, message: str
) -> None:
    result = sr_bench(*_args(int8_zoo, "--min-fidelity", "49", *more))
    assert result.code == code
    assert message in result.err
    assert result.err.count("\n") == 1


def test_a_card_whose_plan_names_no_layer_is_told_before_the_search(
    sr_bench, int8_zoo: Int8Zoo
) -> None:
    int8_zoo.write_card(plan='keep = ["tial"]')
    result = sr_bench(*_args(int8_zoo, "--min-fidelity", "49"))
    assert result.code == 1
    assert "keep = 'tial': the network has no such layer; did you mean 'tail'" in result.err


def test_the_plan_of_a_bare_file_is_taken_by_quantize(
    sr_bench, int8_zoo: Int8Zoo, tmp_path: Path
) -> None:
    net, plan, out = int8_zoo.suite / "net.onnx", tmp_path / "plan.toml", tmp_path / "int8.onnx"
    found = sr_bench("plan", net, "--min-fidelity", "1", "--seconds", "1", "--out", plan)
    assert found.code == 0
    assert f"use it with sr-bench quantize {net} --plan {plan}" in found.out
    assert plan.read_text().startswith("#  Found by sr-bench plan")
    assert tomllib.loads(plan.read_text())["model"]["int8"].keys() <= {"observers"}

    plan.write_text('[model.int8]\nkeep = ["head"]\n')
    made = sr_bench("quantize", net, "--precision", "int8_max", "--plan", plan, "--out", out)
    assert made.code == 0
    assert "95.2 % of the MACs in int8" in made.out
    plan.write_text('[model.int8]\nkeep = ["no such"]\n')
    wrong = sr_bench("quantize", net, "--precision", "int8_max", "--plan", plan, "--out", out)
    assert wrong.code == 1
    assert "keep = 'no such': the network has no such layer" in wrong.err


def test_a_single_photograph_can_t_be_held_out(sr_bench, int8_zoo: Int8Zoo) -> None:
    int8_zoo.write_card(plan="count = 1")
    result = sr_bench(*_args(int8_zoo, "--min-fidelity", "49"))
    assert result.code == 1
    assert "held out from each other: expected at least 2 of them, got 1" in result.err
