"""Published build files pass through the schema unchanged, mistakes don't, and ours are right."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from sr_bench.backends.vacc.build.vamc_yaml import build_of, build_text, read_build
from sr_bench.core.device import DevicePlan, Source
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError

PUBLISHED = json.loads(Path(__file__).with_name("published_builds.json").read_text())
"""Keys, joined by dots, and values of each file of Vastai/VastModelZOO, by its path there."""

SOURCE = Source(
    name="edsr/x2",
    onnx=Path("x2.onnx"),
    precision=Precision.FP16,
    plan=DevicePlan(),
    scale=2,
    white=1.0,
    channel_order="rgb",
)
INT8 = replace(SOURCE, precision=Precision("int8_max"))


def flattened(value: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    items = enumerate(value) if isinstance(value, list) else ()
    if isinstance(value, Mapping):
        items = value.items()
    elif not (isinstance(value, list) and value and isinstance(value[0], Mapping)):
        yield prefix, value
        return
    for key, item in items:
        yield from flattened(item, f"{prefix}.{key}".lstrip("."))


def nested(facts: Mapping[str, object]) -> object:
    """Undo `flattened`."""
    if "" in facts:
        return facts[""]
    groups: dict[str, dict[str, object]] = {}
    for key, value in facts.items():
        first, _, rest = key.partition(".")
        groups.setdefault(first, {})[rest] = value
    made = {key: nested(group) for key, group in groups.items()}
    return list(made.values()) if all(key.isdigit() for key in made) else made


def written(source: Source, **changes: object) -> dict[str, object]:
    arguments: dict[str, object] = {
        "input_name": "lr",
        "shape": (1, 3, 96, 128),
        "checkpoint": Path("x2.onnx"),
        "calibration": Path("images"),
        "count": 20,
        "workspace": Path("out"),
    }
    build = build_of(source, **{**arguments, **changes})
    assert read_build(build_text(build), "ours") == build
    return yaml.safe_load(build_text(build))


@pytest.mark.parametrize("path", PUBLISHED)
def test_a_published_file_comes_back_with_every_key_and_value(path: str) -> None:
    text = yaml.safe_dump(nested(PUBLISHED[path]), sort_keys=False)
    build = read_build(text, path)
    again = build_text(build)
    assert dict(flattened(yaml.safe_load(again))) == PUBLISHED[path]
    assert read_build(again, path) == build


def test_the_published_files_are_those_of_many_families() -> None:
    families = {path.split("/")[2] for path in PUBLISHED}
    assert len(PUBLISHED) == 25
    assert {"edsr", "rcan", "lesrcnn", "esrgan", "realsr"} < families


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("backend.quantize.alibrate_mode", "max", "did you mean 'calibrate_mode'?"),
        ("backend.compile.enable_graph_partion", True, "did you mean 'enable_graph_partition'?"),
        ("backend.dtype", "int4", "backend.dtype: should be 'fp16' or 'int8'"),
        ("backend.quantize.calibrate_mode", "entropy", "should be 'percentile'"),
        ("frontend.shape.input", [1, 3, 0, 8], "should be greater than 0"),
        ("dataset.process_ops.1.type", "Rezise", "unknown type 'Rezise'; did you mean 'Resize'?"),
        ("dataset.process_ops.1.div255", True, "Resize has no key 'div255'"),
        ("dataset.sampler.get_data_num", "50", "should be a valid integer"),
    ],
)
def test_a_mistake_is_named_with_what_to_write(key: str, value: object, message: str) -> None:
    facts = {**PUBLISHED["cv/super_resolution/esrgan/build_in/build/official_esrgan.yaml"]}
    with pytest.raises(BackendError) as caught:
        read_build(yaml.safe_dump(nested({**facts, key: value})), "my.yaml")
    assert str(caught.value).startswith("my.yaml: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("block", ["backend.quantize", "dataset"])
def test_int8_needs_its_calibration(block: str) -> None:
    facts = PUBLISHED["cv/super_resolution/esrgan/build_in/build/official_esrgan.yaml"]
    rest = {key: value for key, value in facts.items() if not key.startswith(block)}
    with pytest.raises(BackendError, match=r"int8 needs the blocks 'backend.quantize' and"):
        read_build(yaml.safe_dump(nested(rest)), "my.yaml")


@pytest.mark.parametrize("text", ["a: [", "just words", ""])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(BackendError, match=r"my.yaml: "):
        read_build(text, "my.yaml")


def test_fp16_is_neither_quantised_nor_calibrated() -> None:
    table = written(SOURCE)
    assert table == {
        "name": "edsr-x2-fp16",
        "frontend": {
            "shape": {"lr": [1, 3, 96, 128]},
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


def test_an_unknown_option_is_refused() -> None:
    plan = DevicePlan(options={"graph_partition": True})
    with pytest.raises(BackendError, match=r"edsr/x2: .*\n.*enable_graph_partition"):
        written(replace(SOURCE, plan=plan))


@pytest.mark.parametrize(
    ("source", "shape"),
    [(replace(INT8, white=2.0), (1, 3, 8, 8)), (INT8, (1, 1, 8, 8))],
    ids=["other white level", "one channel"],
)
def test_images_that_the_network_does_not_read_are_refused(
    source: Source, shape: tuple[int, int, int, int]
) -> None:
    with pytest.raises(BackendError, match="8-bit RGB images for networks of 3 channels"):
        written(source, shape=shape)


def test_int8_without_images_and_fp32_are_refused() -> None:
    with pytest.raises(BackendError, match="int8 needs the blocks"):
        written(INT8, calibration=None)
    with pytest.raises(BackendError, match="should be 'fp16' or 'int8'"):
        written(replace(SOURCE, precision=Precision.FP32))
