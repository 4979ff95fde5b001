"""The observed tensors suffice for every int8 plan, and none is observed twice."""

from itertools import combinations
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sr_bench.precision.histogram import Histogram
from sr_bench.precision.network import Network, read_network
from sr_bench.precision.points import points
from sr_bench.precision.statistics.observed import Observed
from tests.precision.nets import residual_net


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return residual_net(tmp_path / "net.onnx")


def test_it_suffices_for_every_plan(network: Network) -> None:
    observed = Observed.of(network)
    names = observed.collected | observed.derived.keys()
    for count in range(len(network.layers) + 1):
        for kept in combinations(network.layers, count):
            assert points(network, kept).tensors <= names


def test_moved_values_are_not_looked_at_again(network: Network) -> None:
    observed = Observed.of(network)
    assert observed.collected == {"x", "head", "relu", "body.1", "after", "up", "y"}
    assert observed.derived == {"wide": ("up", False)}


def test_a_derived_histogram_follows_through_several_steps() -> None:
    observed = Observed(frozenset("a"), {"b": ("a", False), "c": ("b", True), "d": ("c", False)})
    histogram = Histogram.of(np.linspace(-3, 2, 1000, dtype=np.float32), where="a")
    assert observed.histogram("a", {"a": histogram}) is histogram
    assert observed.histogram("b", {"a": histogram}) is histogram
    for name in "cd":
        derived = observed.histogram(name, {"a": histogram})
        assert (derived.low, derived.high) == (0, 2)
        assert derived.counts[:2048].sum() == 0


def test_sums_between_layers_are_looked_at(tmp_path: Path) -> None:
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w"], ["a"]),
        node("Relu", ["a"], ["b"]),
        node("Conv", ["b", "w"], ["c"]),
        node("Abs", ["c"], ["d"]),
        node("Add", ["d", "a"], ["e"]),
        node("Relu", ["e"], ["f"]),
        node("Conv", ["f", "w"], ["g"]),
        node("Shape", ["g"], ["shape"]),
        node("Add", ["shape", "shape"], ["twice"]),  # of integers
        node("Resize", ["x", "", "", "twice"], ["h"]),
        node("Add", ["g", "g"], ["i"]),
        node("Resize", ["i", "", "", "twice"], ["j"]),
        node("Slice", ["j", "zero", "end", "one"], ["k"]),
        node("Conv", ["k", "w"], ["l"]),
        node("Slice", ["h", "zero", "end", "one"], ["m"]),
        node("Add", ["l", "m"], ["y"]),
    ]
    constants = {
        "w": (np.eye(3, dtype=np.float32) - 0.4).reshape(3, 3, 1, 1),
        "zero": np.array([0]),
        "one": np.array([1]),
        "end": np.array([3]),
    }
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "net.onnx")
    observed = Observed.of(read_network(tmp_path / "net.onnx"))
    # 'e' is read by a ReLU only; 'm' and 'y' come behind the last layer.
    assert observed.collected == {"x", "a", "c", "d", "f", "g", "i", "k", "l"}
    assert observed.derived == {"b": ("a", True)}
