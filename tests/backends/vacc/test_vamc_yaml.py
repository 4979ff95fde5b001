"""Our build files have what published ones have, and say what the card and the network say."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from sr_bench.backends.vacc.build.vamc_yaml import build_of, build_text
from sr_bench.core.device import CompilerInput, DevicePlan, Shape
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError
from tests.backends.vacc.vamc_input import photo

PUBLISHED = json.loads(Path(__file__).with_name("published_builds.json").read_text())
"""Keys, joined by dots, and values of each file of Vastai/VastModelZOO, by its path there."""

SOURCE = CompilerInput(
    name="edsr/x2",
    onnx=Path("x2.onnx"),
    precision=Precision.FP16,
    plan=DevicePlan(),
    scale=2,
    white=1.0,
    channel_order="rgb",
)
INT8 = replace(SOURCE, precision=Precision("int8_max"), calibration=(photo,) * 20)


def flattened(value: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield keys, joined by dots, and values; items of a list share the list's key."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from flattened(item, f"{prefix}.{key}".lstrip("."))
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for item in value:
            yield from flattened(item, prefix)
    else:
        yield prefix, value


def written(source: CompilerInput, shape: Shape = (1, 3, 96, 128)) -> dict[str, object]:
    build = build_of(
        source,
        input_name="input",
        shape=shape,
        checkpoint=Path("x2.onnx"),
        calibration=Path("images"),
        workspace=Path("out"),
    )
    return yaml.safe_load(build_text(build))


@pytest.mark.parametrize("path", PUBLISHED)
def test_options_of_a_published_file_are_passed_on(path: str) -> None:
    start = "backend.compile."
    options = {
        key.removeprefix(start): value
        for key, value in PUBLISHED[path].items()
        if key.startswith(start) and not isinstance(value, list)
    }
    table = written(replace(SOURCE, plan=DevicePlan(options=options)))
    assert table["backend"]["compile"] == options


def test_our_keys_are_in_published_files_with_values_of_the_same_types() -> None:
    published: dict[str, set[type]] = {}
    for facts in PUBLISHED.values():
        for key, value in facts.items():
            published.setdefault(re.sub(r"\.\d+", "", key), set()).add(type(value))
    for source in (SOURCE, replace(INT8, channel_order="bgr")):
        for key, value in flattened(written(source)):
            assert type(value) in published[key], key


def test_the_published_files_are_those_of_many_families() -> None:
    families = {path.split("/")[2] for path in PUBLISHED}
    assert len(PUBLISHED) == 25
    assert {"edsr", "rcan", "lesrcnn", "esrgan", "realsr"} < families


def test_fp16_is_neither_quantised_nor_calibrated() -> None:
    table = written(SOURCE)
    assert table == {
        "name": "edsr-x2-fp16",
        "frontend": {
            "shape": {"input": [1, 3, 96, 128]},
            "type": "onnx",
            "checkpoint": "x2.onnx",
            "dtype": "fp32",
        },
        "backend": {
            "type": "tvm_vacc",
            "dtype": "fp16",
            "compile": {"data_transport_mode": 1},
        },
        "workspace": {"path": "out"},
    }
    assert list(table) == ["name", "frontend", "backend", "workspace"]


def test_int8_reads_its_images_as_the_network_does() -> None:
    table = written(INT8)
    assert table["backend"]["quantize"] == {"calibrate_mode": "max", "quantize_per_channel": True}
    assert table["dataset"] == {
        "type": "tvm",
        "path": "images",
        "sampler": {"suffix": "png", "get_data_num": 20},
        "process_ops": [
            {"type": "DecodeImage", "backend": "pillow"},
            {"type": "Normalize", "div255": True, "norm_type": None},
            {"type": "ToTensor"},
        ],
    }


def test_levels_up_to_255_are_not_divided() -> None:
    steps = written(replace(INT8, white=255.0))["dataset"]["process_ops"]
    assert [step["type"] for step in steps] == ["DecodeImage", "ToTensor"]


def test_channels_are_swapped_before_they_are_normalised() -> None:
    steps = written(replace(INT8, channel_order="bgr"))["dataset"]["process_ops"]
    assert steps[1] == {"type": "CvtColor", "code": "COLOR_RGB2BGR"}
    assert steps[2]["type"] == "Normalize"


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        (Precision("int8_mse"), {"calibrate_mode": "mse"}),
        (Precision("int8_kl"), {"calibrate_mode": "kl_divergence"}),
        (Precision("int8_percentile"), {"calibrate_mode": "percentile", "calibrate_range": 0.9999}),
    ],
)
def test_each_calibration_has_the_compilers_name(
    precision: Precision, expected: dict[str, object]
) -> None:
    plan = DevicePlan(calibrate_range=0.9999, per_channel=False)
    table = written(replace(INT8, precision=precision, plan=plan))
    assert table["backend"]["quantize"] == {**expected, "quantize_per_channel": False}


def test_skipped_layers_and_options_are_passed_on() -> None:
    plan = DevicePlan(options={"enable_graph_partition": True, "data_transport_mode": 3})
    table = written(replace(INT8, plan=plan, skip_layers=(0, 7)))
    assert table["backend"]["quantize"]["skip_conv_layers"] == [0, 7]
    assert table["backend"]["compile"] == {"enable_graph_partition": True, "data_transport_mode": 3}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"graph_partition": True}, "did you mean 'enable_graph_partition'?"),
        ({"cluster_mode": "0"}, "cluster_mode: expected a valid integer"),
        ({"output_ddr": 1}, "output_ddr: unknown key"),
    ],
)
def test_a_wrong_option_is_refused_with_what_to_write(
    option: dict[str, int | bool | str], message: str
) -> None:
    with pytest.raises(BackendError) as caught:
        written(replace(SOURCE, plan=DevicePlan(options=option)))
    assert str(caught.value).startswith("edsr/x2: the card's vacc.options: 1 fault")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("source", "shape", "got"),
    [
        (replace(INT8, white=2.0), (1, 3, 8, 8), "3 channels of values from 0 to 2: use fp16"),
        (INT8, (1, 1, 8, 8), "1 channel of values from 0 to 1: use fp16"),
        (replace(INT8, white=0.0), (1, 3, 8, 8), r"that no white level alone makes \(range, mean"),
    ],
    ids=["other white level", "one channel", "black is not 0"],
)
def test_images_that_the_network_does_not_read_are_refused(
    source: CompilerInput, shape: Shape, got: str
) -> None:
    with pytest.raises(BackendError, match=f"8-bit RGB images for networks of 3 .*, got .*{got}"):
        written(source, shape)


def test_int8_without_images_and_fp32_are_refused() -> None:
    with pytest.raises(BackendError, match="edsr/x2: int8 needs calibration images, got none"):
        written(replace(INT8, calibration=()))
    with pytest.raises(BackendError, match="the card's compiler makes fp16 and int8, got fp32"):
        written(replace(SOURCE, precision=Precision.FP32))
