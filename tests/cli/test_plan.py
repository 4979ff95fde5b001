"""plan: the search, its front, what it writes, and what it says where there is no plan."""

import argparse
import tomllib
from pathlib import Path

import onnx
import pytest
from onnx import helper

from sr_bench.cards.load import load_card
from sr_bench.cli._args.networks import add_network_arguments, find_card
from sr_bench.core.found import Candidate
from sr_bench.engine.search.held_out import HeldOut
from sr_bench.imaging.files import read_image, write_png
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
    assert shares == sorted(shares, reverse=True)
    # None with less in float was found that passes.
    assert all(one["unseen_db"] < 49 for one in found["front"]
               if one["int8_share"] > found["chosen"]["int8_share"])  # fmt: skip

    result = sr_bench(*_args(int8_zoo, "--min-fidelity", "49"))
    assert result.code == 0
    assert "+#  Found by sr-bench plan" in result.out
    (model,) = load_card(int8_zoo.suite / "card.toml").models
    assert list(model.int8.keep) == keep
    assert model.int8.calibration == "seen"  # the other keys stay


def test_a_plan_reaches_its_goal_with_a_margin_that_its_provenance_tells(
    sr_bench, int8_zoo: Int8Zoo
) -> None:
    found = sr_bench(*_args(int8_zoo, "--min-fidelity", "47", "--dry-run", "--json")).json
    for one in found["front"]:
        assert one["unseen_db"] < min(one["worst_db"], one["ring_db"])
    sufficient = [one for one in found["front"] if one["unseen_db"] >= 47]
    assert found["chosen"] in sufficient

    result = sr_bench(*_args(int8_zoo, "--min-fidelity", "47"))
    chosen = found["chosen"]
    assert "unseen: what the worst of 4 others like these has at least" in result.out
    told = (int8_zoo.suite / "card.toml").read_text().replace("\n#  ", " ")
    assert f"expect {chosen['unseen_db']:.2f} dB of the worst of 4 unseen images like these" in told
    assert "(their mean less 4.7 standard deviations)" in told


def test_half_of_the_images_make_no_plan_look_finer_than_it_will_be(
    sr_bench, int8_zoo: Int8Zoo
) -> None:
    args = _args(int8_zoo, "--min-fidelity", "1", "--seconds", "0.001", "--json", "--dry-run")
    assert sr_bench(*args).json["front"][0]["narrower_db"] < 0.3
    for number in (1, 2, 4):  # the third alone needs wide ranges
        path = int8_zoo.data / "seen" / "LR" / f"seen{number}.png"
        write_png(path, read_image(path) // 4)
    assert sr_bench(*args).json["front"][0]["narrower_db"] > 2


def test_skips_in_int8_are_taken_where_they_reach_the_goal_faster(
    sr_bench, int8_zoo: Int8Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def timed(_self: HeldOut, candidates: list[Candidate], _observer: str) -> object:
        return 9.0, [1.0 if one.skips == "int8" else 2.0 for one in candidates]

    monkeypatch.setattr(HeldOut, "timed", timed)
    result = sr_bench(*_args(int8_zoo, "--min-fidelity", "30"))
    assert result.code == 0
    (model,) = load_card(int8_zoo.suite / "card.toml").models
    assert (model.int8.skips, model.int8.keep) == ("int8", ())

    monkeypatch.setattr(HeldOut, "timed", lambda _, some, __: (9.0, [2.0] * len(some)))
    assert sr_bench(*_args(int8_zoo, "--min-fidelity", "30")).code == 0
    (model,) = load_card(int8_zoo.suite / "card.toml").models
    assert model.int8.skips == "float"  # the key of before is gone


def test_where_no_plan_reaches_the_fidelity_the_best_is_told(sr_bench, int8_zoo: Int8Zoo) -> None:
    result = sr_bench(*_args(int8_zoo, "--min-fidelity", "90"))
    assert result.code == 1
    assert "no plan reaches 90 dB on unseen images: the best found has" in result.err
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
        (("--seconds", "0"), 2, "--seconds 0: expected a number above 0"),
        (("--min-fidelity", "-3"), 2, "--min-fidelity -3: expected a number above 0"),
        (("--max-latency", "nan"), 2, "--max-latency nan: expected a number above 0"),
        (("--min-fidelity", "good"), 2, "--min-fidelity good: expected a number above 0"),
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


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ('keep = ["tial"]', "keep = 'tial': the network has no such layer; did you mean 'tail'"),
        ('observers = { tial = "kl" }', "observers = 'tial': the network has no such layer"),
    ],
)
def test_a_card_whose_plan_names_no_layer_is_told_before_the_search(
    sr_bench, int8_zoo: Int8Zoo, plan: str, message: str
) -> None:
    int8_zoo.write_card(plan=plan)
    result = sr_bench(*_args(int8_zoo, "--min-fidelity", "49"))
    assert result.code == 1
    assert message in result.err
    assert not result.out


