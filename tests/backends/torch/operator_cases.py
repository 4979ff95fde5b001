"""One node each: the operators that torch runs, with the attributes that change what they give."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from onnx import TensorProto, numpy_helper

_RNG = np.random.default_rng(3)


def _floats(*shape: int) -> np.ndarray:
    return _RNG.standard_normal(shape).astype(np.float32)


def _ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


@dataclass(frozen=True)
class Case:
    """One node: its operator, the inputs after ``x``, its attributes."""

    op: str
    others: Sequence[ArrayLike | None] = ()
    """None: left out."""
    attributes: dict[str, object] = field(default_factory=dict)
    shape: tuple[int, ...] = (2, 4, 6, 8)
    rank: int = 4
    kind: int = TensorProto.FLOAT
    opset: int = 17
    positive: bool = False
    before: str = ""
    """An operator that turns ``x`` into the node's first input."""

    def __str__(self) -> str:
        words = [self.op, *(f"{k}={v}" for k, v in self.attributes.items())]
        return "-".join(words).replace(" ", "")


def _resize(scale: ArrayLike | None, size: ArrayLike | None = None, **attributes: object) -> Case:
    scales = None if scale is None else np.array([1, 1, *scale], np.float32)
    sizes = None if size is None else _ints(2, 4, *size)
    return Case("Resize", (None, scales, *([] if size is None else [sizes])), attributes)


def _unary(*names: str) -> list[Case]:
    return [Case(name) for name in names]


FUNCTIONS = [
    *_unary("Abs", "Ceil", "Cos", "Elu", "Erf", "Exp", "Floor", "HardSigmoid", "HardSwish"),
    *_unary("Identity", "LeakyRelu", "Neg", "Reciprocal", "Relu", "Round", "Sigmoid", "Sign"),
    *_unary("Sin", "Softplus", "Tanh", "Dropout", "Clip"),
    Case("Log", positive=True),
    Case("Sqrt", positive=True),
    Case("Elu", attributes={"alpha": 0.3}),
    Case("LeakyRelu", attributes={"alpha": 0.2}),
    Case("HardSigmoid", attributes={"alpha": 0.7, "beta": 0.1}),
    Case("Gelu", opset=20),
    Case("Gelu", attributes={"approximate": "tanh"}, opset=20),
    Case("PRelu", [_floats(4, 1, 1)]),
    Case("Clip", [np.float32(-0.5), np.float32(0.7)]),
    Case("Clip", [None, np.float32(0.2)]),
    Case("Clip", [np.float32(0.2)]),
    Case("Cast", attributes={"to": TensorProto.INT64}, kind=TensorProto.INT64),
    Case("Cast", attributes={"to": TensorProto.FLOAT16}, kind=TensorProto.FLOAT16),
]

