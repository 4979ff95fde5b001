"""Channels that one factor must go through together are of one class; others are free."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from sr_bench.precision.network import Network, read_network
from sr_bench.precision.scaling.channels import FIXED, Channels
from tests.precision.nets import residual_net


def _net(path: Path, middle: Sequence[NodeProto], reads: int, *constants: TensorProto) -> Network:
    """Write and read: a layer from ``x`` to ``a`` (4 channels), `middle` to ``b``, a layer."""
    rng = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name)
        for name, shape in (("first.weight", (4, 3, 3, 3)), ("last.weight", (3, reads, 3, 3)))
    ]
    nodes = [
        helper.make_node("Conv", ["x", "first.weight"], ["raw"], pads=[1] * 4),
        # Or onnxruntime folds a constant behind it into its weights.
        helper.make_node("LeakyRelu", ["raw"], ["a"]),
        *middle,
        helper.make_node("Conv", ["b", "last.weight"], ["y"], pads=[1] * 4),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, *sides])
        for name, sides in (("x", ("h", "w")), ("y", ("v", "u")))
    ]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], [*weights, *constants])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return read_network(path)


def _constant(name: str, values: object) -> TensorProto:
    return numpy_helper.from_array(np.asarray(values, np.float32), name)


def test_channels_of_sums_share_a_class_and_those_between_two_layers_are_free(
    tmp_path: Path,
) -> None:
    classes = Channels.of(residual_net(tmp_path / "net.onnx")).classes
    assert (classes["head"] == classes["sum"]).all()
    assert (classes["head"] == classes["body.1"]).all()
    assert (classes["relu"] == classes["body.0"]).all()
    assert len({*classes["head"], *classes["relu"]}) == 16
    assert (classes["x"] == FIXED).all()
    assert (classes["y"] == FIXED).all()


@pytest.mark.parametrize("mode", ["CRD", "DCR"])
def test_a_pixel_shuffle_ties_the_channels_that_it_interleaves(tmp_path: Path, mode: str) -> None:
    shuffle = helper.make_node("DepthToSpace", ["a"], ["b"], blocksize=2, mode=mode)
    classes = Channels.of(_net(tmp_path / "net.onnx", [shuffle], 1)).classes
    assert set(classes["a"]) == set(classes["b"])
    assert FIXED not in classes["b"]


def test_concatenated_channels_have_the_classes_of_their_parts(tmp_path: Path) -> None:
    middle = [
        helper.make_node("LeakyRelu", ["a"], ["c"], alpha=0.2),
        helper.make_node("Concat", ["a", "c"], ["b"], axis=1),
    ]
    classes = Channels.of(_net(tmp_path / "net.onnx", middle, 8)).classes
    assert classes["b"].tolist() == [*classes["a"], *classes["a"]]
    assert FIXED not in classes["a"]


def test_split_channels_have_the_classes_of_the_whole(tmp_path: Path) -> None:
    middle = [helper.make_node("Split", ["a"], ["b", "c"], axis=1)]
    middle.append(helper.make_node("MaxPool", ["c"], ["d"], kernel_shape=[1, 1]))
    middle.append(helper.make_node("Concat", ["d", "b"], ["e"], axis=1))
    network = _net(tmp_path / "net.onnx", [*middle, helper.make_node("Relu", ["e"], ["f"])], 2)
    classes = Channels.of(network).classes
    assert len(set(classes["b"])) == 2
    assert FIXED not in classes["b"]


@pytest.mark.parametrize(
    "node",
    [
        helper.make_node("Tanh", ["a"], ["b"]),
        helper.make_node("Add", ["a", "k"], ["b"]),
        helper.make_node("Div", ["k", "a"], ["b"]),
        helper.make_node("Mul", ["a", "a"], ["b"]),
        helper.make_node("Concat", ["a", "k"], ["b"], axis=3),
        helper.make_node("Softmax", ["a"], ["b"], axis=1),
    ],
    ids=lambda node: node.op_type,
)
def test_what_a_factor_does_not_go_through_keeps_its_scale(tmp_path: Path, node: NodeProto) -> None:
    constant = _constant("k", np.ones((1, 4, 8, 8)))
    classes = Channels.of(_net(tmp_path / "net.onnx", [node], 4, constant)).classes
    assert (classes["a"] == FIXED).all()


@pytest.mark.parametrize(
    "node",
    [
        helper.make_node("Mul", ["a", "k"], ["b"]),
        helper.make_node("Div", ["a", "k"], ["b"]),
        helper.make_node("PRelu", ["a", "k"], ["b"]),
        helper.make_node("Resize", ["a", "", "s"], ["b"], mode="linear"),
        helper.make_node("Max", ["a", "a"], ["b"]),
        helper.make_node("Pad", ["a", "p"], ["b"], mode="reflect"),
    ],
    ids=lambda node: node.op_type,
)
def test_what_a_factor_goes_through_stays_free(tmp_path: Path, node: NodeProto) -> None:
    constants = (
        _constant("k", np.full((4, 1, 1), 0.2)),
        _constant("s", [1, 1, 2, 2]),
        numpy_helper.from_array(np.array([0, 0, 1, 1, 0, 0, 1, 1]), "p"),
    )
    classes = Channels.of(_net(tmp_path / "net.onnx", [node], 4, *constants)).classes
    assert classes["b"].tolist() == classes["a"].tolist()
    assert len(set(classes["a"]) - {FIXED}) == 4


def test_a_gate_keeps_its_scale_and_what_it_gates_does_not(tmp_path: Path) -> None:
    gate = [
        helper.make_node("Conv", ["a", "gate.weight"], ["c"]),
        helper.make_node("Sigmoid", ["c"], ["d"]),
        helper.make_node("Mul", ["d", "a"], ["b"]),
    ]
    weight = _constant("gate.weight", np.ones((1, 4, 1, 1)))
    classes = Channels.of(_net(tmp_path / "net.onnx", gate, 4, weight)).classes
    assert (classes["c"] == FIXED).all()
    assert FIXED not in classes["a"]
    assert classes["b"].tolist() == classes["a"].tolist()


def test_layers_that_share_weights_keep_their_scale(tmp_path: Path) -> None:
    twice = [
        helper.make_node("Conv", [name, "twice.weight"], [output], pads=[1] * 4)
        for name, output in (("a", "c"), ("c", "b"))
    ]
    weight = _constant("twice.weight", np.ones((4, 4, 3, 3)))
    channels = Channels.of(_net(tmp_path / "net.onnx", twice, 4, weight))
    assert {layer.name for layer in channels.layers} == {"first", "last"}
    assert all((channels.classes[name] == FIXED).all() for name in "abc")
