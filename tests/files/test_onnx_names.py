"""Names that are added to an ONNX file keep clear of all that it has."""

import onnx
import pytest
from onnx import GraphProto, ModelProto, TensorProto, helper

from sr_bench.files.onnx_names import name_nodes, separator


def _chain(*names: str, nodes: tuple[str, ...] = ()) -> ModelProto:
    """Return a chain of Relu nodes through the values `names`."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in names]
    pairs = zip(names, names[1:], nodes or [""] * (len(names) - 1), strict=False)
    relus = [helper.make_node("Relu", [a], [b], name=name) for a, b, name in pairs]
    graph = helper.make_graph(relus, "g", ends[:1], ends[-1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize(
    ("names", "mark"),
    [
        (("x", "y"), "/"),
        (("/body/Conv_output_0", "/body/Relu_output_0"), "/"),  # as torch writes them
        (("x", "x/scale"), "//"),
        (("x", "x/scale", "x//scale"), "///"),
        (("a", "a/b/c"), "//"),
        (("a/", "a//x"), "//"),
    ],
)
def test_the_separator_makes_no_name_that_the_file_has(names: tuple[str, ...], mark: str) -> None:
    assert separator(_chain(*names)) == mark


def test_names_of_nodes_and_of_inner_graphs_count_for_the_separator() -> None:
    assert separator(_chain("x", "y", nodes=("x/int8",))) == "//"
    inner = _chain("x", "x/rounded").graph
    model = _chain("x", "y")
    model.graph.node.append(_fork(inner))
    assert separator(model) == "//"


def test_each_node_gets_a_name_of_its_own_and_those_in_order_keep_theirs() -> None:
    nodes = ("a", "", "a", "Relu_1", "a_2", "")
    model = _chain(*"uvwxyzt", nodes=nodes)
    name_nodes(model)
    names = [node.name for node in model.graph.node]
    assert names == ["a", "Relu_1_2", "a_3", "Relu_1", "a_2", "Relu_5"]


def test_nodes_of_inner_graphs_share_no_name_with_those_outside() -> None:
    model = _chain("x", "y", nodes=("a",))
    fork = _fork(_chain("x", "z", nodes=("a",)).graph)
    model.graph.node.append(fork)
    name_nodes(model)
    assert model.graph.node[0].name == "a"
    assert model.graph.node[1].attribute[0].g.node[0].name == "a_2"


def _fork(inner: GraphProto) -> onnx.NodeProto:
    return helper.make_node("If", ["c"], ["o"], name="if", then_branch=inner, else_branch=inner)
