"""What of a term makes no difference before a ReLU is found, and only where that is so."""

from collections.abc import Sequence

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from sr_bench.precision.network import Network
from sr_bench.precision.statistics.live import holders, live_name, with_live_values


def _node(kind: str, inputs: Sequence[str], output: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [output], name=output, **attributes)


def _network(nodes: list[onnx.NodeProto], output: str = "y") -> Network:
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 8, 8])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
    )
    opset = [helper.make_opsetid("", 17)]
    return Network(helper.make_model(graph, opset_imports=opset, ir_version=8), (), ())


SUM = [
    _node("Sin", ["x"], "a"),
    _node("Cos", ["x"], "b"),
    _node("Add", ["a", "b"], "sum"),
    _node("Relu", ["sum"], "y"),
]
X = (4 * np.random.default_rng(0).standard_normal((1, 4, 8, 8))).astype(np.float32)


def _held(nodes: list[onnx.NodeProto], output: str = "y") -> dict[str, str]:
    network = _network(nodes, output)
    return holders(network, [name for node in nodes for name in node.output])


def _values(network: Network, *names: str) -> list[np.ndarray]:
    model = onnx.ModelProto()
    model.CopyFrom(network.model)
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return ReferenceEvaluator(model).run(list(names), {"x": X})


def test_what_is_dead_is_raised_to_where_it_stays_dead() -> None:
    network = _network(SUM)
    live = [live_name(network, name) for name in "ab"]
    added = with_live_values(network, "ab")
    a, b, of_a, of_b, y = _values(added, "a", "b", *live, "y")
    assert np.array_equal(of_a, np.maximum(a, np.minimum(-b, 0)))
    assert np.array_equal(of_b, np.maximum(b, np.minimum(-a, 0)))
    assert a.min() < of_a.min()
    assert np.array_equal(y, _values(network, "y")[0])
    # Both terms may be clipped so at once, and no lower.
    clipped = np.maximum(a, of_a.min()) + np.maximum(b, of_b.min())
    assert np.array_equal(np.maximum(clipped, 0), y)
    assert not np.array_equal(np.maximum(np.maximum(a, of_a.min() + 0.3) + b, 0), y)


def test_a_term_of_several_sums_is_live_where_one_of_them_is() -> None:
    nodes = [
        *SUM[:2],
        _node("Abs", ["x"], "c"),
        *SUM[2:],
        _node("Add", ["c", "a"], "other"),
        _node("Relu", ["other"], "z"),
    ]
    network = _network(nodes)
    a, b, c, live = _values(with_live_values(network, "a"), "a", "b", "c", live_name(network, "a"))
    assert np.array_equal(live, np.maximum(a, np.minimum(-np.maximum(b, c), 0)))


def test_moved_values_matter_as_the_term_does_that_they_become() -> None:
    nodes = [
        _node("Sin", ["x"], "wide"),
        _node("DepthToSpace", ["wide"], "a", blocksize=2),
        _node("DepthToSpace", ["x"], "b", blocksize=2),
        SUM[2],
        _node("Identity", ["sum"], "same"),
        _node("Relu", ["same"], "y"),
    ]
    assert _held(nodes) == {"wide": "a", "a": "a", "b": "b"}
    assert _held([*nodes, _node("Abs", ["wide"], "c")]) == {"a": "a", "b": "b"}


@pytest.mark.parametrize("reader", ["Sigmoid", "LeakyRelu"])
def test_all_of_a_sum_matters_that_something_else_reads(reader: str) -> None:
    assert _held([*SUM, _node(reader, ["sum"], "c")]) == {}
    assert _held([*SUM[:3], _node(reader, ["sum"], "y")]) == {}


def test_all_of_a_term_matters_that_something_else_reads() -> None:
    assert _held([*SUM[:3], _node("Sigmoid", ["a"], "c"), SUM[3]]) == {"b": "b"}


@pytest.mark.parametrize(("given", "left"), [("a", {"b": "b"}), ("sum", {})])
def test_all_of_an_output_matters(given: str, left: dict[str, str]) -> None:
    assert _held(SUM, given) == left


def test_a_sum_that_nothing_reads_says_nothing_of_its_terms() -> None:
    assert _held([*SUM[:3], _node("Abs", ["x"], "y")]) == {}
