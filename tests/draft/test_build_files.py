import json
from pathlib import Path

import pytest

from sr_bench.draft.build_files import read_build_file, read_device_file
from sr_bench.draft.found import OPEN
from sr_bench.draft.scripts import NORMALISED
from tests.draft.port import BUILD, DEVICE


def built(text: str = BUILD) -> dict[str, object]:
    return {each.choice: each.value for each in read_build_file(text, "build.yaml")}


def device(**config: object) -> dict[str, object]:
    text = json.dumps({"OpConfig": DEVICE["OpConfig"] | config})
    return {each.choice: each.value for each in read_device_file(text, "device.json")}


def test_a_build_file_tells_size_range_and_calibration():
    assert built() == {
        "input_shape": (96, 64),
        "channels": 3,
        "calibration": "kl_divergence",
        "calibrated_on": "/data/DIV2K_train/X2",
        "value_range": 1.0,
    }


def test_what_a_build_file_says_has_its_line():
    found = {each.choice: each.where for each in read_build_file(BUILD, "b.yaml")}

    assert found["calibration"] == "b.yaml:8"


@pytest.mark.parametrize(
    ("step", "white"),
    [
        ("norm_type: null", 1.0),
        ("norm_type: None\n      div255: false", 255.0),
        ("mean: [0.0, 0.0, 0.0]\n      std: [1.0, 1.0, 1.0]", 1.0),
    ],
)
def test_the_range_follows_from_normalize(step, white):
    assert built(BUILD.replace("norm_type: null", step))["value_range"] == white


def test_without_normalize_the_network_takes_levels():
    assert built(BUILD.replace("    - type: Normalize\n      norm_type: null\n", ""))[
        "value_range"
    ] == (255.0)


def test_a_mean_that_is_taken_off_is_left_to_a_person():
    normal = built(BUILD.replace("norm_type: null", "mean: [0.5, 0.5, 0.5]\n      std: [0.5]"))

    assert normal[OPEN] == NORMALISED
    assert "value_range" not in normal


def test_a_network_of_one_channel_and_a_chain_of_resizes_are_left_to_a_person():
    assert "Y alone" in str(built(BUILD.replace("1, 3, 96, 64", "1, 1, 96, 64"))[OPEN])
    twice = BUILD.replace(
        "size: [96, 64]", "size: [12, 8]\n    - type: Resize\n      size: [96, 64]"
    )
    assert "several steps: [12, 8], [96, 64]" in str(built(twice)[OPEN])


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, {"input_shape": (96, 64), "lr_resize": "cv2_linear", "value_range": 1.0}),
        ({"NormaType": "EQUAL"}, {"value_range": 255.0}),
        ({"NormaType": "DIV255", "Std": [6e-8] * 3}, {"value_range": 1.0}),
        ({"Mean": [0.5] * 3, "Std": [0.5] * 3}, {OPEN: NORMALISED}),
        ({"ColorCvtCode": "RGB2BGR_PLANAR"}, {"channel_order": "bgr"}),
    ],
)
def test_a_device_file_tells_size_rule_and_range(config, said):
    assert said.items() <= device(**config).items()


@pytest.mark.parametrize(
    "text",
    ["", "[", "- a", "backend: 3", "a: &a [*a]", "\t", "backend: {}\ndataset: {process_ops: [3]}"],
)
def test_a_file_that_is_no_build_file_says_nothing(text):
    assert read_build_file(text, "x.yaml") == ()


@pytest.mark.parametrize(
    "text", ["", "[" * 100_000, "{}", '{"OpConfig": 3}', '{"OpConfig": {"a": 1}}']
)
def test_a_file_that_is_no_device_file_says_nothing(text):
    assert read_device_file(text, "x.json") == ()


def test_yaml_makes_no_object_of_python(tmp_path: Path):
    touched = tmp_path / "touched"
    call = f"!!python/object/apply:os.system ['touch {touched}']"

    assert read_build_file(f"backend: {{a: 1}}\nframe: {call}", "x.yaml") == ()
    assert not touched.exists()
