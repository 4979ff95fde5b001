"""What is carried back through an operator is how its output changes with what it reads."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from sr_bench.precision.network import Network, read_network
from sr_bench.precision.noise.backward import Backward, blocked
from sr_bench.precision.noise.nodes import Nodes
from tests.precision.nets import values

WIDE = 4
SIZE = 8


def node(op_type: str, *more: str, outputs: tuple[str, ...] = ("t",), **how: Any) -> NodeProto:
    return helper.make_node(op_type, ["head", *more], outputs, name=f"the {op_type}", **how)


def between(path: Path, nodes: list[NodeProto], channels: int) -> Network:
    """Return a network whose layers 'head' and 'tail' have `nodes` between them, from head to t."""
    rng = np.random.default_rng(3)
    whole = {"mean": [WIDE], "variance": [WIDE], "factor": [WIDE], "rows": [SIZE]}
    arrays = {
        **{name: rng.uniform(0.5, 1.5, size).astype(np.float32) for name, size in whole.items()},
        "plane": rng.uniform(0.5, 1.5, (1, WIDE, 1, SIZE)).astype(np.float32),
        "square": rng.normal(size=(SIZE, SIZE)).astype(np.float32),
        "slopes": rng.uniform(0.1, 0.5, (WIDE, 1, 1)).astype(np.float32),
        "two": np.array(2, np.float32),
        "half": np.array(0.5, np.float32),
        "faint": np.array([1, 1, 1, 1e-3], np.float32).reshape(WIDE, 1, 1),
        "low": np.array(-0.4, np.float32),
        "high": np.array(0.4, np.float32),
        "halves": np.array([1, 1, 1.5, 2], np.float32),
        "pads": np.array([0, 0, 1, 2, 0, 0, 0, 1], np.int64),
        "axes": np.array([2, 3], np.int64),
        "axis": np.array(3, np.int64),
        "starts": np.array([1], np.int64),
        "ends": np.array([7], np.int64),
        "third": np.array([3], np.int64),
        "order": np.array([3, 1, 1, 0], np.int64),
        "copies": np.array([1, 1, 2, 1], np.int64),
        "pairs": np.array([1, WIDE, 2, SIZE * SIZE], np.int64),
        "double": np.array([1, WIDE, SIZE, 2 * SIZE], np.int64),
        "flat": np.array([1, WIDE, SIZE * SIZE // 4, 4], np.int64),
        "up.w": rng.normal(size=(WIDE, 1, 3, 3)).astype(np.float32),
        "head.w": rng.normal(size=(WIDE, 3, 3, 3)).astype(np.float32) / 3,
        "tail.w": rng.normal(size=(3, channels, 3, 3)).astype(np.float32),
    }
    convs = [
        helper.make_node("Conv", ["x", "head.w"], ["head"], name="head", pads=[1] * 4),
        helper.make_node("Conv", ["t", "tail.w"], ["y"], name="tail", pads=[1] * 4),
    ]
    used = {name for each in (*convs, *nodes) for name in each.input}
    graph = helper.make_graph(
        [convs[0], *nodes, convs[1]],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, None, None])],
        [numpy_helper.from_array(value, name) for name, value in arrays.items() if name in used],
    )
    opset = [helper.make_opsetid("", 20)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)
    return read_network(path)


def joined(op_type: str, **how: Any) -> list[NodeProto]:
    """Return nodes that use what the head gives twice."""
    return [
        helper.make_node("Tanh", ["head"], ["other"], name="other"),
        node(op_type, "other", **how),
    ]


EACH: dict[str, tuple[list[NodeProto], int]] = {
    "Relu": ([node("Relu")], WIDE),
    "LeakyRelu": ([node("LeakyRelu", alpha=0.2)], WIDE),
    "PRelu": ([node("PRelu", "slopes")], WIDE),
    "Sigmoid": ([node("Sigmoid")], WIDE),
    "Gelu": ([node("Gelu")], WIDE),
    "Clip": ([node("Clip", "low", "high")], WIDE),
    "Pow": ([node("Pow", "two")], WIDE),
    "Add": (joined("Add"), WIDE),
    "Sub": (joined("Sub"), WIDE),
    "Mul": (joined("Mul"), WIDE),
    "Mul by a constant": ([node("Mul", "plane")], WIDE),
    "Max": (joined("Max"), WIDE),
    "Concat": (joined("Concat", axis=1), 2 * WIDE),
    "DepthToSpace": ([node("DepthToSpace", blocksize=2)], 1),
    "DepthToSpace CRD": ([node("DepthToSpace", blocksize=2, mode="CRD")], 1),
    "SpaceToDepth": ([node("SpaceToDepth", blocksize=2)], 4 * WIDE),
    "Transpose": ([node("Transpose", perm=[0, 1, 3, 2])], WIDE),
    "Reshape": ([node("Reshape", "flat")], WIDE),
    "Slice": ([node("Slice", "starts", "ends", "third")], WIDE),
    "Gather": ([node("Gather", "order", axis=1)], WIDE),
    "Tile": ([node("Tile", "copies")], WIDE),
    "Pad": ([node("Pad", "pads")], WIDE),
    "Pad by mirroring": ([node("Pad", "pads", mode="reflect")], WIDE),
    "Resize to nearest": ([node("Resize", "", "halves")], WIDE),
    "Resize linearly": ([node("Resize", "", "halves", mode="linear")], WIDE),
    "Resize by cubics": ([node("Resize", "", "halves", mode="cubic")], WIDE),
    "AveragePool": ([node("AveragePool", kernel_shape=[2, 2], strides=[2, 2])], WIDE),
    "MaxPool": ([node("MaxPool", kernel_shape=[3, 3], strides=[3, 3])], WIDE),
    "MaxPool of ties": (
        [
            node("Tile", "copies", outputs=("twice",)),
            helper.make_node("Reshape", ["twice", "pairs"], ["pair"], name="pair"),
            helper.make_node("Transpose", ["pair"], ["near"], name="near", perm=[0, 1, 3, 2]),
            helper.make_node("Reshape", ["near", "double"], ["doubled"], name="doubled"),
            helper.make_node(
                "MaxPool", ["doubled"], ["t"], name="most", kernel_shape=[2, 2], strides=[2, 2]
            ),
        ],
        WIDE,
    ),
    "ConvTranspose": (
        [
            node(
                "ConvTranspose",
                "up.w",
                strides=[2, 2],
                pads=[1, 1, 1, 1],
                output_padding=[1, 1],
                group=2,
            )
        ],
        2,
    ),
    "MatMul": ([node("MatMul", "square")], WIDE),
    "Einsum": ([node("Einsum", "square", equation="nchw,wv->nchv")], WIDE),
    "Softmax": ([node("Softmax", axis=-1)], WIDE),
    "LayerNormalization": ([node("LayerNormalization", "rows", "rows")], WIDE),
    "InstanceNormalization": ([node("InstanceNormalization", "factor", "mean")], WIDE),
    "attention over channels": (
        [
            node("GlobalAveragePool", outputs=("pooled",)),
            helper.make_node("ReduceMax", ["head", "axes"], ["most"], name="most"),
            helper.make_node("Div", ["pooled", "most"], ["part"], name="part"),
            node("Mul", "part"),
        ],
        WIDE,
    ),
    "deviation of channels, one of them faint": (
        [
            node("Mul", "faint", outputs=("each",)),
            helper.make_node("Mul", ["each", "each"], ["squared"], name="squared"),
            helper.make_node("ReduceMean", ["squared", "axes"], ["power"], name="power"),
            helper.make_node("Pow", ["power", "half"], ["deviation"], name="deviation"),
            node("Mul", "deviation"),
        ],
        WIDE,
    ),
    "Split": (
        [
            node("Split", outputs=("a", "b"), axis=1, num_outputs=2),
            helper.make_node("Mul", ["a", "a"], ["t"], name="squared"),
        ],
        WIDE // 2,
    ),
}


def gradient_of_head(network: Network, x: np.ndarray, output: np.ndarray) -> np.ndarray:
    nodes = Nodes(network)
    back = Backward(network, nodes)
    every = {name for each in network.model.graph.node for name in each.output}
    met = {each.layer.name: each for each in back.met(nodes.values(x, every), output)}
    return met["head"].given


@pytest.mark.parametrize("kind", EACH)
def test_the_gradient_tells_how_the_output_changes(kind: str, tmp_path: Path) -> None:
    network = between(tmp_path / "net.onnx", *EACH[kind])
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (1, 3, SIZE, SIZE)).astype(np.float32)
    y = values(network, x, ("y",))["y"]
    output = rng.normal(size=y.shape).astype(np.float32)
    along = rng.normal(size=(1, WIDE, SIZE, SIZE)).astype(np.float32)
    change = _changed(network, x, 1e-3 * along) - _changed(network, x, -1e-3 * along)
    expected = float((change * output).sum(dtype=np.float64)) / 2e-3
    got = float((gradient_of_head(network, x, output) * along).sum(dtype=np.float64))
    assert got == pytest.approx(expected, rel=0.02, abs=0.02)
    assert blocked(network) == {}


def _changed(network: Network, x: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Return y where `more` is added to what the head gives."""
    model = onnx.ModelProto()
    model.CopyFrom(network.model)
    head = next(each for each in model.graph.node if each.name == "head")
    head.output[0] = "before"
    place = [*model.graph.node].index(head) + 1
    model.graph.node.insert(place, helper.make_node("Add", ["before", "more"], ["head"]))
    model.graph.initializer.append(numpy_helper.from_array(more, "more"))
    del model.graph.value_info[:]
    return values(Network(model, (), ()), x, ("y",))["y"]


