"""Integers in float32: every sum is the one of int64, however large its terms."""

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from sr_bench.precision.emulated._exact import exact_parts, exact_sum

WIDE = 128
"""Channels: 128 * 9 products of 127 * 127 are more than 2**24."""

LEVELS = (
    onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
    onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
)


def _model(weights: NDArray[np.int8], **attributes: object) -> ModelProto:
    """Return the network that computes the sums of the image ``x``."""
    node = helper.make_node("Conv", ["x", "w"], ["y"], **attributes)
    parts = exact_parts(weights)
    names = [f"w{i}" for i in range(len(parts))]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None] * 4) for n in "xy"]
    graph = helper.make_graph(
        [*exact_sum(node, "x", names, "y")],
        "sums",
        ends[:1],
        ends[1:],
        [numpy_helper.from_array(part, name) for part, name in zip(parts, names, strict=True)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _sums(model: ModelProto, x: NDArray[np.int64], level: object) -> NDArray[np.float32]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    sums: NDArray[np.float32] = session.run(None, {"x": x.astype(np.float32)})[0]
    return sums


def _reference(x: NDArray[np.int64], weights: NDArray[np.int8]) -> NDArray[np.int64]:
    windows = np.lib.stride_tricks.sliding_window_view(x, weights.shape[2:], axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, weights.astype(np.int64))


def _random(shape: tuple[int, ...], largest: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(-largest, largest, shape, endpoint=True)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("channels", [64, WIDE])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_sums_there_are(level: object, channels: int, sign: int) -> None:
    """64 channels need one part, the others two; the sums are odd and need rounding then."""
    weights = np.full((4, channels, 3, 3), 127, np.int8)
    weights[1, 0, 0, 0] = 126
    x = np.full((1, channels, 6, 6), 127 * sign)
    assert len(exact_parts(weights)) == 1 + (channels == WIDE)
    sums = _sums(_model(weights), x, level)
    np.testing.assert_array_equal(sums, _reference(x, weights).astype(np.float32))


@pytest.mark.parametrize("level", LEVELS)
def test_parts_compute_the_sums_of_random_integers_rounded_once(level: object) -> None:
    weights = np.abs(_random((8, 4 * WIDE, 3, 3), 127, 1)).astype(np.int8) | 64
    x = np.abs(_random((1, 4 * WIDE, 12, 12), 127, 2)) | 64
    expected = _reference(x, weights)
    assert (expected.astype(np.float32) != expected).any(), "no sum has to be rounded"
    assert len(exact_parts(weights)) > 2, "float32 would round only once too"
    sums = _sums(_model(weights), x, level)
    np.testing.assert_array_equal(sums, expected.astype(np.float32))


def test_a_layer_is_split_only_where_it_must_be() -> None:
    weights = np.zeros((2, WIDE, 3, 3), np.int8)
    weights[1] = 114  # 114 * 127 * 128 * 9 = 16 678 656
    assert len(exact_parts(weights)) == 1
    weights[1, 0, :2] = 127
    weights[1, :99] = 115  # 115 * 127 * 128 * 9 > 2**24
    assert len(exact_parts(weights)) == 2


def test_parts_add_up_and_no_sum_of_one_reaches_the_limit() -> None:
    weights = _random((8, 400, 3, 3), 127, 3).astype(np.int8)
    parts = exact_parts(weights)
    np.testing.assert_array_equal(sum(parts), weights)
    assert len(parts) == 2
    for part in parts:
        assert np.abs(part).reshape(8, -1).sum(axis=1).max() * 127 < 2**24


def test_one_channel_s_kernel_can_be_split_too() -> None:
    weights = np.full((2, 1, 33, 33), 127, np.int8)
    x = _random((1, 2, 40, 40), 127, 4)
    model = _model(weights, group=2)
    assert len(model.graph.initializer) == 2
    expected = [_reference(x[:, i : i + 1], weights[i : i + 1]) for i in range(2)]
    sums = _sums(model, x, LEVELS[1])
    np.testing.assert_array_equal(sums, np.concatenate(expected, axis=1).astype(np.float32))


def test_attributes_are_the_layer_s_own() -> None:
    weights = _random((4, 8, 3, 3), 127, 5).astype(np.int8)
    x = _random((1, 8, 9, 9), 127, 6)
    sums = _sums(_model(weights, strides=[2, 2], pads=[1] * 4), x, LEVELS[1])
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    np.testing.assert_array_equal(sums, _reference(padded, weights)[:, :, ::2, ::2])
