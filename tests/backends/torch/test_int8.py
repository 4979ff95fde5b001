"""int8 in torch: convolutions are exact integers, and networks agree with onnxruntime."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from sr_bench.backends.torch.graph import Graph
from sr_bench.backends.torch.operators.integers import IntegerConvolution
from tests.backends.graphs import by_onnxruntime, by_torch, model, node, opened

X_SCALE, X_ZERO = np.float32(1 / 255), np.uint8(0)
Y_SCALE, Y_ZERO = np.float32(0.037), np.uint8(101)


def _rounded(name: str, scale: np.float32, zero: np.integer) -> tuple[list, dict]:
    """Return the pair that rounds a value, with its constants."""
    parts = [f"{name}_s", f"{name}_z"]
    nodes = [
        node("QuantizeLinear", [name, *parts], f"{name}_q"),
        node("DequantizeLinear", [f"{name}_q", *parts], f"{name}_d"),
    ]
    return nodes, {f"{name}_s": scale, f"{name}_z": zero}


def _layer(
    name: str, reads: str, x_scale: np.float32, weight, scale, bias, zero=None, **attributes
):
    """Return a convolution of rounded values and weights, with its constants."""
    w = [f"{name}_w", f"{name}_ws", f"{name}_wz"]
    b = [f"{name}_b", f"{name}_bs", f"{name}_bz"]
    nodes = [
        node("DequantizeLinear", w, f"{name}_wd", axis=0),
        node("DequantizeLinear", b, f"{name}_bd", axis=0),
        node("Conv", [reads, f"{name}_wd", f"{name}_bd"], name, **attributes),
    ]
    zeros = np.zeros(len(scale), weight.dtype) if zero is None else zero
    values = (weight, scale, zeros, bias, x_scale * scale, np.zeros(len(scale), np.int32))
    return nodes, dict(zip([*w, *b], values, strict=True))


def _oracle(
    x_q, zero, weight, bias, *, strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1), group=1
):
    """Return the sums of a convolution in int64, place by place."""
    ends = ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3]))
    x = np.pad(x_q.astype(np.int64) - int(zero), ends)
    out, per_group, kh, kw = weight.shape
    h = (x.shape[2] - (kh - 1) * dilations[0] - 1) // strides[0] + 1
    w = (x.shape[3] - (kw - 1) * dilations[1] - 1) // strides[1] + 1
    sums = np.zeros((len(x), out, h, w), np.int64) + bias.reshape(-1, 1, 1)
    for o in range(out):
        first = o // (out // group) * per_group
        for c, i, j in np.ndindex(per_group, kh, kw):
            top, left = i * dilations[0], j * dilations[1]
            seen = x[:, first + c, top : top + h * strides[0] : strides[0]]
            seen = seen[..., left : left + w * strides[1] : strides[1]]
            sums[:, o] += seen[:, :h, :w] * int(weight[o, c, i, j])
    return sums


@pytest.mark.parametrize(
    "attributes",
    [
        {"pads": (1, 1, 1, 1)},
        {"pads": (2, 0, 1, 3), "strides": (2, 1)},
        {"pads": (2, 2, 2, 2), "dilations": (2, 2)},
        {"group": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("x_zero", [np.uint8(77), np.int8(-128)], ids=["uint8", "int8"])
@pytest.mark.parametrize("relu", [False, True], ids=["linear", "relu"])
def test_a_convolution_is_the_one_of_int64(
    attributes: dict[str, object], x_zero: np.integer, relu: bool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    weight = rng.integers(-127, 128, (6, 4 // attributes.get("group", 1), 3, 3)).astype(np.int8)
    scale = rng.uniform(0.001, 0.02, 6).astype(np.float32)
    bias = rng.integers(-5000, 5000, 6).astype(np.int32)
    before, constants = _rounded("x", X_SCALE, x_zero)
    layer, more = _layer("c", "x_d", X_SCALE, weight, scale, bias, **attributes)
    after, ends = _rounded("r" if relu else "c", Y_SCALE, Y_ZERO)
    nodes = [*before, *layer, *([node("Relu", ["c"], "r")] if relu else []), *after[:1]]
    nodes[-1].output[0] = "y"
    network = model(nodes, constants | more | ends, kind=TensorProto.UINT8, made_for="int8")

    x = rng.normal(0, 0.4, (2, 4, 9, 8)).astype(np.float32)
    limits = np.iinfo(x_zero.dtype)
    x_q = np.clip(np.rint(x / X_SCALE) + int(x_zero), limits.min, limits.max)
    sums = _oracle(x_q, x_zero, weight, bias, **attributes)
    # As onnxruntime's integer kernel: one float32 factor per channel, then half to even.
    levels = np.rint(sums.astype(np.float32) * (X_SCALE * scale / Y_SCALE)[:, None, None])
    levels = np.maximum(levels, 0) if relu else levels
    expected = np.clip(levels + int(Y_ZERO), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(by_torch(network, x, tmp_path), expected)
    assert len(np.unique(expected)) > 40


@pytest.mark.parametrize("zero", [np.uint8(0), np.int8(-128)], ids=["uint8", "int8"])
@pytest.mark.parametrize(
    ("channels", "kind"), [(40, torch.float32), (64, torch.float64)], ids=["float32", "float64"]
)
def test_sums_that_float32_does_not_hold_are_exact_too(
    channels: int, kind: torch.dtype, zero: np.integer, tmp_path: Path
) -> None:
    rng = np.random.default_rng(2)
    weight = rng.integers(120, 128, (3, channels, 3, 3)).astype(np.int8)
    bias, scale = np.array([1, 0, -1], np.int32), np.full(3, 2.0**-20, np.float32)
    before, constants = _rounded("x", np.float32(1), zero)
    layer, more = _layer("y", "x_d", np.float32(1), weight, scale, bias)
    network = model([*before, *layer], constants | more, made_for="int8")
    x = rng.integers(248, 256, (1, channels, 5, 5)).astype(np.float32)
    sums = _oracle(x, 0, weight, bias)
    assert (sums.max() > 2**24) == (kind is torch.float64)
    expected = sums.astype(np.float32) * scale[0]
    np.testing.assert_array_equal(by_torch(network, x, tmp_path), expected)
    (layer_run,) = _integer_layers(opened(network, tmp_path))
    assert layer_run.weight.dtype == kind


def _one_by_one(weight: int, bias: int, scale: float) -> tuple[list, dict]:
    """Return a network of one channel of integers from 0 to 255, of one weight."""
    before, constants = _rounded("x", np.float32(1), X_ZERO)
    weights, biases = np.full((1, 1, 1, 1), weight, np.int8), np.array([bias], np.int32)
    steps = np.array([scale], np.float32)
    layer, more = _layer("c", "x_d", np.float32(1), weights, steps, biases)
    return [*before, *layer], constants | more


def test_a_bias_that_float32_does_not_hold_is_exact_too(tmp_path: Path) -> None:
    nodes, constants = _one_by_one(weight=-1, bias=2**24 + 1, scale=1)
    network = model([*nodes, node("Identity", ["c"], "y")], constants, made_for="int8")
    found = by_torch(network, np.full((1, 1, 1, 1), 2, np.float32), tmp_path)
    assert found.item() == 2**24 - 1


def test_ties_go_to_even(tmp_path: Path) -> None:
    nodes, constants = _one_by_one(weight=1, bias=0, scale=20.5)
    after, ends = _rounded("c", np.float32(41), np.uint8(1))
    after[0].output[0] = "y"
    network = model([*nodes, after[0]], constants | ends, kind=TensorProto.UINT8, made_for="int8")
    x = np.arange(6, dtype=np.float32).reshape(1, 1, 1, 6)
    assert by_torch(network, x, tmp_path).flatten().tolist() == [1, 1, 2, 3, 3, 3]


def test_weights_around_128_are_the_same_weights(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    weight = rng.integers(-127, 128, (6, 4, 3, 3)).astype(np.int8)
    scale, bias = np.full(6, 0.01, np.float32), np.zeros(6, np.int32)
    before, constants = _rounded("x", X_SCALE, X_ZERO)
    x = rng.random((1, 4, 6, 6), dtype=np.float32)
    results = []
    for values, zero in (
        (weight, None),
        (weight.astype(np.int16) + 128, np.full(6, 128, np.uint8)),
    ):
        stored = values.astype(np.int8 if zero is None else np.uint8)
        layer, more = _layer("y", "x_d", X_SCALE, stored, scale, bias, zero)
        network = model([*before, *layer], constants | more, made_for="int8")
        assert len(_integer_layers(opened(network, tmp_path))) == 1
        results.append(by_torch(network, x, tmp_path))
    np.testing.assert_array_equal(*results)


def _network() -> onnx.ModelProto:
    """Return Conv-Relu-Conv, plus the skip, to depth: each value rounded, the output not."""
    rng = np.random.default_rng(4)
    before, constants = _rounded("x", X_SCALE, X_ZERO)
    nodes = list(before)

    def layer(name: str, reads: str, scale: np.float32, inputs: int) -> None:
        weight = rng.integers(-127, 128, (12, inputs, 3, 3)).astype(np.int8)
        bias = rng.integers(-2000, 2000, 12).astype(np.int32)
        steps = rng.uniform(0.001, 0.004, 12).astype(np.float32)
        made, more = _layer(name, reads, scale, weight, steps, bias, pads=[1, 1, 1, 1])
        nodes.extend(made)
        constants.update(more)

    def rounded(name: str, scale: float, zero: int) -> None:
        made, more = _rounded(name, np.float32(scale), np.uint8(zero))
        nodes.extend(made)
        constants.update(more)

    layer("a", "x_d", X_SCALE, 3)
    nodes.append(node("Relu", ["a"], "r"))
    rounded("r", 0.008, 0)
    layer("b", "r_d", np.float32(0.008), 12)
    rounded("b", 0.05, 120)
    nodes.append(node("Add", ["b_d", "r_d"], "sum"))
    rounded("sum", 0.05, 110)
    nodes.append(node("DepthToSpace", ["sum_d"], "y", blocksize=2, mode="CRD"))
    return model(nodes, constants, made_for="int8")


def test_a_quantised_network_agrees_with_onnxruntime(tmp_path: Path) -> None:
    network = _network()
    x = np.random.default_rng(5).random((2, 3, 40, 50), dtype=np.float32)
    found, expected = by_torch(network, x, tmp_path), by_onnxruntime(network, x)
    steps = np.abs(found - expected) / 0.05
    assert expected.std() > 20 * 0.05
    # onnxruntime sums floats here: ties of the first layers fall to either side.
    assert steps.max() < 1.5
    assert (steps > 0.5).mean() < 1e-3
    assert len(_integer_layers(opened(network, tmp_path))) == 2


def test_a_convolution_that_others_read_too_stays_unrounded_for_them(tmp_path: Path) -> None:
    network = _network()
    for made in network.graph.node:
        if made.op_type == "Add":
            made.input[0] = "b"
    x = np.random.default_rng(5).random((1, 3, 20, 20), dtype=np.float32)
    steps = np.abs(by_torch(network, x, tmp_path) - by_onnxruntime(network, x)) / 0.05
    assert steps.max() < 1.5
    assert (steps > 0.5).mean() < 1e-3


def test_the_output_is_not_rounded_even_if_something_else_rounds_it(tmp_path: Path) -> None:
    network = _network()
    network.graph.output[0].name = "a"
    x = np.random.default_rng(5).random((1, 3, 6, 6), dtype=np.float32)
    found, expected = by_torch(network, x, tmp_path), by_onnxruntime(network, x)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_levels_may_be_written_as_nodes(tmp_path: Path) -> None:
    network = _network()
    for number, made in enumerate(list(network.graph.node)):
        if made.op_type == "QuantizeLinear" and made.input[0] == "b":
            for name in made.input[1:]:
                (tensor,) = (t for t in network.graph.initializer if t.name == name)
                value = helper.make_node("Constant", [], [name], value=tensor)
                network.graph.node.insert(number, value)
                network.graph.initializer.remove(tensor)
    assert all(layer.levels for layer in _integer_layers(opened(network, tmp_path)))


@pytest.mark.parametrize("what", ["bias_scale", "weight_axis", "x_scale"])
def test_what_is_no_integer_convolution_is_computed_in_floats(what: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    weight = rng.integers(-127, 128, (3, 3, 1, 1)).astype(np.int8)
    scale, bias = rng.uniform(0.01, 0.02, 3).astype(np.float32), np.full(3, 900, np.int32)
    before, constants = _rounded("x", X_SCALE, X_ZERO)
    layer, more = _layer("y", "x_d", X_SCALE, weight, scale, bias)
    constants |= more
    if what == "bias_scale":
        constants["y_bs"] = constants["y_bs"] * np.float32(1.001)
    elif what == "weight_axis":
        layer[0].attribute[0].i = 1
    else:
        constants |= {"x_s": X_SCALE * scale / scale[0], "x_z": np.zeros(3, np.uint8)}
    network = model([*before, *layer], constants, made_for="int8")
    x = rng.random((1, 3, 8, 8), dtype=np.float32)
    np.testing.assert_allclose(
        by_torch(network, x, tmp_path), _in_floats(constants, what, x), rtol=1e-5, atol=1e-6
    )
    assert _integer_layers(opened(network, tmp_path)) == []


def _in_floats(constants: dict, what: str, x: np.ndarray) -> np.ndarray:
    """Return the pointwise convolution of rounded values in float64."""
    step = np.asarray(constants["x_s"]).reshape(-1, 1, 1)
    rounded = np.clip(np.rint(x / step), 0, 255) * step.astype(np.float64)
    axis = (1, -1) if what == "weight_axis" else (-1, 1)
    weight = constants["y_w"][..., 0, 0] * constants["y_ws"].astype(np.float64).reshape(axis)
    bias = constants["y_b"] * constants["y_bs"].astype(np.float64)
    return np.einsum("nchw,dc->ndhw", rounded, weight) + bias[:, None, None]


def _integer_layers(graph: Graph) -> list[IntegerConvolution]:
    return [step.run for step in graph._steps if isinstance(step.run, IntegerConvolution)]