PAIRS = [
    *(Case(op, [_floats(4, 1, 1)]) for op in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Sum")),
    Case("Max", [_floats(4, 1, 8), _floats(1)]),
    Case("Min", [_floats(4, 1, 8), _floats(1)]),
    Case("Sum", [_floats(4, 1, 8), _floats(1)]),
    Case("Max"),
    Case("Pow", [np.float32(1.7)], positive=True),
    Case("Pow", [_ints(2)]),
    Case("Div", [_ints(4)], before="Shape", rank=1, kind=TensorProto.INT64),
    Case("Div", [_ints(-4)], before="Shape", rank=1, kind=TensorProto.INT64),
    *(
        Case(op, [_floats(4, 1, 8)], kind=TensorProto.BOOL)
        for op in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
    ),
    Case("Equal", [_ints(2, 4, 6, 6)], before="Shape", rank=1, kind=TensorProto.BOOL),
    *(Case(op, [_floats(8) > 0], before="Less", kind=TensorProto.BOOL) for op in ("And", "Or")),
    Case("Not", before="Less", kind=TensorProto.BOOL),
    Case("Where", [_floats(4, 1, 8), _floats(1)], before="Less"),
]

SUMS = [
    Case("MatMul", [_floats(8, 5)]),
    Case("MatMul", [_floats(2, 1, 8, 5)]),
    Case("Gemm", [_floats(192, 5)], before="Flatten", rank=2),
    Case(
        "Gemm",
        [_floats(5, 192), _floats(5)],
        {"transB": 1, "alpha": 0.5, "beta": 2.0},
        before="Flatten",
        rank=2,
    ),
    Case("Gemm", [_floats(2, 5)], {"transA": 1}, before="Flatten", rank=2),
    Case("Einsum", [_floats(3, 4)], {"equation": "nchw,dc->ndhw"}),
    *(Case(f"Reduce{kind}") for kind in ("Max", "Mean", "Min", "Sum")),
    Case("ReduceMean", attributes={"axes": [1, -1], "keepdims": 0}, rank=2),
    Case("ReduceMean", [_ints(2, 3)], opset=18),
    Case("ReduceSum", [_ints(-3)], {"keepdims": 0}, rank=3),
    Case("ReduceSum", attributes={"noop_with_empty_axes": 1}),
    Case("ReduceMax", attributes={"axes": [2]}),
    Case("Softmax"),
    Case("Softmax", attributes={"axis": 1}),
    Case("Softmax", opset=12),
    Case("LogSoftmax", attributes={"axis": 2}),
    Case("LogSoftmax", attributes={"axis": -2}, opset=11),
    Case("LayerNormalization", [_floats(8), _floats(8)], {"epsilon": 0.1}),
    Case("LayerNormalization", [_floats(6, 8)], {"axis": 2}),
    Case("LayerNormalization", [_floats(1)]),
    Case(
        "BatchNormalization",
        [_floats(4), _floats(4), _floats(4), np.abs(_floats(4))],
        {"epsilon": 0.1},
    ),
    Case("InstanceNormalization", [_floats(4), _floats(4)], {"epsilon": 0.1}),
]

LAYOUTS = [
    *(
        Case(op, attributes={"blocksize": 2, "mode": mode})
        for op, mode in (("DepthToSpace", "DCR"), ("DepthToSpace", "CRD"))
    ),
    Case("DepthToSpace", attributes={"blocksize": 3}, shape=(2, 18, 3, 5)),
    Case("SpaceToDepth", attributes={"blocksize": 2}),
    Case("Reshape", [_ints(0, -1, 4)], rank=3),
    Case("Reshape", [_ints(8, 2, 24)], rank=3),
    Case("Reshape", [_ints(0, 5)], {"allowzero": 1}, shape=(0, 1, 1, 1), rank=2),
    Case("Transpose"),
    Case("Transpose", attributes={"perm": [0, 2, 3, 1]}),
    *(Case("Flatten", attributes={"axis": axis}, rank=2) for axis in (0, 1, 3, 4, -1, -4)),
    Case("Squeeze", [_ints(1, -1)], shape=(2, 1, 6, 1), rank=2),
    Case("Squeeze", shape=(2, 1, 6, 1), rank=2),
    Case("Squeeze", attributes={"axes": [1]}, shape=(2, 1, 6, 1), rank=3, opset=11),
    Case("Unsqueeze", [_ints(0, -1)], rank=6),
    Case("Unsqueeze", attributes={"axes": [3, 1]}, rank=6, opset=11),
    Case("Concat", [_floats(2, 3, 6, 8)], {"axis": 1}),
    Case("Concat", [_floats(2, 4, 6, 1), _floats(2, 4, 6, 2)], {"axis": -1}),
    Case("Split", [_ints(1, 3)], {"axis": 1}),
    Case("Split", attributes={"axis": -1}),
    Case("Split", attributes={"axis": 1, "split": [3, 1]}, opset=11),
    Case("Split", attributes={"axis": 3, "num_outputs": 3}, opset=18),
    Case("Slice", [_ints(1, -3), _ints(3, 2**62), _ints(1, 3)]),
    Case("Slice", [_ints(0, 0, 1), _ints(9, 9, 9), None, _ints(1, 2, 2)]),
    Case("Slice", [_ints(-1), _ints(-(2**62)), _ints(2), _ints(-2)]),
    Case("Gather", [_ints(3, 0, -1)], {"axis": 1}),
    Case("Gather", [np.array([[0, 1], [1, 0]], np.int32)], {"axis": -1}, rank=5),
    Case("Gather", [np.array(1, np.int64)], rank=3),
    Case("Expand", [_ints(3, 2, 1, 6, 8)], shape=(2, 1, 6, 8), rank=5),
    Case("Expand", [_ints(4, 1, 1)], shape=(2, 1, 6, 8)),
    Case("Tile", [_ints(1, 2, 1, 3)]),
    Case("Pad", [_ints(0, 0, 1, 2, 0, 0, 3, 4)]),
    Case("Pad", [_ints(0, 1, 0, 2, 1, 0, -2, -1), np.float32(0.5)]),
    Case("Pad", [_ints(1, 2, 3, 4), None, _ints(2, -1)], {"mode": "reflect"}, opset=18),
    Case("Pad", [_ints(0, 0, 1, 2, 0, 0, 3, 4)], {"mode": "reflect"}),
    Case("Pad", [_ints(0, 2, 1, 2, 0, 0, 3, 4)], {"mode": "edge"}),
    Case("Pad", [_ints(0, 0, 1, 2, 0, 0, 3, 4)], {"mode": "wrap"}, opset=19),
    Case("Shape", rank=1, kind=TensorProto.INT64),
    Case("Shape", attributes={"start": 1, "end": -1}, rank=1, kind=TensorProto.INT64),
    Case("Size", rank=0, kind=TensorProto.INT64),
    Case("ConstantOfShape", before="Shape"),
    Case(
        "ConstantOfShape",
        before="Shape",
        kind=TensorProto.INT64,
        attributes={"value": numpy_helper.from_array(np.array([7], np.int64))},
    ),
    Case(
        "Range",
        [np.array(-3, np.int64), np.array(-7, np.int64)],
        before="Size",
        rank=1,
        kind=TensorProto.INT64,
    ),
]

_KERNEL = _floats(6, 4, 3, 3)

WINDOWS = [
    Case("Conv", [_KERNEL]),
    Case("Conv", [_KERNEL, _floats(6)], {"pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}),
    Case("Conv", [_KERNEL], {"pads": [1, 0, 2, 3], "strides": [2, 1]}),
    Case("Conv", [_KERNEL], {"dilations": [2, 1], "pads": [2, 1, 2, 1]}),
    Case("Conv", [_floats(8, 2, 3, 1), _floats(8)], {"group": 2}),
    Case("Conv", [_floats(4, 1, 3, 3)], {"group": 4, "auto_pad": "SAME_UPPER"}),
    *(
        Case("Conv", [_floats(6, 4, 4, 2)], {"auto_pad": pad, "strides": [3, 2]})
        for pad in ("SAME_UPPER", "SAME_LOWER", "VALID")
    ),
    Case("ConvTranspose", [_floats(4, 6, 3, 3)]),
    Case(
        "ConvTranspose",
        [_floats(4, 6, 4, 4), _floats(6)],
        {"strides": [2, 2], "pads": [1, 1, 1, 1]},
    ),
    Case(
        "ConvTranspose",
        [_floats(4, 3, 3, 2), _floats(6)],
        {"strides": [2, 3], "group": 2, "pads": [0, 1, 1, 0], "output_padding": [1, 2]},
    ),
    Case("ConvTranspose", [_floats(4, 2, 3, 3)], {"dilations": [2, 1], "auto_pad": "VALID"}),
    Case("MaxPool", attributes={"kernel_shape": [2, 3]}),
    Case("MaxPool", attributes={"kernel_shape": [3, 3], "strides": [2, 2], "pads": [2, 1, 0, 1]}),
    Case("MaxPool", attributes={"kernel_shape": [2, 2], "dilations": [2, 3]}),
    Case("MaxPool", attributes={"kernel_shape": [4, 3], "strides": [4, 3], "ceil_mode": 1}),
    Case(
        "MaxPool", attributes={"kernel_shape": [3, 3], "auto_pad": "SAME_LOWER", "strides": [2, 2]}
    ),
    Case("AveragePool", attributes={"kernel_shape": [2, 3], "strides": [2, 1]}),
    *(
        Case(
            "AveragePool",
            attributes={"kernel_shape": [3, 3], "pads": [1, 0, 2, 1], "count_include_pad": counted},
        )
        for counted in (0, 1)
    ),
    Case("AveragePool", attributes={"kernel_shape": [4, 3], "strides": [4, 3], "ceil_mode": 1}),
    Case("GlobalAveragePool"),
    Case("GlobalMaxPool"),
]

_MODES = ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel")

RESIZES = [
    *(
        _resize(scale, mode=mode, coordinate_transformation_mode=coordinates)
        for scale in ((2, 3), (0.5, 1.3))
        for mode in ("nearest", "linear", "cubic")
        for coordinates in _MODES
    ),
    *(
        _resize((1.7, 0.6), nearest_mode=rounding)
        for rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
    ),
    _resize(None, (9, 12), mode="linear"),
    _resize(None, (9, 1), mode="linear", coordinate_transformation_mode="pytorch_half_pixel"),
    _resize((2, 2), mode="cubic", cubic_coeff_a=-0.5, exclude_outside=1),
    Case(
        "Resize", [None, np.array([2, 3], np.float32)], {"axes": [2, 3], "mode": "linear"}, opset=18
    ),
    Case(
        "Resize",
        [None, np.array([1, 1, 1.3, 0.7], np.float32)],
        {"coordinate_transformation_mode": "half_pixel_symmetric", "mode": "linear"},
        opset=19,
    ),
]

LEVELS = [
    Case("QuantizeLinear", [np.float32(0.01), np.uint8(100)], kind=TensorProto.UINT8),
    Case("QuantizeLinear", [np.float32(0.25), np.int8(-7)], kind=TensorProto.INT8),
    Case("QuantizeLinear", [np.float32(0.25)], kind=TensorProto.UINT8),
    Case(
        "QuantizeLinear",
        [np.array([0.1, 0.01, 0.2, 0.3], np.float32), np.array([0, 5, 128, 255], np.uint8)],
        {"axis": -3},
        kind=TensorProto.UINT8,
    ),
    Case("DequantizeLinear", [np.float32(0.01), np.uint8(7)], before="QuantizeLinear"),
    Case("DequantizeLinear", [np.float32(0.01)], before="QuantizeLinear"),
    Case(
        "DequantizeLinear",
        [np.array([0.1, 0.01, 0.2, 0.3], np.float32), np.array([0, 5, 128, 255], np.uint8)],
        before="QuantizeLinear",
    ),
]

CASES = [*FUNCTIONS, *PAIRS, *SUMS, *LAYOUTS, *WINDOWS, *RESIZES, *LEVELS]
