"""Layers of ncnn that compute what an operator of ONNX does.

Source: Tencent/ncnn, wiki "operators", for the numbers of parameters.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

_FP32 = bytes(4)  # stands before weights, which may be of other types
_LARGEST = 3e38
_ARRAY = -23300  # less the number of a parameter that holds several

_Value = int | float | Sequence[int]


@dataclass(frozen=True)
class Layer:
    """A line of the ``.param``, and its numbers in the ``.bin``."""

    kind: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    values: Mapping[int, _Value] = field(default_factory=dict)
    numbers: bytes = b""

    def line(self, name: str, blobs: Mapping[str, str]) -> str:
        """Return the line of the layer `name`; `blobs` are the blobs' names there."""
        counts = f"{len(self.inputs)} {len(self.outputs)}"
        ends = [blobs[blob] for blob in (*self.inputs, *self.outputs)]
        values = [_text(number, value) for number, value in self.values.items()]
        return " ".join([self.kind, name, counts, *ends, *values])


def _text(number: int, value: _Value) -> str:
    if not isinstance(value, int | float):
        return f"{_ARRAY - number}={','.join(map(str, [len(value), *value]))}"
    # Versions before 1.0.20261020 read 15 characters.
    return f"{number}={str(np.float32(value)) if isinstance(value, float) else value}"


