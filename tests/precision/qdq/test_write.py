"""QDQ files: standard ONNX that any runtime reads, in which each layer does as the plan says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from sr_bench.core.backend import PRECISION_KEY, Artefact
from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.core.precision import Precision
from sr_bench.precision.network import Layer, Network, read_network
from sr_bench.precision.qdq.rounding import integer_weights, round_nearest
from sr_bench.precision.qdq.write import int8_share, quantise
from tests.precision.nets import exact_clips, images, residual_net

PLAN = Int8Plan(rounding="nearest")


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return residual_net(tmp_path / "net.onnx")


def _model(
    network: Network,
    plan: Int8Plan = PLAN,
    clip: dict[str, ClipRange] | None = None,
    **notes: str,
) -> ModelProto:
    clip = clip or exact_clips(network, images(3))
    weights = integer_weights(network, {})
    kept = network.matching(plan.keep)
    return quantise(network, clip, weights, plan, kept, notes=notes)


def _outputs(model: ModelProto, *, exact: bool = False) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if exact:
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return np.stack([session.run(None, {"x": x})[0] for x in images(3)])


def _db(low: np.ndarray, reference: np.ndarray) -> float:
    peak = float(np.ptp(reference))
    noise = np.square(low - reference).mean()
    return float(10 * np.log10(peak**2 / noise)) if noise else np.inf


def _node(model: ModelProto, output: str) -> onnx.NodeProto:
    return next(node for node in model.graph.node if output in node.output)


def _constant(model: ModelProto, name: str) -> np.ndarray:
    return next(numpy_helper.to_array(t) for t in model.graph.initializer if t.name == name)


@pytest.mark.parametrize("activations", ["asymmetric", "symmetric"])
@pytest.mark.parametrize("skips", ["float", "int8"])
def test_the_file_is_valid_and_close_to_fp32(
    network: Network, activations: str, skips: str
) -> None:
    model = _model(network, replace(PLAN, activations=activations, skips=skips))
    onnx.checker.check_model(model, full_check=True)
    assert 35 < _db(_outputs(model, exact=True), _outputs(network.model)) < 60


def test_an_independent_runtime_reads_the_same_network(network: Network) -> None:
    model = _model(network)
    newer = onnx.version_converter.convert_version(model, 19)  # the evaluator knows no older one
    reference = ReferenceEvaluator(newer)
    expected = np.stack([reference.run(None, {"x": x})[0] for x in images(3)])
    # A float sum beside a rounding threshold may fall on either side: a level here and there.
    assert _db(_outputs(model, exact=True), expected) > 70


def test_the_backend_computes_what_the_file_says(network: Network, tmp_path: Path) -> None:
    from sr_bench.backends.onnxruntime import open_session

    model = _model(network)
    onnx.save(model, tmp_path / "int8.onnx")
    artefact = Artefact(tmp_path / "int8.onnx", None, Precision("int8_max"), "")
    with open_session(artefact) as session:
        outputs = np.stack([session.run(x) for x in images(3)])
        assert session.notes["int8_layers"] == "5 of 5 int8 layers run in integers"
    assert _db(outputs, _outputs(model, exact=True)) > 60


def test_weights_are_symmetric_per_channel_and_biases_fit(network: Network) -> None:
    model = _model(network)
    clip = exact_clips(network, images(3))
    for layer in network.layers[:-1]:  # the last one is in lanes
        values = _constant(model, f"{layer.node}/weight/int")
        scale = _constant(model, f"{layer.node}/weight/scale")
        assert values.dtype == np.int8
        assert not _constant(model, f"{layer.node}/weight/zero_point").any()
        assert scale.shape == values.shape[:1]
        np.testing.assert_array_equal(values, round_nearest(network.constants[layer.weight]).values)
        bias = _constant(model, f"{layer.node}/bias/int")
        step = _constant(model, f"{layer.node}/bias/scale").astype(np.float64)
        assert bias.dtype == np.int32
        true = network.constants[layer.bias]
        assert np.abs(bias * step - true).max() <= step.max() / 2
        source = {"after": "after", "wide": "up"}.get(layer.input, layer.input)
        span = clip[source].high - clip[source].low
        np.testing.assert_allclose(step, scale * span / 255, rtol=0.005)


def test_asymmetric_scales_span_the_clip_range(network: Network) -> None:
    clip = exact_clips(network, images(3)) | {"head": ClipRange(-1.0, 3.0)}
    model = _model(network, clip=clip)
    scale, zero = _constant(model, "head/scale"), _constant(model, "head/zero_point")
    assert scale == pytest.approx(4 / 255, rel=0.005)
    assert scale >= np.float32(4 / 255)
    assert zero.dtype == np.uint8
    assert int(zero) == 64  # 1 / (4 / 255) = 63.75


def test_symmetric_scales_have_zero_in_the_middle(network: Network) -> None:
    clip = exact_clips(network, images(3)) | {"head": ClipRange(-1.0, 3.0)}
    model = _model(network, replace(PLAN, activations="symmetric"), clip)
    assert _constant(model, "head/scale") == pytest.approx(3 / 127, rel=0.005)
    assert int(_constant(model, "head/zero_point")) == 128


def test_moved_values_share_their_scale(network: Network) -> None:
    model = _model(network)
    for part in ("scale", "zero_point"):
        np.testing.assert_array_equal(
            _constant(model, f"up/{part}"), _constant(model, f"wide/{part}")
        )


def test_kept_layers_compute_in_float_on_float(network: Network) -> None:
    model = _model(network, replace(PLAN, keep=("head", "tail")))
    assert _node(model, "head/fine").input[0] == "x/whole"  # units of the image
    assert _node(model, "y").input[0] == "wide/rounded"  # an int8 layer gives it
    share = int8_share(network, network.matching(["head", "tail"]))
    assert share == pytest.approx(1 - network.layers[0].share - network.layers[-1].share)


def test_a_skip_reads_float_unless_an_int8_layer_writes_it(network: Network) -> None:
    def skip(**plan: object) -> str:
        return _node(_model(network, replace(PLAN, **plan)), "sum").input[1]

    assert skip(skips="float") == "head/rounded"  # an int8 layer gives it, and has no other
    assert skip(skips="float", keep=("head",)) == "head"
    assert skip(skips="int8", keep=("head",)) == "head/rounded"


def test_the_last_layer_gives_more_than_256_levels(network: Network) -> None:
    model = _model(network)
    values = _constant(model, "/tail/Conv/weight/int")
    assert len(values) == 32  # 10 lanes of 3 outputs, and 2 idle rows
    assert _node(model, "y").op_type == "Conv"
    assert len(np.unique(_outputs(model, exact=True)[:, 0, 0])) > 256
    plain = _model(network, replace(PLAN, keep=("tail",)))
    assert list(_node(plain, "y").input)[1:] == ["tail.weight", "tail.bias"]


def test_the_output_is_rounded_where_a_wide_layer_gives_it(network: Network) -> None:
    network.model.graph.output[0].name = "wide"
    model = _model(network)
    assert [value.name for value in model.graph.output] == ["wide"]
    assert _node(model, "wide").op_type == "DequantizeLinear"


def test_an_output_that_layers_read_too_stays_float_where_a_sum_gives_it(network: Network) -> None:
    network.model.graph.output[0].name = "sum"
    model = _model(network)
    assert _node(model, "sum").op_type == "Add"


def test_a_bias_too_large_for_its_step_widens_the_step(network: Network) -> None:
    bias = network.constants["body.1.bias"]
    network.constants["body.1.bias"] = bias + np.float32(1e9)
    model = _model(network)
    integers = _constant(model, "/body.1/Conv/bias/int").astype(np.int64)
    step = _constant(model, "/body.1/Conv/bias/scale").astype(np.float64)
    assert np.abs(integers).max() <= 2**30 * 1.001
    np.testing.assert_allclose(integers * step, bias + 1e9, rtol=1e-6)


def test_a_tensor_that_was_always_zero_keeps_the_bias(network: Network) -> None:
    clip = exact_clips(network, images(3)) | {"relu": ClipRange(0.0, 0.0)}
    model = _model(network, clip=clip)
    integers = _constant(model, "/body.1/Conv/bias/int")
    step = _constant(model, "/body.1/Conv/bias/scale")
    np.testing.assert_allclose(integers * step, network.constants["body.1.bias"], atol=1e-3)


def test_an_image_of_8_bits_is_rounded_to_itself(network: Network) -> None:
    clip = exact_clips(network, images(3)) | {"x": ClipRange(0.0, 1.0)}
    assert _constant(_model(network, clip=clip), "x/scale") == np.float32(1 / 255)


def test_no_sum_of_a_layer_is_near_the_middle_of_two_levels(network: Network) -> None:
    model = _model(network)
    reads = {"head": "x", "body.0": "head", "body.1": "relu", "up": "after", "tail": "wide"}
    gives = {"head": "head", "body.0": "relu", "body.1": "body.1", "up": "up"}
    gives["tail"] = "y/lanes"
    sums = np.arange(-(2**16), 2**16)[:, np.newaxis]
    for layer in reads:
        step = _constant(model, f"/{layer}/Conv/weight/scale").astype(np.float64)
        step = step * _constant(model, f"{reads[layer]}/scale")
        levels = sums * step / _constant(model, f"{gives[layer]}/scale")
        levels = levels[np.abs(levels) < 255]
        assert np.abs(levels % 1 - 0.5).min() > 1 / 22000


@pytest.mark.parametrize("keep", [(), ("head",), ("head", "tail")])
def test_sums_in_integers_and_in_float_give_the_same_picture(
    network: Network, keep: tuple[str, ...]
) -> None:
    model = _model(network, replace(PLAN, keep=keep))
    np.testing.assert_array_equal(_outputs(model), _outputs(model, exact=True))


def test_a_float_skip_holds_multiples_of_the_unit_of_all_steps(network: Network) -> None:
    model = _model(network, replace(PLAN, keep=("head",)))
    assert [_node(model, name).op_type for name in ("head/units", "head/whole")] == ["Mul", "Round"]
    unit = float(_constant(model, "head/unit"))
    assert np.log2(unit) % 1 == 0
    for name in ("head", "relu", "body.1", "after", "up"):
        multiple = _constant(model, f"{name}/scale") / unit
        assert multiple % 2 == 1
        assert 64 <= multiple <= 8191


def test_a_layer_in_float_between_roundings_may_start_a_float_skip(
    network: Network, tmp_path: Path
) -> None:
    _node(network.model, "body.1").input[0] = "body.0"
    _node(network.model, "sum").input[1] = "body.0"
    onnx.save(network.model, tmp_path / "skips.onnx")
    skips = read_network(tmp_path / "skips.onnx")
    model = _model(skips, replace(PLAN, keep=("body.0",)))
    onnx.checker.check_model(model, full_check=True)
    np.testing.assert_array_equal(_outputs(model), _outputs(model, exact=True))


def test_a_rounding_before_a_rounded_sum_is_kept_apart_from_it(network: Network) -> None:
    assert _node(_model(network), "body.1/rounded").op_type == "MaxPool"
    assert _node(_model(network), "relu/rounded").op_type == "DequantizeLinear"


def test_a_rounding_that_follows_the_sum_through_a_concatenation_is_too(network: Network) -> None:
    nodes = network.model.graph.node
    (up,) = (node for node in nodes if node.name == "/up/Conv")
    up.input[0] = "joined"
    nodes.insert(6, helper.make_node("Concat", ["after"], ["joined"], name="joined", axis=1))
    model = _model(
        replace(network, layers=tuple(_reading(each, "joined") for each in network.layers))
    )
    assert _node(model, "body.1/rounded").op_type == "MaxPool"


def _reading(layer: Layer, name: str) -> Layer:
    return replace(layer, input=name) if layer.node == "/up/Conv" else layer


def test_a_sum_that_others_read_in_float_needs_nothing_apart(network: Network) -> None:
    network.model.graph.output[0].name = "sum"
    assert _node(_model(network), "body.1/rounded").op_type == "DequantizeLinear"


def test_the_file_states_its_precision_and_notes(network: Network) -> None:
    model = _model(network, observer="kl")
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata == {PRECISION_KEY: "int8", "sr_bench.observer": "kl"}