def test_the_card_s_own_plan_may_break_a_limit(sr_bench, int8_zoo: Int8Zoo) -> None:
    int8_zoo.write_card(plan='keep = ["head", "body.*", "tail"]')
    limits = ("--min-fidelity", "49", "--max-float-share", "0.01")
    result = sr_bench(*_args(int8_zoo, *limits))
    assert result.code == 1
    assert "no plan that reaches 49 dB keeps to --max-float-share 0.01: the front" in result.err


def test_the_plan_of_a_bare_file_of_one_size_is_taken_by_quantize(
    sr_bench, int8_zoo: Int8Zoo, tmp_path: Path
) -> None:
    net, plan, out = int8_zoo.suite / "net.onnx", tmp_path / "plan.toml", tmp_path / "int8.onnx"
    model = onnx.load(net)
    for axis, dim in enumerate(model.graph.input[0].type.tensor_type.shape.dim):
        dim.dim_value = (1, 3, 16, 16)[axis]
    onnx.save(model, net)
    plan.write_text('[model.int8]\ncalibration = "seen"\n')
    bare = (net, "--plan", plan, "--data", int8_zoo.data)
    found = sr_bench("plan", *bare, "--min-fidelity", "1", "--seconds", "1", "--out", plan)
    assert found.code == 0
    assert f"use it with sr-bench quantize {net} --plan {plan}" in found.out
    assert plan.read_text().startswith("[model.int8]\n#  Found by sr-bench plan")
    written = tomllib.loads(plan.read_text())["model"]["int8"]
    assert written.keys() <= {"observers", "calibration", "skips"}  # skips where they are faster
    assert written["calibration"] == "seen"  # which it was found with

    plan.write_text('[model.int8]\nkeep = ["head"]\ncalibration = "seen"\n')
    made = sr_bench("quantize", *bare, "--precision", "int8_max", "--out", out)
    assert made.code == 0
    assert "95.2 % of the MACs in int8" in made.out
    plan.write_text('[model.int8]\nkeep = ["no such"]\ncalibration = "seen"\n')
    wrong = sr_bench("quantize", *bare, "--precision", "int8_max", "--out", out)
    assert wrong.code == 1
    assert "keep = 'no such': the network has no such layer" in wrong.err


def test_a_single_photograph_can_t_be_held_out(sr_bench, int8_zoo: Int8Zoo) -> None:
    int8_zoo.write_card(plan="count = 1")
    result = sr_bench(*_args(int8_zoo, "--min-fidelity", "49"))
    assert result.code == 1
    assert "held out from each other: expected at least 2 of them, got 1" in result.err


def test_a_bare_file_tells_what_its_sides_are_multiples_of(tmp_path: Path) -> None:
    ends = [helper.make_tensor_value_info(name, 1, [1, 3, None, None]) for name in "xy"]
    nodes = [
        helper.make_node("SpaceToDepth", ["x"], ["parts"], blocksize=4),
        helper.make_node("DepthToSpace", ["parts"], ["y"], blocksize=4),
    ]
    graph = helper.make_graph(nodes, "windows", ends[:1], ends[1:])
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    onnx.save(model, tmp_path / "net.onnx")
    parser = argparse.ArgumentParser()
    add_network_arguments(parser, precision="int8_max")
    args = parser.parse_args([str(tmp_path / "net.onnx"), "--scale", "1"])
    assert find_card(args).input.multiple_of == 4
