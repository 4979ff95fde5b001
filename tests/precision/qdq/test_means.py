"""A mean over two axes is written as two, and stays the same mean."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from sr_bench.core.int8 import Int8Plan
from sr_bench.precision.network import read_network
from sr_bench.precision.qdq.means import one_axis_each
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.write import quantise
from tests.precision.nets import exact_clips, images


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axes", [[2, 3], [-1, -2], [3, 1], [-3, -1]])
@pytest.mark.parametrize("opset", [17, 18])
def test_two_means_over_one_axis_each_are_the_mean(
    axes: list[int], keepdims: int, opset: int
) -> None:
    value = np.array(axes)
    constants = [numpy_helper.from_array(value, "axes")] if opset == 18 else []
    given = {} if constants else {"axes": axes}
    inputs = ["x", "axes"] if constants else ["x"]
    node = helper.make_node("ReduceMean", inputs, ["y"], keepdims=keepdims, **given)
    nodes = [*one_axis_each([node], {"axes": value} if constants else {}, "/")]
    means = [each for each in nodes if each.op_type == "ReduceMean"]
    assert len(means) == 2
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3, 4, 5]),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]  # fmt: skip
    graph = helper.make_graph(nodes, "means", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    x = np.random.default_rng(0).uniform(size=(2, 3, 4, 5)).astype(np.float32)
    expected = x.mean(axis=tuple(axes), keepdims=bool(keepdims))
    np.testing.assert_allclose(session.run(None, {"x": x})[0], expected, rtol=1e-6)


def test_others_stay_as_they_are() -> None:
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["y"], axes=[1]),
        helper.make_node("ReduceMean", ["x"], ["y"]),
        helper.make_node("ReduceMean", ["x", "computed"], ["y"]),
        helper.make_node("ReduceMax", ["x"], ["y"], axes=[2, 3]),
    ]
    assert [*one_axis_each(nodes, {}, "/")] == nodes


def test_an_int8_file_has_no_mean_over_a_plane_at_once(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shapes = {"w": (8, 3, 3, 3), "v": (3, 8, 3, 3)}
    arrays = {name: rng.normal(0, 0.2, shape).astype(np.float32) for name, shape in shapes.items()}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="head", pads=[1] * 4),
        helper.make_node("ReduceMean", ["a"], ["m"], name="mean", axes=[2, 3]),
        helper.make_node("Mul", ["a", "m"], ["b"], name="scaled"),
        helper.make_node("Conv", ["b", "v"], ["y"], name="tail", pads=[1] * 4),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, None, None])
            for name in "xy"]  # fmt: skip
    stored = [numpy_helper.from_array(value, name) for name, value in arrays.items()]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "net.onnx")
    network = read_network(tmp_path / "net.onnx")
    clips, weights = exact_clips(network, images(2)), integer_weights(network, {})
    made = quantise(network, clips, weights, Int8Plan(rounding="nearest"), (), notes={})
    means = [node for node in made.graph.node if node.op_type == "ReduceMean"]
    assert [list(node.attribute[0].ints or node.attribute[1].ints) for node in means] == [[3], [2]]
