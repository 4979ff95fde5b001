"""agree: one file on several runtimes, judged against the card's limit or the command's."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from sr_bench.core.int8 import Int8Plan
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.write import quantise
from tests.engine.agree.conftest import Add, from_relu_on, runtime
from tests.int8_zoo import Int8Zoo, make_int8_zoo
from tests.precision.nets import exact_clips, images, residual_net

__all__ = ["runtime"]  # the fixture


@pytest.fixture
def agree(sr_bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: Add):
    """Return what runs the command on a zoo where tract gives half a level more."""
    monkeypatch.chdir(tmp_path)
    zoo: Int8Zoo = make_int8_zoo(tmp_path / "my_zoo")
    runtime("tract", from_relu_on)
    card = zoo.suite / "card.toml"
    card.write_text(f"{card.read_text()}\n[model.agree]\nmin_db = 60\n")

    def run(*more: object, backends: str = "onnxruntime,tract"):
        places = ("--suites", zoo.root, "--data", zoo.data)
        return sr_bench("agree", "res_x2", "--backends", backends, *places, *more)

    return run


def test_it_shows_the_matrix_the_pairs_and_the_layer(agree) -> None:
    done = agree("--limit", "2")
    assert done.code == 0
    head, _, _, _, matrix, *_ = done.out.splitlines()
    assert head.startswith("res/res_x2 fp32 on judged_x2, 2 images: onnxruntime ")
    assert matrix.split() == ["onnxruntime", "-", "60.2"]
    assert "onnxruntime - tract 60.2 60.2 " in " ".join(done.out.split())
    assert "begin to part at 'relu': " in done.out
    assert done.out.endswith(
        "within: onnxruntime and tract are 60.2 dB apart, expected at least 60 dB\n"
    )


def test_too_far_apart_exits_with_1_and_tells_programs(agree) -> None:
    done = agree("--min-db", "61", "--seconds", "0", "--json")
    assert done.code == 1
    assert done.json["status"] == "loss"
    assert done.json["pairs"][0]["images"][0]["max_levels"] == pytest.approx(0.5, rel=1e-2)
    assert done.json["partings"] == []


def test_the_page_shows_where_they_differ(agree, tmp_path: Path) -> None:
    page = tmp_path / "agree.html"
    assert agree("--seconds", "0", "--html", page).code == 0
    text = page.read_text()
    assert text.count("data:image/webp;base64,") == 2
    assert "onnxruntime minus tract around grey, times 64; 0.50 levels at most" in text


def test_what_no_picture_would_show_is_not_drawn(agree, runtime: Add, tmp_path: Path) -> None:
    runtime("tract", lambda _, output: output + np.float32(0.007 / 255))
    page = tmp_path / "agree.html"
    assert agree("--seconds", "0", "--limit", "1", "--html", page).code == 0
    text = page.read_text()
    assert "data:image/webp" not in text
    assert "No two differ enough for a picture to show it." in text


def test_a_bare_file_of_one_size_is_compared_tile_by_tile(agree, sr_bench, tmp_path: Path) -> None:
    model = onnx.load(tmp_path / "my_zoo" / "res" / "net.onnx")
    for value, sides in ((model.graph.input[0], (16, 20)), (model.graph.output[0], (32, 40))):
        for axis, side in zip(value.type.tensor_type.shape.dim[2:], sides, strict=True):
            axis.dim_value = side
    onnx.save(model, tmp_path / "fixed.onnx")
    places = ("--data", tmp_path / "my_zoo" / "images", "--dataset", "photos", "--limit", "1")
    done = sr_bench("agree", "fixed.onnx", "--backends", "onnxruntime,tract", *places)
    assert done.code == 0, done.err
    assert done.out.startswith("file/fixed fp32 on photos_x2, 1 image: ")
    assert "no limit is set" in done.out


@pytest.mark.parametrize("size", [None, (16, 20)])
def test_a_wrong_scale_of_a_bare_file_is_a_usage_error(
    agree, sr_bench, tmp_path: Path, size: tuple[int, int] | None
) -> None:
    model = onnx.load(tmp_path / "my_zoo" / "res" / "net.onnx")
    if size:
        for axis, side in zip(
            model.graph.input[0].type.tensor_type.shape.dim[2:], size, strict=True
        ):
            axis.dim_value = side
    onnx.save(model, tmp_path / "net.onnx")
    done = sr_bench("agree", "net.onnx", "--scale", "3", "--backends", "onnxruntime,tract")
    assert done.code == 2
    assert done.err.startswith("sr-bench: --scale 3: ")
    assert done.err.endswith("net.onnx enlarges by 2; say --scale 2\n")


def test_a_bare_int8_file_is_compared_as_it_is(agree, sr_bench, tmp_path: Path) -> None:
    network = residual_net(tmp_path / "net.onnx")
    clips, weights = exact_clips(network, images(3)), integer_weights(network, {})
    model = quantise(network, clips, weights, Int8Plan(rounding="nearest"), (), notes={})
    del model.metadata_props[:]  # as others write it
    onnx.save(model, tmp_path / "theirs.onnx")
    command = ("agree", "theirs.onnx", "--backends", "onnxruntime,tract", "--limit", "1")
    unnamed = sr_bench(*command)
    assert unnamed.code == 2
    assert "theirs.onnx is int8: '/head/Conv/weight/int' is stored" in unnamed.err
    done = sr_bench(*command, "--precision", "int8_max", "--seconds", "0")
    assert done.out.startswith("file/theirs int8_max on photos_x2, 1 image: ")
    helper.set_model_props(model, {"sr_bench.precision": "int8", "sr_bench.observer": "kl"})
    onnx.save(model, tmp_path / "theirs.onnx")
    assert sr_bench(*command, "--seconds", "0").out.startswith("file/theirs int8_kl on ")


@pytest.mark.parametrize(
    ("backends", "told"),
    [
        ("onnxruntime", "expected two names or more"),
        ("onnxruntime,tracts", "unknown name 'tracts'; did you mean 'tract'?"),
    ],
)
def test_a_wrong_list_of_backends_is_a_usage_error(agree, backends: str, told: str) -> None:
    done = agree(backends=backends)
    assert done.code == 2
    assert told in done.err


@pytest.mark.parametrize("option", [("--min-db", "0"), ("--limit", "-1"), ("--limit", "x")])
def test_a_wrong_number_is_a_usage_error(agree, option: tuple[str, str]) -> None:
    done = agree(*option)
    assert done.code == 2
    assert option[0] in done.err


def test_a_card_may_not_ask_for_nothing(agree, tmp_path: Path) -> None:
    card = tmp_path / "my_zoo" / "res" / "card.toml"
    card.write_text(card.read_text().replace("min_db = 60", "min_db = 0"))
    done = agree()
    assert done.code == 1
    assert "min_db" in done.err