@pytest.mark.parametrize(
    "how",
    [
        {"strides": [2, 2], "pads": [1, 1, 1, 1]},
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
        {"auto_pad": "SAME_LOWER"},
        {"dilations": [2, 2], "pads": [2, 2, 2, 2]},
        {"group": 2, "pads": [1, 1, 1, 1]},
        {"pads": [3, 0, 0, 3]},
    ],
    ids=str,
)
def test_a_convolution_of_any_kind_is_carried_back(how: dict[str, Any], tmp_path: Path) -> None:
    middle = helper.make_node("Conv", ["head", "middle.w"], ["t"], name="middle", **how)
    network = between(tmp_path / "net.onnx", [node("Identity")], WIDE)
    weight = np.random.default_rng(4).normal(size=(WIDE, WIDE // how.get("group", 1), 3, 3))
    model = network.model
    model.graph.initializer.append(numpy_helper.from_array(weight.astype(np.float32), "middle.w"))
    tail = next(each for each in model.graph.node if each.name == "tail")
    tail.input[0] = "t"
    model.graph.node.insert([*model.graph.node].index(tail), middle)
    del model.graph.value_info[:]
    onnx.save(model, tmp_path / "three.onnx")
    network = read_network(tmp_path / "three.onnx")
    x = np.random.default_rng(0).uniform(-1, 1, (1, 3, SIZE, SIZE)).astype(np.float32)
    output = np.random.default_rng(1).normal(size=values(network, x, ("y",))["y"].shape)
    along = np.random.default_rng(2).normal(size=(1, WIDE, SIZE, SIZE)).astype(np.float32)
    change = _changed(network, x, 1e-2 * along) - _changed(network, x, -1e-2 * along)
    got = (gradient_of_head(network, x, output.astype(np.float32)) * along).sum()
    assert got == pytest.approx((change * output).sum() / 2e-2, rel=0.01)


def test_an_operator_without_a_rule_is_named_with_the_layers_before_it(tmp_path: Path) -> None:
    network = between(tmp_path / "net.onnx", [node("CumSum", "axis")], WIDE)
    (head, _) = network.layers
    assert blocked(network) == {head: "CumSum"}
