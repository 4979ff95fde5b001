"""What an ONNX file computes in is told by its content."""

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from sr_bench.core.backend import PRECISION_KEY
from sr_bench.files.onnx_dtype import arithmetic

_FLOAT, _HALF = TensorProto.FLOAT, TensorProto.FLOAT16


def _model(
    *nodes: NodeProto, weights: tuple[TensorProto, ...] = (), image: int = _FLOAT
) -> ModelProto:
    ends = [helper.make_tensor_value_info(name, image, [1, 3, 4, 4]) for name in "xy"]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def _stored(kind: int, *dims: int) -> TensorProto:
    return helper.make_tensor("w", kind, dims, np.zeros(dims).ravel().tolist())


_RELU = helper.make_node("Relu", ["x"], ["y"], name="act")
_PACKED = helper.make_node("MatMulNBits", ["x"], ["y"], domain="com.microsoft", bits=4, name="mm")


@pytest.mark.parametrize(
    ("model", "dtype", "sign"),
    [
        (_model(_RELU, weights=(_stored(_FLOAT, 3, 3),)), "fp32", ""),
        (_model(_RELU, weights=(_stored(TensorProto.INT64, 4),)), "fp32", ""),
        (_model(_RELU, weights=(_stored(TensorProto.INT16, 4),)), "fp32", ""),
        (_model(_RELU, weights=(_stored(TensorProto.UINT8, 256),)), "fp32", ""),  # a table
        (_model(_RELU, image=TensorProto.UINT8), "fp32", ""),  # reads 8-bit images
        (_model(_RELU, image=_HALF), "fp16", "its input 'x' is float16"),
        (_model(_RELU, weights=(_stored(_HALF, 3),)), "fp16", "'w' is stored as float16"),
        (
            _model(
                helper.make_node("Cast", ["x"], ["h"], name="c", to=_HALF),
                helper.make_node("Relu", ["h"], ["y"]),
            ),
            "fp16",
            "the node 'c' casts to float16",
        ),
        (  # and back at once: an image is given so, and the network computes in float32
            _model(
                helper.make_node("Cast", ["x"], ["h"], to=_HALF),
                helper.make_node("Cast", ["h"], ["f"], to=_FLOAT),
                helper.make_node("Relu", ["f"], ["y"]),
            ),
            "fp32",
            "",
        ),
        (
            _model(
                helper.make_node("Relu", ["x"], ["f"]),
                helper.make_node("Cast", ["f"], ["h"], name="c", to=_HALF),
                helper.make_node("Cast", ["h"], ["g"], to=_FLOAT),
                helper.make_node("Relu", ["g"], ["y"]),
            ),
            "fp16",
            "the node 'c' casts to float16",
        ),
        (
            _model(_RELU, weights=(_stored(TensorProto.INT8, 3, 3),)),
            "int8",
            "'w' is stored as int8",
        ),
        *(
            (
                _model(helper.make_node(operator, ["x"], ["y"])),
                "int8",
                f"it has the operator {operator} 'y'",
            )
            for operator in (
                *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"),
                *("QLinearConv", "ConvInteger", "MatMulIntegerToFloat", "QGemm"),
            )
        ),
        (
            _model(_RELU, weights=(_stored(TensorProto.INT4, 2, 2),)),
            "int4",
            "'w' is stored as int4",
        ),
        (_model(_PACKED), "int4", "it has the operator MatMulNBits 'mm'"),
        (
            _model(
                helper.make_node("QuantizeLinear", ["x"], ["y"]),
                weights=(_stored(TensorProto.UINT16),),
            ),
            "int16",
            "'w' is stored as uint16",
        ),
        (
            _model(_RELU, weights=(_stored(TensorProto.BFLOAT16, 3),)),
            "bfloat16",
            "'w' is stored as bfloat16",
        ),
    ],
)
def test_the_content_tells_the_dtype_and_names_its_sign(
    model: ModelProto, dtype: str, sign: str
) -> None:
    found = arithmetic(model)
    assert (found.dtype, found.sign) == (dtype, sign)


def test_weights_in_attributes_inner_graphs_and_functions_count() -> None:
    half = numpy_helper.from_array(np.zeros(3, np.float16), "h")
    hidden = helper.make_node("Constant", [], ["h"], name="hidden", value=half)
    assert arithmetic(_model(hidden, _RELU)).sign == "'hidden' is stored as float16"
    inner = helper.make_graph([hidden], "i", [], [])
    fork = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    assert arithmetic(_model(fork)).dtype == "fp16"
    model = _model(_RELU)
    model.functions.append(
        helper.make_function("d", "f", [], ["h"], [hidden], [helper.make_opsetid("", 21)])
    )
    assert arithmetic(model).dtype == "fp16"


def test_what_a_file_says_of_itself_comes_first() -> None:
    model = _model(_RELU)
    model.metadata_props.add(key=PRECISION_KEY, value="int8")
    assert arithmetic(model).dtype == "int8"