@dataclass(frozen=True)
class Node:
    """A node of ONNX, among the constants of its graph."""

    proto: NodeProto
    constants: Mapping[str, TensorProto]

    @property
    def kind(self) -> str:
        """The operator."""
        return str(self.proto.op_type)

    @property
    def inputs(self) -> list[str]:
        """The inputs that are no constants."""
        return [name for name in self.proto.input if name and name not in self.constants]

    def attribute(self, name: str, default: Any) -> Any:
        """Return the attribute `name`, text decoded."""
        given = {item.name: helper.get_attribute_value(item) for item in self.proto.attribute}
        value = given.get(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def constant(self, index: int) -> NDArray[Any] | None:
        """Return the constant that is input number `index`; None if there is no such input."""
        name = self.proto.input[index] if index < len(self.proto.input) else ""
        if name and name not in self.constants:
            self.refuse(f"its input {name!r} is computed")
        return numpy_helper.to_array(self.constants[name]) if name else None

    def needed(self, index: int) -> NDArray[Any]:
        """Return the constant that is input number `index`."""
        value = self.constant(index)
        if value is None:
            self.refuse(f"it has no input number {index}")
        return value

    def given(self, index: int, name: str, default: Any) -> Any:
        """Return input number `index`, or the attribute `name` that older operators have for it."""
        value = self.constant(index)
        return self.attribute(name, default) if value is None else value.tolist()

    def refuse(self, why: str) -> NoReturn:
        """Raise the ValueError that it can't be converted."""
        name = self.proto.name or self.proto.output[0]
        msg = f"the node {name!r} ({self.kind}) is not written as ncnn has it: {why}"
        raise ValueError(msg)

    def layer(
        self, kind: str, values: Mapping[int, _Value] | None = None, *numbers: NDArray[Any] | None
    ) -> Layer:
        """Return a layer in its place; `numbers` are written as float32 but for the weights."""
        parts = [b"" if part is None else part.astype("<f4").tobytes() for part in numbers]
        return Layer(kind, self.inputs, self.proto.output, values or {}, b"".join(parts))


def layers_of(node: Node) -> Sequence[Layer]:
    """Return what computes `node`.

    Raises:
        ValueError: Nothing here does; the message names the operator.
    """
    write = _WRITERS.get(node.kind)
    if write is None:
        node.refuse("its operator is none of those in docs/how-to/runtimes.md")
    return write(node)


def _plain(kind: str, values: Mapping[int, _Value] | None = None) -> Callable[[Node], list[Layer]]:
    return lambda node: [node.layer(kind, values)]


def _windows(node: Node, kernel: Sequence[int], kind: int) -> dict[int, _Value]:
    """Return the sizes of `kernel` and its strides, dilations and pads; `kind` is parameter 0."""
    if len(kernel) != 2 or node.attribute("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        node.refuse("expected a kernel of two sides with pads that are given")
    (high, wide), (down, right) = kernel, node.attribute("dilations", (1, 1))
    stride_y, stride_x = node.attribute("strides", (1, 1))
    top, left, bottom, right_pad = node.attribute("pads", (0, 0, 0, 0))
    sizes = {0: kind, 1: wide, 11: high, 2: right, 12: down, 3: stride_x, 13: stride_y}
    return {**sizes, 4: left, 14: top, 15: right_pad, 16: bottom}


def _convolution(node: Node) -> list[Layer]:
    weight, bias = node.needed(1), node.constant(2)
    groups = node.attribute("group", 1)
    values = _windows(node, weight.shape[2:], weight.shape[0])
    return [_weighted(node, "Convolution", values, groups, weight, bias)]


def _deconvolution(node: Node) -> list[Layer]:
    weight, bias = node.needed(1), node.constant(2)
    groups, (inputs, outputs, *kernel) = node.attribute("group", 1), weight.shape
    # ncnn's weights are outputs first, as of a convolution.
    split = weight.reshape(groups, inputs // groups, outputs, *kernel)
    down, right = node.attribute("output_padding", (0, 0))
    values = {**_windows(node, kernel, groups * outputs), 18: right, 19: down}
    return [_weighted(node, "Deconvolution", values, groups, split.swapaxes(1, 2), bias)]


def _weighted(
    node: Node,
    kind: str,
    values: Mapping[int, _Value],
    groups: int,
    weight: NDArray[Any],
    bias: NDArray[Any] | None,
) -> Layer:
    values = {**values, 5: int(bias is not None), 6: weight.size}
    if groups > 1:
        kind, values = f"{kind}DepthWise", {**values, 7: groups}
    return node.layer(kind, values, np.frombuffer(_FP32, "<f4"), weight, bias)


_BINARY = ("Add", "Sub", "Mul", "Div", "Max", "Min", "Pow")
_TURNED = {"Sub": 7, "Div": 8, "Pow": 9}
"""Parameter 0 where a number stands before the operator."""


def _binary(node: Node) -> list[Layer]:
    kind = _BINARY.index(node.kind)
    fixed = [i for i, name in enumerate(node.proto.input) if name in node.constants]
    if not fixed:
        return [node.layer("BinaryOp", {0: kind})]
    values = node.needed(fixed[0])
    if node.kind == "Pow" and fixed[0] and values.size == 1 and not values.item() % 1:
        if values.item() != 2:  # ncnn's takes logarithms, which negative numbers have none of
            node.refuse(f"to the power of {values.item():g}; ncnn has squares")
        return [node.layer("UnaryOp", {0: 4})]
    if values.size == 1:
        kind = kind if fixed[0] else _TURNED.get(node.kind, kind)
        return [node.layer("BinaryOp", {0: kind, 1: 1, 2: float(values.item())})]
    if values.ndim < 3 or values.size != values.shape[-3]:
        node.refuse(f"a constant of shape {values.shape} has no number for each channel")
    name = node.proto.input[fixed[0]]
    blob = f"{node.proto.output[0]}\nconstant"
    numbers = values.astype("<f4").tobytes()
    data = Layer("MemoryData", (), (blob,), {0: 1, 1: 1, 2: values.size}, numbers)
    inputs = [blob if each == name else each for each in node.proto.input]
    return [data, Layer("BinaryOp", inputs, node.proto.output, {0: kind})]


def _clip(node: Node) -> list[Layer]:
    limits = np.hstack([node.given(1, "min", -_LARGEST), node.given(2, "max", _LARGEST)])
    return [node.layer("Clip", dict(enumerate(limits.clip(-_LARGEST, _LARGEST).tolist())))]


def _prelu(node: Node) -> list[Layer]:
    slopes = node.needed(1)
    return [node.layer("PReLU", {0: slopes.size}, slopes)]


def _leaky(node: Node) -> list[Layer]:
    return [node.layer("ReLU", {0: float(node.attribute("alpha", 0.01))})]


def _pixel_shuffle(node: Node) -> list[Layer]:
    turned = node.attribute("mode", "DCR") == "DCR"
    return [node.layer("PixelShuffle", {0: node.attribute("blocksize", 1), 1: int(turned)})]


def _concat(node: Node) -> list[Layer]:
    if len(node.inputs) < len(node.proto.input):
        node.refuse("one of its inputs is constant")
    return [node.layer("Concat", {0: _axis(node, node.attribute("axis", 1))})]


def _axis(node: Node, axis: int) -> int:
    """Return `axis` of N x C x H x W as ncnn counts it, which has no N."""
    if not axis % 4:
        node.refuse("along the images of a batch")
    return axis % 4 - 1


def _split(node: Node) -> list[Layer]:
    parts = node.given(1, "split", None) or [-233] * len(node.proto.output)  # equal ones
    return [node.layer("Slice", {0: parts, 1: _axis(node, node.attribute("axis", 0))})]


_MODES = {"nearest": 1, "linear": 2, "cubic": 3}


def _resize(node: Node) -> list[Layer]:
    scales = node.constant(1 if node.kind == "Upsample" else 2)
    if scales is None or scales.size != 4 or not np.allclose(scales[:2], 1):
        node.refuse("expected scales of height and width")
    aligned = node.attribute("coordinate_transformation_mode", "half_pixel") == "align_corners"
    mode, sharpness = node.attribute("mode", "nearest"), node.attribute("cubic_coeff_a", -0.75)
    if mode == "cubic" and sharpness != -0.75:
        node.refuse(f"ncnn's cubic has cubic_coeff_a = -0.75, expected {sharpness}")
    factors = {1: float(scales[2]), 2: float(scales[3])}
    return [node.layer("Interp", {0: _MODES[mode], **factors, 6: int(aligned)})]


_PADS = {"constant": 0, "edge": 1, "reflect": 2}


def _pad(node: Node) -> list[Layer]:
    pads, value = node.given(1, "pads", []), node.given(2, "value", 0.0)
    mode = node.attribute("mode", "constant")
    if len(pads) != 8 or any([*pads[:2], *pads[4:6]]) or mode not in _PADS:
        node.refuse("expected pads of height and width alone, constant, edge or reflect")
    sizes = {0: pads[2], 1: pads[6], 2: pads[3], 3: pads[7]}
    return [node.layer("Padding", {**sizes, 4: _PADS[mode], 5: float(np.squeeze(value))})]


def _pool(node: Node) -> list[Layer]:
    if node.attribute("ceil_mode", 0):
        node.refuse("sizes are rounded up")
    values = _windows(node, node.attribute("kernel_shape", ()), int(node.kind == "AveragePool"))
    sizes = {0: values[0], 1: values[1], 11: values[11], 2: values[3], 12: values[13]}
    pads = {3: values[4], 13: values[14], 14: values[15], 15: values[16], 5: 1}
    return [node.layer("Pooling", {**sizes, **pads, 6: node.attribute("count_include_pad", 0)})]


def _mean(node: Node) -> list[Layer]:
    """Return layers for the mean of each plane, which stays one of 1 x 1."""
    if node.kind == "ReduceMean":
        axes = node.given(1, "axes", [])
        if {axis % 4 for axis in axes} != {2, 3} or not node.attribute("keepdims", 1):
            node.refuse("expected the mean of height and width, which are kept")
    flat = f"{node.proto.output[0]}\nflat"
    pooled = Layer("Pooling", node.inputs, (flat,), {0: 1, 4: 1})
    return [pooled, Layer("Reshape", (flat,), node.proto.output, {0: 1, 1: 1, 2: -1})]


def _instance_norm(node: Node) -> list[Layer]:
    scale, bias = node.needed(1), node.needed(2)
    values = {0: scale.size, 1: float(node.attribute("epsilon", 1e-5)), 2: 1}
    return [node.layer("InstanceNorm", values, scale, bias)]


def _batch_norm(node: Node) -> list[Layer]:
    scale, bias, mean, variance = (node.needed(i) for i in (1, 2, 3, 4))
    values = {0: scale.size, 1: float(node.attribute("epsilon", 1e-5))}
    return [node.layer("BatchNorm", values, scale, mean, variance, bias)]


_WRITERS: Final[Mapping[str, Callable[[Node], list[Layer]]]] = MappingProxyType(
    {
        **dict.fromkeys(_BINARY, _binary),
        **{"Abs": _plain("UnaryOp", {0: 0}), "Neg": _plain("UnaryOp", {0: 1})},
        **{"Exp": _plain("UnaryOp", {0: 7}), "Sqrt": _plain("UnaryOp", {0: 5})},
        **{"Relu": _plain("ReLU"), "Sigmoid": _plain("Sigmoid"), "Tanh": _plain("TanH")},
        **{"Identity": _plain("Noop"), "Clip": _clip, "PRelu": _prelu, "LeakyRelu": _leaky},
        **{"Conv": _convolution, "ConvTranspose": _deconvolution, "DepthToSpace": _pixel_shuffle},
        **{"Concat": _concat, "Split": _split, "Pad": _pad, "Resize": _resize, "Upsample": _resize},
        **{"AveragePool": _pool, "MaxPool": _pool, "GlobalAveragePool": _mean, "ReduceMean": _mean},
        **{"InstanceNormalization": _instance_norm, "BatchNormalization": _batch_norm},
    }
)
