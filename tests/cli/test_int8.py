"""quantize, calibrate and explain, for a model of a card and for a bare ONNX file."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from tests.files.image_nets import image_net
from tests.int8_zoo import Int8Zoo, make_int8_zoo


@pytest.fixture
def int8_zoo(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Int8Zoo:
    monkeypatch.chdir(tmp_path)
    return make_int8_zoo(tmp_path / "my_zoo")


def _places(zoo: Int8Zoo) -> tuple[object, ...]:
    return ("--suites", zoo.root, "--data", zoo.data)


def _notes(path: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def test_an_artefact_holds_its_provenance(sr_bench, int8_zoo: Int8Zoo, tmp_path: Path) -> None:
    out = tmp_path / "int8.onnx"
    result = sr_bench(
        "quantize", "res_x2", "--precision", "kl_divergence int8", "--out", out, *_places(int8_zoo)
    )
    assert result.code == 0
    made = "res_x2 int8_kl; clip ranges by kl; 100.0 % of the MACs in int8"
    assert result.out == f"{out}: {made}; 100.0 % of the MACs in integers on plain onnxruntime\n"
    onnx.checker.check_model(out, full_check=True)
    notes = _notes(out)
    assert notes["sr_bench.precision"] == "int8"
    assert notes["sr_bench.observer"] == "kl"
    assert notes["sr_bench.model"] == "res/res_x2"
    assert notes["sr_bench.calibration_set"] == "seen_x2"
    assert notes["sr_bench.calibration_images"] == "4"
    assert len(notes["sr_bench.calibration_digest"]) == len(notes["sr_bench.network"]) == 64
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    assert session.run(None, {"x": np.zeros((1, 3, 9, 7), np.float32)})[0].shape == (1, 3, 18, 14)


def test_ranges_can_be_saved_and_used_again(sr_bench, int8_zoo: Int8Zoo, tmp_path: Path) -> None:
    ranges, first, second = (tmp_path / name for name in ("r.json", "one.onnx", "other.onnx"))
    places = _places(int8_zoo)
    result = sr_bench("calibrate", "res_x2", "--precision", "int8_max", "--out", ranges, *places)
    assert result.code == 0
    assert "clip ranges of res_x2 by max, from 4 images of seen_x2" in result.out
    quantize = ("quantize", "res_x2", "--precision", "int8_max", *places)
    assert sr_bench(*quantize, "--out", first).code == 0
    assert sr_bench(*quantize, "--out", second, "--ranges", ranges).code == 0
    assert onnx.load(first).graph == onnx.load(second).graph
    assert _notes(first) == _notes(second)


def test_other_ranges_make_another_network(sr_bench, int8_zoo: Int8Zoo, tmp_path: Path) -> None:
    ranges, first, second = (tmp_path / name for name in ("r.json", "one.onnx", "other.onnx"))
    quantize = ("quantize", "res_x2", "--precision", "int8_max", *_places(int8_zoo))
    sr_bench("calibrate", "res_x2", "--out", ranges, *_places(int8_zoo))
    text = json.loads(ranges.read_text())
    text["clip"]["relu"]["high"] *= 2
    ranges.write_text(json.dumps(text))
    assert sr_bench(*quantize, "--out", first).code == 0
    assert sr_bench(*quantize, "--out", second, "--ranges", ranges).code == 0
    assert onnx.load(first).graph != onnx.load(second).graph


def test_ranges_of_another_network_are_refused(sr_bench, int8_zoo: Int8Zoo, tmp_path: Path) -> None:
    ranges = tmp_path / "r.json"
    sr_bench("calibrate", "res_x2", "--out", ranges, *_places(int8_zoo))
    text = json.loads(ranges.read_text())
    del text["clip"]["relu"]
    ranges.write_text(json.dumps(text))
    quantize = ("quantize", "res_x2", "--precision", "int8_max", *_places(int8_zoo))
    result = sr_bench(*quantize, "--out", tmp_path / "o.onnx", "--ranges", ranges)
    assert result.code == 1
    assert "expected a clip range of the tensor 'relu', got none" in result.err
    assert not (tmp_path / "o.onnx").exists()


def test_a_bare_onnx_file_is_quantised_with_the_photos(
    sr_bench, int8_zoo: Int8Zoo, tmp_path: Path
) -> None:
    out = tmp_path / "int8.onnx"
    file = int8_zoo.suite / "net.onnx"
    result = sr_bench("quantize", file, "--precision", "int8_max", "--out", out)
    assert result.code == 0
    assert _notes(out)["sr_bench.calibration_set"] == "photos_x2"
    half = sr_bench("quantize", file, "--precision", "fp16", "--out", tmp_path / "half.onnx")
    assert half.code == 0
    assert _notes(tmp_path / "half.onnx")["sr_bench.precision"] == "fp16"


def test_a_bare_file_of_one_channel_is_asked_for_its_luma(sr_bench, tmp_path: Path) -> None:
    file, out = tmp_path / "luma.onnx", tmp_path / "half.onnx"
    onnx.save(image_net("hw", channels=1), file)
    args = ("quantize", file, "--precision", "fp16", "--out", out)
    refused = sr_bench(*args)
    assert refused.code == 2
    assert refused.err == (
        "sr-bench: 'x' (float32 h x w) has one channel: say which luma with --colour y_float,"
        " y_rounded, y_full\n"
    )
    assert sr_bench(*args, "--colour", "y_float").code == 0
    assert onnx.load(out).graph.input[0].type.tensor_type.shape.dim[1].dim_value == 1
    onnx.save(image_net("nhwc", "uint8"), file)
    assert sr_bench(*args).code == 0
    assert "--colour y_full: the network reads 'x'" in sr_bench(*args, "--colour", "y_full").err


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("quantize", "res_x2", "--precision", "fp32"), 2, "expected one of fp16, int8_kl"),
        (("quantize", "res_x2", "--precision", "int7"), 2, "unknown precision 'int7'"),
        (("quantize", "rez_x2", "--precision", "int8_max"), 2, "did you mean 'res_x2'"),
        (("quantize", "gone.onnx", "--precision", "fp16"), 2, "expected an ONNX file"),
        (("calibrate", "res_x2", "--precision", "fp16"), 2, "expected one of int8_kl"),
        (
            ("calibrate", "res_x2", "--calibration-memory", "1"),
            1,
            "sr_calibration_memory",
        ),
    ],
)
def test_what_cannot_be_made_says_why(
    sr_bench, int8_zoo: Int8Zoo, tmp_path: Path, args: tuple[str, ...], code: int, message: str
) -> None:
    result = sr_bench(*args, "--out", tmp_path / "out", *_places(int8_zoo))
    assert result.code == code
    assert message in result.err
    assert not (tmp_path / "out").exists()


def test_a_card_s_observers_change_what_their_layers_read(
    sr_bench, int8_zoo: Int8Zoo, tmp_path: Path
) -> None:
    def steps(name: str) -> dict[str, float]:
        out = tmp_path / name
        quantize = ("quantize", "res_x2", "--precision", "int8_max", "--out", out)
        assert sr_bench(*quantize, *_places(int8_zoo)).code == 0
        scales = {t.name: t for t in onnx.load(out).graph.initializer if t.name.endswith("scale")}
        return {key: float(onnx.numpy_helper.to_array(t).max()) for key, t in scales.items()}

    usual = steps("usual.onnx")
    int8_zoo.write_card(plan='observers = { "body.1" = "symmetric" }')
    chosen = steps("chosen.onnx")
    # body.1 reads what is behind a ReLU: a symmetric range takes twice the step.
    assert chosen["relu/scale"] == pytest.approx(2 * usual["relu/scale"], rel=0.02)
    assert chosen["head/scale"] == usual["head/scale"]
    int8_zoo.write_card(plan='observers = { "body.1" = "kl max" }')
    result = sr_bench("quantize", "res_x2", "--precision", "int8_max", "--out", tmp_path / "x",
                      *_places(int8_zoo))  # fmt: skip
    assert "observers" in result.err
    assert "expected an observer, symmetric, or both" in result.err


def test_explain_ranks_layers_and_finds_a_plan(sr_bench, int8_zoo: Int8Zoo) -> None:
    args = ("explain", "res_x2", "--precision", "int8_max", "--min-fidelity", "48")
    result = sr_bench(*args, *_places(int8_zoo))
    assert result.code == 0
    assert "5 of 5 were estimated from their own error" in result.out
    assert 'would pass: keep = ["head"]' in result.out
    plan = sr_bench(*args, "--json", *_places(int8_zoo)).json
    alone = [layer["alone_db"] for layer in plan["layers"]]
    assert len(alone) == 5
    assert alone == sorted(alone)
    assert plan["remedy"]["worst_db"] >= 48


def test_what_reaches_the_limit_needs_no_layer_in_float(sr_bench, int8_zoo: Int8Zoo) -> None:
    args = ("explain", "res_x2", "--precision", "int8_max", "--min-fidelity", "1")
    result = sr_bench(*args, *_places(int8_zoo))
    assert "would pass: keep = [], with 100.0 % of the MACs in int8" in result.out


def test_explain_without_time_for_trials_says_what_the_errors_predict(
    sr_bench, int8_zoo: Int8Zoo
) -> None:
    args = ("explain", "res_x2", "--precision", "int8_max", "--min-fidelity", "48")
    places = ("--suites", int8_zoo.root, "--data", int8_zoo.data)
    remedy = sr_bench(*args, "--seconds", "0.0001", "--json", *places).json["remedy"]
    assert remedy["images"] == 0
    assert remedy["worst_db"] >= 48
    assert "head" in remedy["keep"]


def test_explain_of_a_bare_file_needs_to_know_what_to_reach(sr_bench, int8_zoo: Int8Zoo) -> None:
    result = sr_bench("explain", int8_zoo.suite / "net.onnx", "--precision", "int8_max")
    assert result.code == 2
    assert "say what to reach with --min-fidelity DB" in result.err


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [("", 3, "no layer can be quantised"), ('int8_kl = "low.onnx"', 2, "there is nothing to make")],
)
def test_nothing_is_written_where_nothing_can_be_quantised_or_need_be(
    sr_bench, int8_zoo: Int8Zoo, tmp_path: Path, given: str, code: int, message: str
) -> None:
    path = int8_zoo.suite / "net.onnx"
    model = onnx.load(path)
    for node in model.graph.node:
        if node.op_type == "Conv":
            node.op_type, node.input[:] = "Relu", node.input[:1]
            node.ClearField("attribute")
    del model.graph.node[7], model.graph.initializer[:]
    model.graph.node[7].input[0] = "up"
    for target in (path, path.with_name("low.onnx")):
        onnx.save(model, target)
    card = int8_zoo.suite / "card.toml"
    table = f"[model.onnx_by_precision]\n{given}\n[model.int8]"
    card.write_text(card.read_text().replace("[model.int8]", table))
    out = tmp_path / "out.onnx"
    result = sr_bench(
        "quantize", "res_x2", "--precision", "int8_kl", "--out", out, *_places(int8_zoo)
    )
    assert (result.code, out.exists()) == (code, False)
    assert message in result.err


def test_a_model_of_low_precision_files_alone_is_listed_as_such(
    sr_bench, int8_zoo: Int8Zoo
) -> None:
    card = int8_zoo.suite / "card.toml"
    text = card.read_text().partition("[model.int8]")[0].replace('onnx = "net.onnx"\n', "")
    card.write_text(f'{text}[model.onnx_by_precision]\nfp16 = "half.onnx"\n')
    result = sr_bench("list", *_places(int8_zoo))
    assert "missing: an fp32 network" in result.out
