"""Inputs that int8 can't take, or takes badly: each has a clear outcome and leaves no trace."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from sr_bench.core.precision import Precision
from sr_bench.core.record import Record, Status
from sr_bench.engine.bench import Bench
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from sr_bench.imaging.files import write_png
from tests.int8_zoo import Int8Zoo, make_int8_zoo


@pytest.fixture
def zoo(tmp_path: Path) -> Int8Zoo:
    return make_int8_zoo(tmp_path / "my_zoo")


def _gate(zoo: Int8Zoo, progress: object = lambda *_: None, **options: object) -> Record:
    settings = {"data": zoo.data, "precisions": (Precision("int8_kl"),), "explain_s": 0.0} | options
    chosen = Selection(**settings)
    (case,) = (
        case
        for case in plan(load_suite(zoo.suite / "card.toml"), chosen)
        if case.metric == "fidelity"
    )
    return Bench(chosen).evaluate(case, case.id, progress)


def _edit(zoo: Int8Zoo, edit: object, **save: object) -> None:
    path = zoo.suite / "net.onnx"
    model = onnx.load(path)
    edit(model)
    path.unlink()
    onnx.save(model, path, **save)


def _seen(zoo: Int8Zoo, *levels: int) -> None:
    """Let the calibration images be of one colour each."""
    for number, level in enumerate(levels, 1):
        for kind, size in (("LR", 12), ("HR", 24)):
            image = np.full((size, size, 3), level, np.uint8)
            write_png(zoo.data / "seen" / kind / f"seen{number}.png", image)


def test_a_single_image_is_enough_to_calibrate_and_is_reported(zoo: Int8Zoo) -> None:
    zoo.write_card(plan="count = 1", limit=20.0)
    record = _gate(zoo)
    assert record.verdict.status is Status.WITHIN
    assert record.detail.calibration_images == "1"


def test_images_without_any_contrast_still_make_a_network(zoo: Int8Zoo) -> None:
    _seen(zoo, 0, 0, 0, 0)
    zoo.write_card(limit=90.0)
    record = _gate(zoo)
    assert record.verdict.status is Status.LOSS
    assert np.isfinite(record.measurement.value)


def test_a_value_that_is_not_finite_is_named_with_its_tensor_and_image(zoo: Int8Zoo) -> None:
    def spoil(model: onnx.ModelProto) -> None:
        (bias,) = (t for t in model.graph.initializer if t.name == "body.0.bias")
        values = numpy_helper.to_array(bias).copy()
        values[0] = np.inf
        bias.CopyFrom(numpy_helper.from_array(values, bias.name))

    _edit(zoo, spoil)
    record = _gate(zoo)
    assert record.verdict.status is Status.ERROR
    assert "'relu'" in record.verdict.sentence
    assert "expected finite numbers to calibrate with" in record.verdict.sentence
    assert "1" in record.verdict.sentence


def test_an_operator_that_stays_float_is_named(zoo: Int8Zoo) -> None:
    def attend(model: onnx.ModelProto) -> None:
        eye = np.eye(12, dtype=np.float32)
        model.graph.initializer.append(numpy_helper.from_array(eye, "eye"))
        model.graph.node.insert(0, helper.make_node("MatMul", ["x", "eye"], ["same"], name="mix"))
        model.graph.node[1].input[0] = "same"

    _edit(zoo, attend)
    rng = np.random.default_rng(1)
    for slug in ("seen", "judged"):
        for kind, size in (("LR", 12), ("HR", 24)):
            for path in sorted((zoo.data / slug / kind).glob("*.png")):
                write_png(path, rng.integers(0, 255, (size, size, 3)).astype(np.uint8))
    zoo.write_card(plan='keep = ["tail"]', limit=20.0)
    record = _gate(zoo)
    assert record.verdict.status is Status.WITHIN, record.verdict.sentence
    assert record.detail.float_operators == "MatMul 'mix'"


def test_a_file_with_external_data_and_open_sizes_is_quantised(zoo: Int8Zoo) -> None:
    _edit(zoo, lambda _model: None, save_as_external_data=True, size_threshold=0)
    assert _gate(zoo).verdict.status is Status.WITHIN


def test_a_network_of_an_old_opset_is_converted(zoo: Int8Zoo) -> None:
    def age(model: onnx.ModelProto) -> None:
        model.opset_import[0].version = 11

    _edit(zoo, age)
    assert _gate(zoo).verdict.status is Status.WITHIN


def test_a_budget_that_is_too_small_says_how_much_it_takes(zoo: Int8Zoo) -> None:
    record = _gate(zoo, calibration_bytes=2**10)
    assert record.verdict.status is Status.ERROR
    assert "sr_calibration_memory" in record.verdict.sentence


def test_the_budget_changes_no_number(zoo: Int8Zoo, cache: Path) -> None:
    records = []
    for mib, threads in ((16, 1), (2048, 3)):
        for path in sorted(cache.rglob("*.*")):
            path.unlink()
        records.append(_gate(zoo, calibration_bytes=mib * 2**20, threads=threads))
    assert records[0].measurement == records[1].measurement
    assert records[0].measurement is not None


def test_an_interrupted_calibration_leaves_nothing_and_starts_again(
    zoo: Int8Zoo, cache: Path
) -> None:
    def interrupt(done: int, _planned: int, _image: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _gate(zoo, interrupt)
    assert list((cache / "calibration").glob("*")) == []
    assert _gate(zoo).verdict.status is Status.WITHIN
    assert len(list((cache / "calibration").glob("*.npz"))) == 1


@pytest.mark.filterwarnings("ignore::sr_bench.errors.CacheWarning")
@pytest.mark.parametrize("kept_bytes", [None, 100])
def test_a_kept_calibration_makes_the_same_file_and_a_damaged_one_is_made_again(
    zoo: Int8Zoo, cache: Path, kept_bytes: int | None
) -> None:
    first = _gate(zoo)
    made = {path.name for path in (cache / "onnx").glob("*")}  # by content
    for folder in {path for path in cache.iterdir() if path.name != "calibration"}:
        shutil.rmtree(folder)
    (kept,) = (cache / "calibration").glob("*.npz")
    content = kept.read_bytes()
    kept.write_bytes(content[:kept_bytes])
    assert _gate(zoo).measurement == first.measurement
    assert {path.name for path in (cache / "onnx").glob("*")} == made
    assert kept.read_bytes() == content


def test_channels_are_scaled_unless_the_plan_leaves_them(zoo: Int8Zoo, cache: Path) -> None:
    _gate(zoo)
    zoo.write_card(plan='channels = "given"')
    _gate(zoo)
    weights = [
        {tensor.name: tensor.raw_data for tensor in onnx.load(path).graph.initializer}
        for path in (cache / "onnx").glob("*-*.onnx")
    ]
    assert len(weights) == 2
    assert any(weights[0][name] != weights[1][name] for name in weights[0] if "scale" in name)


def test_a_layer_to_keep_that_is_not_there_names_the_nearest(zoo: Int8Zoo) -> None:
    zoo.write_card(plan='keep = ["tial"]')
    record = _gate(zoo)
    assert record.verdict.status is Status.ERROR
    assert "keep = 'tial': the network has no such layer" in record.verdict.sentence
    assert "did you mean 'tail'?" in record.verdict.sentence


def test_a_dataset_that_cannot_calibrate_is_named_with_the_key_for_another(zoo: Int8Zoo) -> None:
    (manifest,) = (path for path in zoo.root.rglob("dataset.toml") if path.parent.name == "seen")
    manifest.write_text(manifest.read_text().replace("scales = [2]", "scales = [3]"))
    said = _gate(zoo).verdict.sentence
    assert "seen has no x2" in said
    assert "calibration under [model.int8]" in said
