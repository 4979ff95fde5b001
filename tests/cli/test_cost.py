"""``sr-bench cost`` counts a model by every rule, without weights."""

import shutil
from pathlib import Path

import onnx
import pytest

from tests.files.image_nets import image_net

# The 1x1 convolution of the tiny network: 9 weights, no bias.
MACS = 9 * 20 * 30


def test_it_counts_at_the_asked_shape_by_every_rule(sr_bench) -> None:
    result = sr_bench("cost", "tiny_x2", "--suites", "my_zoo", "--shape", "3x20x30", "--json")
    assert (result.code, result.err) == (0, "")
    assert result.json["model"] == "tiny_x2"
    assert (result.json["params"], result.json["macs"]) == (9, MACS)
    assert result.json["shape"] == "3x20x30"
    assert result.json["card_rule"] == "standard"
    assert result.json["flops_g"]["standard"] == pytest.approx(2 * MACS / 1e9)
    assert result.json["flops_g"]["thop_0_1_1"] == pytest.approx(2 * MACS / 0.9e9)


def test_the_cards_shape_is_the_default(sr_bench) -> None:
    result = sr_bench("cost", "tiny_x2", "--suites", "my_zoo")
    assert result.code == 0
    assert "tiny_x2 at 3x1000x1000" in result.out
    assert "params  9 (0.000 M)" in result.out
    assert "MACs    9,000,000 (0.009 G)" in result.out
    assert "standard *" in result.out


def test_a_model_may_be_named_with_its_family(sr_bench) -> None:
    assert sr_bench("cost", "tiny/tiny_x2", "--suites", "my_zoo").code == 0


def test_an_unknown_model_ends_in_2_with_the_nearest(sr_bench) -> None:
    result = sr_bench("cost", "tiny_x3", "--suites", "my_zoo")
    assert (result.code, result.out) == (2, "")
    assert result.err == "sr-bench: no model 'tiny_x3'; did you mean 'tiny_x2'?\n"


def test_a_name_of_two_suites_needs_its_family(sr_bench, zoo, tmp_path: Path) -> None:
    shutil.copytree(zoo.suite, tmp_path / "other")
    result = sr_bench("cost", "tiny_x2", "--suites", "my_zoo", tmp_path)
    assert result.code == 2
    assert "'tiny_x2' is in several suites: say " in result.err
    assert all(name in result.err for name in ("tiny/tiny_x2", "other/tiny_x2"))


@pytest.mark.parametrize("shape", ["3x20", "3x0x20", "axbxc", "3x20x30x4", "3x-1x20", "²x2x2", ""])
def test_a_bad_shape_ends_in_2(sr_bench, shape: str) -> None:
    result = sr_bench("cost", "tiny_x2", "--suites", "my_zoo", f"--shape={shape}")
    assert result.code == 2
    assert "expected channels x height x width, such as 3x768x1024" in result.err


def test_a_shape_that_the_network_does_not_accept_ends_in_1(sr_bench) -> None:
    result = sr_bench("cost", "tiny_x2", "--suites", "my_zoo", "--shape", "4x8x8")
    assert result.code == 1
    assert result.err.startswith("sr-bench: ")


def test_an_absent_onnx_file_ends_in_3(sr_bench, zoo, tmp_path: Path) -> None:
    shutil.copytree(zoo.suite, tmp_path / "tiny")
    (tmp_path / "tiny" / "tiny.onnx").unlink()
    result = sr_bench("cost", "tiny_x2", "--suites", tmp_path)
    assert result.code == 3
    assert "put the ONNX file there" in result.err


def test_a_bare_onnx_file_is_counted_on_what_it_reads(sr_bench, tmp_path: Path) -> None:
    luma, fixed = tmp_path / "luma.onnx", tmp_path / "fixed.onnx"
    onnx.save(image_net("hw", channels=1), luma)
    onnx.save(image_net("nhwc", "uint8", dims=[1, 20, 30, 3]), fixed)
    result = sr_bench("cost", luma, "--json")
    assert (result.code, result.json["shape"], result.json["params"]) == (0, "1x256x256", 36)
    result = sr_bench("cost", fixed, "--json")
    assert (result.code, result.json["shape"]) == (0, "3x20x30")
    assert result.json["macs"] == 324 * 20 * 30
    assert sr_bench("cost", tmp_path / "gone.onnx").code == 2
