"""Named protocols say what the documents and scripts say; bad ones are refused at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from sr_bench.cards.protocol_files import load_protocol, parse_protocol, protocol_names
from sr_bench.core.protocol import EvalProtocol
from sr_bench.errors import CardError

WITH_SCRIPTS = (
    "lesrcnn",
    "edsr_basicsr",
    "edsr_official",
    "esrgan",
    "rcan_official",
    "rcan_basicsr",
    "realsr",
)
OTHERS = {
    "authors_lesrcnn",
    "basicsr_rgb",
    "edsr_benchmark_y",
    "edsr_div2k_rgb",
    "edsr_x1_options",
    "edsr_x1_seed",
    "native_rgb",
    "paper_y",
    "realsr_data_script",
}


def test_every_documented_protocol_has_a_file() -> None:
    scripts = {f"{family}_{kind}" for family in WITH_SCRIPTS for kind in ("seed", "vamp", "vsx")}
    assert set(protocol_names()) == scripts | OTHERS
    assert list(protocol_names()) == sorted(protocol_names())


@pytest.mark.parametrize("name", protocol_names())
def test_a_protocol_is_named_like_its_file_and_says_where_it_was_read(name: str) -> None:
    protocol = load_protocol(name)
    assert protocol.name == name
    assert protocol.source


@pytest.mark.parametrize("name", protocol_names())
def test_a_protocol_file_starts_with_a_comment_on_what_it_is(name: str, project_root: Path) -> None:
    text = (project_root / f"sr_bench/cards/protocols/{name}.toml").read_text("utf-8")
    assert text.startswith("# ")


def test_paper_y_is_8_bit_output_float_luma_and_the_scale_cropped() -> None:
    protocol = load_protocol("paper_y")
    assert (protocol.colour, protocol.rounding, protocol.clip) == ("y_float", "round", True)
    assert [protocol.border_px(scale) for scale in (2, 3, 4)] == [2, 3, 4]


@pytest.mark.parametrize(
    ("name", "lr", "shape", "gt", "clip", "rounding"),
    [
        ("lesrcnn_seed", "cv2_area", (128, 128), "cv2_area", True, "round"),
        ("lesrcnn_vamp", "cv2_linear", (128, 128), "cv2_area", True, "round"),
        ("lesrcnn_vsx", "cv2_linear", (128, 128), "cv2_linear", True, "none"),
        ("edsr_basicsr_vamp", "cv2_linear", (678, 1024), "cv2_area", True, "none"),
        ("edsr_official_vamp", "cv2_linear", (256, 256), "cv2_area", False, "none"),
        ("edsr_official_vsx", "cv2_linear", (256, 256), "cv2_linear", True, "none"),
        ("rcan_official_seed", "cv2_linear", (1080, 1920), "cv2_linear", False, "none"),
        ("rcan_basicsr_vamp", "cv2_linear", (1080, 1920), "cv2_area", True, "none"),
        ("realsr_seed", "cv2_area", (128, 128), "cv2_area", True, "round"),
        ("realsr_vsx", "pil_bicubic", (128, 128), "pil_bicubic", True, "none"),
        ("edsr_x1_seed", None, None, None, True, "none"),
    ],
)
def test_the_scripts_differ_in_the_places_that_were_found(
    name, lr, shape, gt, clip, rounding
) -> None:
    p = load_protocol(name)
    assert (p.lr_resize, p.input_shape, p.gt_resize) == (lr, shape, gt)
    assert (p.clip, p.rounding, p.border) == (clip, rounding, "none")


def test_only_the_realsr_vamp_script_prints_the_ssim_of_the_last_image() -> None:
    last = [n for n in protocol_names() if load_protocol(n).ssim_aggregation != "mean"]
    assert last == ["realsr_vamp"]


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(CardError, match=r"unknown protocol 'papery'; did you mean 'paper_y'\?"):
        load_protocol("papery")


def test_an_empty_table_makes_the_plainest_choices() -> None:
    assert parse_protocol("mine", {}, where="card.toml") == EvalProtocol("mine")


def test_a_base_holds_where_the_table_makes_no_choice() -> None:
    mine = parse_protocol("mine", {"base": "lesrcnn_vsx", "border": 4}, where="card.toml")
    expected = load_protocol("lesrcnn_vsx").choices() | {"border": 4}
    assert (mine.name, mine.source, mine.choices()) == ("mine", "", expected)


def test_none_undoes_what_the_base_chose() -> None:
    table = {"base": "lesrcnn_seed", "gt_resize": "none", "lr_resize": "none"}
    mine = parse_protocol("mine", table | {"input_shape": "none"}, where="card.toml")
    assert (mine.gt_resize, mine.lr_resize, mine.input_shape) == (None, None, None)
    assert mine.rounding == "round"


def test_a_choice_equal_to_the_default_still_overrides_the_base() -> None:
    table = {"base": "edsr_official_vamp", "clip": True, "border": "none", "rounding": "none"}
    assert parse_protocol("mine", table, where="card.toml").clip is True


def test_all_faults_are_listed_with_their_keys() -> None:
    table = {"bordr": 2, "colour": "yuv", "clip": "yes", "input_shape": [128], "border": -1}
    with pytest.raises(CardError) as caught:
        parse_protocol("mine", table, where="card.toml: protocol.mine")
    message = str(caught.value)
    assert message.startswith("card.toml: protocol.mine: ")
    assert "bordr: unknown key; did you mean 'border'?" in message
    assert all(key in message for key in ("colour", "clip", "input_shape", "border"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"base": "paper_x"}, r"base: unknown protocol 'paper_x'; did you mean 'paper_y'\?"),
        ({"lr_from": "hr"}, 'lr_from = "hr" needs lr_resize'),
        ({"input_shape": [8, 8]}, "input_shape needs lr_resize"),
        ({"lr_resize": "cv2_area"}, "lr_resize needs input_shape"),
        ({"clip": False}, "rounding to 8 bits needs clip = true"),
        ({"input_shape": [0, 8], "lr_resize": "cv2_area"}, "input_shape"),
        ({"input_range": -1.0}, "input_range"),
        ({"border": True}, "border"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(table: dict, message: str) -> None:
    with pytest.raises(CardError, match=message):
        parse_protocol("mine", table, where="card.toml")


def test_contradictions_are_all_listed() -> None:
    table = {"lr_from": "hr", "clip": False}
    with pytest.raises(CardError, match=r"(?s)2 faults.*lr_resize.*clip = true"):
        parse_protocol("mine", table, where="card.toml")


def test_reading_protocols_imports_no_numpy() -> None:
    code = (
        "import sys; from sr_bench.cards.protocol_files import load_protocol;"
        "load_protocol('paper_y'); sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
