"""Multiply-accumulates of every kind of operator, against the sizes written out."""

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from sr_bench.precision.macs import count_macs, integer_share, multiplies

_SIDE = 32
_AREA = _SIDE**2
_C = 4  # channels of the image


def _model(nodes: list[NodeProto], constants: dict[str, tuple[int, ...]]) -> ModelProto:
    """Return a network of an image of `_C` channels; constants by name and shape."""
    rng = np.random.default_rng(0)
    stored = [
        numpy_helper.from_array(rng.normal(size=dims).astype(np.float32), name)
        for name, dims in constants.items()
    ]
    shapes = {"flat": [1, _C, -1], "cube": [1, 1, _C, _SIDE, -1], "rows": [_C, -1]}
    stored += [numpy_helper.from_array(np.array(dims), name) for name, dims in shapes.items()]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, _C, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        stored,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _node(op_type: str, *inputs: str, **attributes: object) -> NodeProto:
    return helper.make_node(op_type, [*inputs], ["y"], name="it", **attributes)


def _flat(*more: NodeProto, shape: str = "flat") -> list[NodeProto]:
    return [helper.make_node("Reshape", ["x", shape], ["f"]), *more]


@pytest.mark.parametrize(
    ("nodes", "constants", "macs"),
    [
        ([_node("Conv", "x", "w", pads=[1] * 4)], {"w": (8, _C, 3, 3)}, _AREA * 8 * _C * 9),
        ([_node("Conv", "x", "w", group=_C)], {"w": (_C, 1, 1, 1)}, _AREA * _C),
        ([_node("Conv", "x", "w", strides=[2, 2])], {"w": (2, _C, 1, 1)}, _AREA // 4 * 2 * _C),
        ([_node("ConvTranspose", "x", "w", strides=[2, 2])], {"w": (_C, 3, 2, 2)}, _AREA * _C * 12),
        (_flat(_node("Conv", "f", "w")), {"w": (2, _C, 1)}, _AREA * 2 * _C),
        (_flat(_node("Conv", "f", "w"), shape="cube"), {"w": (2, 1, 1, 1, 1)}, 2 * _C * _AREA),
        ([_node("MatMul", "x", "w")], {"w": (_SIDE, 5)}, _C * _SIDE * 5 * _SIDE),
        ([_node("MatMul", "x", "x")], {}, _C * _SIDE**3),
        (_flat(_node("Gemm", "f", "w", transA=1), shape="rows"), {"w": (_C, 3)}, _AREA * _C * 3),
        ([_node("Einsum", "x", "w", equation="bchw,dc->bdhw")], {"w": (7, _C)}, _AREA * _C * 7),
        ([_node("Einsum", "x", "w", equation="...w, wk->...k")], {"w": (_SIDE, 2)}, _C * _AREA * 2),
        ([_node("Einsum", "x", equation="bchw->bcwh")], {}, 0),
    ],
)  # fmt: skip
def test_each_operator_is_counted_as_its_definition_multiplies(
    nodes: list[NodeProto], constants: dict[str, tuple[int, ...]], macs: int
) -> None:
    (counted,) = count_macs(_model(nodes, constants), optimised=False)
    assert (counted.node, counted.count, counted.in_integers) == ("it", macs, False)
    assert multiplies(nodes[-1])


def test_what_a_loop_repeats_counts_each_time() -> None:
    body = helper.make_graph(
        [
            helper.make_node("Conv", ["v", "w"], ["next"], name="inner"),
            helper.make_node("Identity", ["go"], ["on"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, None),
        ],
    )
    times = helper.make_tensor("n", TensorProto.INT64, [], [3])
    nodes = [
        helper.make_node("Constant", [], ["n"], value=times),
        helper.make_node("Loop", ["n", "", "x"], ["y"], body=body),
    ]
    counted = count_macs(_model(nodes, {"w": (_C, _C, 1, 1)}), optimised=False)
    assert [macs.node for macs in counted] == ["inner"] * 3
    assert sum(macs.count for macs in counted) == 3 * _AREA * _C * _C


@pytest.mark.parametrize("name", ['quote " and \\ and \n', "узел", "a_kernel_time"])
def test_a_name_can_be_any_text(name: str) -> None:
    model = _model([_node("Conv", "x", "w")], {"w": (2, _C, 1, 1)})
    model.graph.node[0].name = name
    (counted,) = count_macs(model, optimised=False)
    assert counted.node == name


def test_a_network_that_needs_another_size_is_counted_on_it() -> None:
    shape = numpy_helper.from_array(np.array([1, _C, -1, 24]), "s")  # windows of 24 pixels
    nodes = [helper.make_node("Reshape", ["x", "s"], ["v"]), _node("Conv", "v", "w")]
    model = _model(nodes, {"w": (2, _C, 1, 1)})
    model.graph.initializer.append(shape)
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 5
    (counted,) = count_macs(model, optimised=False)
    assert counted.count == 5 * 96 * _C * 2  # 32 or 64 columns make no rows of 24


def test_a_network_that_runs_on_no_size_has_no_counts() -> None:
    nodes = [helper.make_node("Reshape", ["x", "s"], ["v"]), _node("Conv", "v", "w")]
    model = _model(nodes, {"w": (2, _C, 1, 1)})
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, _C, 7, 11]), "s"))
    assert count_macs(model, optimised=False) == ()
    assert integer_share(model) is None


@pytest.fixture
def half_rounded() -> Callable[[], ModelProto]:
    """Two equal convolutions in sequence, of which the first lies between rounded values."""

    def make() -> ModelProto:
        def pair(name: str) -> list[NodeProto]:
            levels = helper.make_node("QuantizeLinear", [name, "q", "z"], [f"{name}.q"])
            return [
                levels,
                helper.make_node("DequantizeLinear", [f"{name}.q", "q", "z"], [f"{name}.d"]),
            ]

        nodes = [
            *pair("x"),
            helper.make_node("DequantizeLinear", ["wi", "q", "zi"], ["wd"]),
            helper.make_node("Conv", ["x.d", "wd"], ["a"], name="first"),
            *pair("a"),
            helper.make_node("Conv", ["a.d", "w"], ["y"], name="second"),
        ]
        model = _model(nodes, {"w": (_C, _C, 1, 1)})
        values = {
            "q": np.float32(0.1), "z": np.uint8(0), "zi": np.int8(0),
            "wi": np.ones((_C, _C, 1, 1), np.int8),
        }  # fmt: skip
        model.graph.initializer.extend(
            numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()
        )
        return model

    return make


def test_the_integer_share_is_what_the_optimised_graph_runs(
    half_rounded: Callable[[], ModelProto],
) -> None:
    assert integer_share(half_rounded()) == 0.5
