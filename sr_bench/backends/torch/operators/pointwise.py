"""Operators on each value by itself, on values in pairs, and on values along axes."""

from collections.abc import Callable, Mapping
from functools import reduce

import torch
from onnx import TensorProto
from torch import Tensor
from torch.nn import functional

from sr_bench.backends.torch.operators.node import Build, Node, Run, integers, together
from sr_bench.errors import NotRunError

_TYPES: Mapping[int, torch.dtype] = {
    TensorProto.FLOAT: torch.float32,
    TensorProto.FLOAT16: torch.float16,
    TensorProto.DOUBLE: torch.float64,
    TensorProto.INT64: torch.int64,
    TensorProto.INT32: torch.int32,
    TensorProto.INT8: torch.int8,
    TensorProto.UINT8: torch.uint8,
    TensorProto.BOOL: torch.bool,
}


def plain(function: Callable[..., Tensor]) -> Build:
    """Return the operator of one function of all its inputs, without attributes."""

    def run(*values: Tensor) -> Tensor:
        return function(*together(values))

    return lambda _node: run


def folded(function: Callable[[Tensor, Tensor], Tensor]) -> Build:
    """Return the operator that joins any number of inputs by a function of two."""
    return plain(lambda *values: reduce(function, values))


def _leaky_relu(node: Node) -> Run:
    alpha = node.number("alpha", 0.01)
    return lambda x: functional.leaky_relu(x, alpha)


def _elu(node: Node) -> Run:
    alpha = node.number("alpha", 1.0)
    return lambda x: functional.elu(x, alpha)


def _hard_sigmoid(node: Node) -> Run:
    alpha, beta = node.number("alpha", 0.2), node.number("beta", 0.5)
    return lambda x: (x * alpha + beta).clamp_(0, 1)


def _gelu(node: Node) -> Run:
    node.only("approximate", "none", "tanh")
    approximate = node.word("approximate", "none")
    return lambda x: functional.gelu(x, approximate=approximate)


def _prelu(x: Tensor, slope: Tensor) -> Tensor:
    return torch.where(x < 0, x * slope, x)


def _divide(x: Tensor, y: Tensor) -> Tensor:
    return x / y if x.is_floating_point() else torch.div(x, y, rounding_mode="trunc")


def _power(x: Tensor, y: Tensor) -> Tensor:
    return torch.pow(x, y).to(x.dtype)


def _clip(_node: Node) -> Run:
    def run(x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
        if low is not None:
            x = torch.maximum(*together((x, low)))
        if high is not None:
            x = torch.minimum(*together((x, high)))
        return x

    return run


def _cast(node: Node) -> Run:
    node.only("saturate", 1)
    code = node.integer("to")
    if code not in _TYPES:
        msg = f"to = {TensorProto.DataType.Name(code)} is not supported"
        raise NotRunError(msg)
    kind = _TYPES[code]
    return lambda x: x.to(kind)


def _softmax(function: Callable[[Tensor, int], Tensor]) -> Build:
    def build(node: Node) -> Run:
        if node.opset >= 13:
            axis = node.integer("axis", -1)
            return lambda x: function(x, axis)
        # Before opset 13, all axes from this one on are one.
        first = node.integer("axis", 1)
        return lambda x: function(x.flatten(first % x.ndim), first % x.ndim).reshape(x.shape)

    return build


def _reduced(function: Callable[[Tensor, list[int], bool], Tensor]) -> Build:
    def build(node: Node) -> Run:
        fixed = node.integers("axes")
        keep, idle = bool(node.integer("keepdims", 1)), node.integer("noop_with_empty_axes")

        def run(x: Tensor, given: Tensor | None = None) -> Tensor:
            axes = list(fixed) if given is None else integers(given)
            if not axes and idle:
                return x
            return function(x, axes or list(range(x.ndim)), keep)

        return run

    return build


def _matrix_product(node: Node) -> Run:
    """Build Gemm."""
    alpha, beta = node.number("alpha", 1.0), node.number("beta", 1.0)
    swap_a, swap_b = node.integer("transA"), node.integer("transB")

    def run(a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
        product = (a.T if swap_a else a) @ (b.T if swap_b else b)
        product = product * alpha if alpha != 1 else product
        if c is None:
            return product
        return product + (c * beta if beta != 1 else c)

    return run


def _layer_norm(node: Node) -> Run:
    node.one_output()
    node.only("stash_type", 1)
    axis, epsilon = node.integer("axis", -1), node.number("epsilon", 1e-5)

    def run(x: Tensor, scale: Tensor, bias: Tensor | None = None) -> Tensor:
        shape = x.shape[axis:]
        weight = scale.broadcast_to(shape)
        shift = None if bias is None else bias.broadcast_to(shape)
        return functional.layer_norm(x, shape, weight, shift, epsilon)

    return run


def _batch_norm(node: Node) -> Run:
    node.one_output()
    node.only("training_mode", 0)
    node.number("momentum", 0.9)  # of training only
    epsilon = node.number("epsilon", 1e-5)

    def run(x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        return functional.batch_norm(x, mean, variance, scale, bias, eps=epsilon)

    return run


def _instance_norm(node: Node) -> Run:
    epsilon = node.number("epsilon", 1e-5)
    return lambda x, scale, bias: functional.instance_norm(x, weight=scale, bias=bias, eps=epsilon)


def _einsum(node: Node) -> Run:
    equation = node.word("equation", "")
    return lambda *values: torch.einsum(equation, *together(values))


TABLE: Mapping[str, Build] = {
    "Abs": plain(torch.abs),
    "Add": plain(torch.add),
    "And": plain(torch.logical_and),
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Ceil": plain(torch.ceil),
    "Clip": _clip,
    "Cos": plain(torch.cos),
    "Div": plain(_divide),
    "Einsum": _einsum,
    "Elu": _elu,
    "Equal": plain(torch.eq),
    "Erf": plain(torch.erf),
    "Exp": plain(torch.exp),
    "Floor": plain(torch.floor),
    "Gelu": _gelu,
    "Gemm": _matrix_product,
    "Greater": plain(torch.gt),
    "GreaterOrEqual": plain(torch.ge),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": plain(functional.hardswish),
    "InstanceNormalization": _instance_norm,
    "LayerNormalization": _layer_norm,
    "LeakyRelu": _leaky_relu,
    "Less": plain(torch.lt),
    "LessOrEqual": plain(torch.le),
    "Log": plain(torch.log),
    "LogSoftmax": _softmax(torch.log_softmax),
    "MatMul": plain(torch.matmul),
    "Max": folded(torch.maximum),
    "Min": folded(torch.minimum),
    "Mul": plain(torch.mul),
    "Neg": plain(torch.neg),
    "Not": plain(torch.logical_not),
    "Or": plain(torch.logical_or),
    "PRelu": plain(_prelu),
    "Pow": plain(_power),
    "Reciprocal": plain(torch.reciprocal),
    "ReduceMax": _reduced(torch.amax),
    "ReduceMean": _reduced(torch.mean),
    "ReduceMin": _reduced(torch.amin),
    "ReduceSum": _reduced(torch.sum),
    "Relu": plain(torch.relu),
    "Round": plain(torch.round),
    "Sigmoid": plain(torch.sigmoid),
    "Sign": plain(torch.sign),
    "Sin": plain(torch.sin),
    "Softmax": _softmax(torch.softmax),
    "Softplus": plain(functional.softplus),
    "Sqrt": plain(torch.sqrt),
    "Sub": plain(torch.sub),
    "Sum": folded(torch.add),
    "Tanh": plain(torch.tanh),
    "Where": plain(torch.where),
}
