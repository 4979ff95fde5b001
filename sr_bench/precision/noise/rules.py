"""Carry a gradient back through an operator, from what it gives to what it reads.

There is a rule for each kind of operator: those that move values are followed by moving numbers
in their place, functions of one value by how that value changes what they give.
"""

from collections.abc import Mapping

import numpy as np

from sr_bench.precision.noise.call import Call, Rule, summed
from sr_bench.precision.noise.convolution import convolved
from sr_bench.precision.segments import Array

_COUNTABLE = 2**24
"""Whole numbers that float32 holds exactly."""
_NUDGE = 1e-3
"""By what part of the usual size of a value it is changed to see what a function makes of it."""


def _reshaped(call: Call, i: int) -> Array:
    return call.gradient.reshape(call.inputs[i].shape)


def _transposed(call: Call, _i: int) -> Array:
    order = call.attributes.get("perm", range(call.gradient.ndim)[::-1])
    return call.gradient.transpose(np.argsort(order))


def _unshuffled(call: Call, i: int) -> Array:
    """Do as `_moved`, faster, for what nearly every network has."""
    n, channels, height, width = call.inputs[i].shape
    size = call.attributes["blocksize"]
    parts = call.gradient.reshape(n, channels // size**2, height, size, width, size)
    by_colour = call.attributes.get("mode", b"DCR") == b"CRD"
    ordered = parts.transpose((0, 1, 3, 5, 2, 4) if by_colour else (0, 3, 5, 1, 2, 4))
    return ordered.reshape(n, channels, height, width)


def _moved(call: Call, i: int) -> Array:
    """Follow numbers instead of values; what is copied more than once gets a sum."""
    size = call.inputs[i].size
    if size >= _COUNTABLE:
        raise NotImplementedError
    numbers = np.arange(1, size + 1, dtype=np.float32).reshape(call.inputs[i].shape)
    places = call.again(i, numbers).astype(np.int64).reshape(-1)  # 0: padded
    sums = np.bincount(places, call.gradient.reshape(-1), minlength=size + 1)[1:]
    summed: Array = sums.astype(np.float32).reshape(call.inputs[i].shape)
    return summed


def _resized(call: Call, i: int) -> Array:
    if call.attributes.get("mode", b"nearest") == b"nearest":
        return _moved(call, i)
    return _mixed(call, i)


def _mixed(call: Call, i: int) -> Array:
    """Carry back what mixes rows and columns alike for all channels, by images of single lines."""
    n, channels, height, width = call.inputs[i].shape
    _, _, tall, wide = call.output.shape
    down, across = np.empty((tall, height)), np.empty((wide, width))
    for k in range(max(height, width)):
        lines = np.zeros((2, 1, 1, height, width), np.float32)
        lines[0, ..., k % height, :], lines[1, ..., k % width] = 1, 1
        for line, matrix, at in ((lines[0], down, k % height), (lines[1], across, k % width)):
            mixed = call.again(i, np.broadcast_to(line, (n, channels, height, width)).copy())
            matrix[:, at] = mixed[0, 0, :, wide // 2] if matrix is down else mixed[0, 0, tall // 2]
    mixed = np.einsum("nctw,th,wx->nchx", call.gradient, down, across, optimize=True)
    carried: Array = mixed.astype(np.float32)
    return carried


def _parted(call: Call, i: int) -> Array:
    axis = call.attributes["axis"]
    start = sum(part.shape[axis] for part in call.inputs[:i])
    return np.take(call.gradient, range(start, start + call.inputs[i].shape[axis]), axis)


def _added(call: Call, i: int) -> Array:
    return summed(call.gradient, call.inputs[i].shape)


def _subtracted(call: Call, i: int) -> Array:
    return summed(-call.gradient if i else call.gradient, call.inputs[i].shape)


def _multiplied(call: Call, i: int) -> Array:
    return summed(call.gradient * call.inputs[1 - i], call.inputs[i].shape)


def _divided(call: Call, i: int) -> Array:
    over = call.gradient / call.inputs[1]
    return summed(-over * call.output if i else over, call.inputs[i].shape)


def _picked(call: Call, i: int) -> Array:
    return summed(call.gradient * (call.output == call.inputs[i]), call.inputs[i].shape)


def _chosen(call: Call, i: int) -> Array:
    taken = call.inputs[0] if i == 1 else ~call.inputs[0]
    return summed(call.gradient * taken, call.inputs[i].shape)


def _kept_positive(call: Call, _i: int) -> Array:
    return call.gradient * (call.output > 0)


def _leaked(call: Call, _i: int) -> Array:
    slope = np.float32(call.attributes.get("alpha", 0.01))
    return call.gradient * np.where(call.inputs[0] > 0, np.float32(1), slope)


def _leaked_by(call: Call, _i: int) -> Array:
    return call.gradient * np.where(call.inputs[0] > 0, np.float32(1), call.inputs[1])


def _bent(call: Call, i: int) -> Array:
    """Carry back a function of each value alone: by how much a small change changes it."""
    x = call.inputs[i]
    step = np.float32(_NUDGE) * (np.abs(x) + np.float32(np.sqrt(np.mean(np.square(x))) + 1e-6))
    more, less = call.again(i, x + step), call.again(i, x - step)
    # A root has no value below 0: there one side tells.
    low = np.where(np.isfinite(less), less, call.output)
    carried: Array = call.gradient * (more - low) / np.where(low == less, 2 * step, step)
    return carried


def _averaged(call: Call, _i: int) -> Array:
    image = call.inputs[0]
    axes = call.axes(range(image.ndim))
    shape = [1 if k in {a % image.ndim for a in axes} else n for k, n in enumerate(image.shape)]
    factor = 1.0 if call.node.op_type == "ReduceSum" else np.prod(shape) / image.size
    spread = call.gradient.reshape(shape) * np.float32(factor)
    return np.broadcast_to(spread, image.shape)


def _pooled(call: Call, _i: int) -> Array:
    image = call.inputs[0]
    spread = call.gradient / np.float32(np.prod(image.shape[2:]))
    return np.broadcast_to(spread, image.shape)


def _largest(call: Call, _i: int) -> Array:
    image = call.inputs[0]
    axes = call.axes(range(2, image.ndim) if "Pool" in call.node.op_type else range(image.ndim))
    shape = [1 if k in {a % image.ndim for a in axes} else n for k, n in enumerate(image.shape)]
    carried: Array = call.gradient.reshape(shape) * (image == call.output.reshape(shape))
    return carried


def _largest_of_each(call: Call, _i: int) -> Array:
    """Carry back a pooling whose windows lie side by side."""
    image, given = call.inputs[0], call.attributes
    kernel = given["kernel_shape"]
    if list(given.get("strides", (1, 1))) != list(kernel) or any(given.get("pads", ())):
        raise NotImplementedError
    tall, wide = (
        each.repeat(kernel[0], axis=2).repeat(kernel[1], axis=3)
        for each in (call.output, call.gradient)
    )
    rest = [(0, max(n - m, 0)) for n, m in zip(tall.shape, image.shape, strict=True)]
    whole = np.pad(image, rest, constant_values=-np.inf)[:, :, : tall.shape[2], : tall.shape[3]]
    equal = (whole == tall).reshape(*call.output.shape[:3], kernel[0], -1, kernel[1])
    ties = equal.sum(axis=(3, 5), keepdims=True)  # such as zeros behind a ReLU
    carried = np.zeros_like(image)
    part = (wide * (equal / ties).reshape(tall.shape))[:, :, : image.shape[2], : image.shape[3]]
    carried[:, :, : part.shape[2], : part.shape[3]] = part
    return carried


def _gathered(call: Call, _i: int) -> Array:
    """Carry back a transposed convolution, by the convolution that it transposes."""
    given = dict(call.attributes)
    if given.get("auto_pad", b"NOTSET") != b"NOTSET" or "output_shape" in given:
        raise NotImplementedError
    given.pop("output_padding", None)
    height, width = call.inputs[0].shape[2:]
    return convolved(call.gradient, call.inputs[1], given)[:, :, :height, :width]


def _product(call: Call, i: int) -> Array:
    left, right = call.inputs[:2]
    if min(left.ndim, right.ndim) < 2:
        raise NotImplementedError
    swapped = (right if i == 0 else left).swapaxes(-1, -2)
    whole = call.gradient @ swapped if i == 0 else swapped @ call.gradient
    return summed(whole, call.inputs[i].shape)


def _gemm(call: Call, i: int) -> Array:
    given = call.attributes
    left, right = (
        x.T if given.get(key) else x
        for x, key in zip(call.inputs[:2], ("transA", "transB"), strict=True)
    )
    scaled = call.gradient * np.float32(given.get("alpha", 1.0))
    if i == 2:
        return summed(call.gradient * np.float32(given.get("beta", 1.0)), call.inputs[2].shape)
    whole = scaled @ right.T if i == 0 else left.T @ scaled
    return whole.T if given.get(("transA", "transB")[i]) else whole


def _contracted(call: Call, i: int) -> Array:
    terms, result = call.attributes["equation"].decode().replace(" ", "").split("->")
    names = terms.split(",")
    other = 1 - i
    if len(names) != 2 or set(names[i]) - set(names[other]) - set(result) or "." in terms:
        raise NotImplementedError
    equation = f"{result},{names[other]}->{names[i]}"
    carried: Array = np.einsum(equation, call.gradient, call.inputs[other])
    return carried


def _softmax(call: Call, _i: int) -> Array:
    axis = call.attributes.get("axis", -1)
    mean = (call.gradient * call.output).sum(axis=axis, keepdims=True)
    carried: Array = call.output * (call.gradient - mean)
    return carried


def _layer_norm(call: Call, _i: int) -> Array:
    axis = call.attributes.get("axis", -1) % call.inputs[0].ndim
    axes = tuple(range(axis, call.inputs[0].ndim))
    return _normalised(call, call.gradient * call.inputs[1], axes)


def _instance_norm(call: Call, _i: int) -> Array:
    axes = tuple(range(2, call.inputs[0].ndim))
    factor = call.inputs[1].reshape(-1, *(1 for _ in axes))
    return _normalised(call, call.gradient * factor, axes)


def _normalised(call: Call, gradient: Array, axes: tuple[int, ...]) -> Array:
    x = call.inputs[0]
    centred = x - x.mean(axis=axes, keepdims=True)
    epsilon = call.attributes.get("epsilon", 1e-5)
    deviation = np.sqrt(np.square(centred).mean(axis=axes, keepdims=True) + np.float32(epsilon))
    normal = centred / deviation
    along = (gradient * normal).mean(axis=axes, keepdims=True)
    mean = gradient.mean(axis=axes, keepdims=True)
    carried: Array = (gradient - mean - normal * along) / deviation
    return carried


def _batch_norm(call: Call, _i: int) -> Array:
    _, factor, _, _, variance = call.inputs[:5]
    epsilon = np.float32(call.attributes.get("epsilon", 1e-5))
    slope = factor / np.sqrt(variance + epsilon)
    return call.gradient * slope.reshape(-1, *(1 for _ in call.gradient.shape[2:]))


RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), _reshaped),
    **dict.fromkeys(("Identity", "Dropout", "Cast"), _reshaped),
    "Transpose": _transposed,
    "DepthToSpace": _unshuffled,
    **dict.fromkeys(("SpaceToDepth", "Slice", "Gather", "Pad"), _moved),
    **dict.fromkeys(("Expand", "Tile", "GatherND", "GatherElements"), _moved),
    **dict.fromkeys(("Resize", "Upsample"), _resized),
    "AveragePool": _mixed,
    "Concat": _parted,
    **dict.fromkeys(("Add", "Sum"), _added),
    "Sub": _subtracted,
    "Mul": _multiplied,
    "Div": _divided,
    **dict.fromkeys(("Max", "Min", "Clip"), _picked),
    "Where": _chosen,
    "Relu": _kept_positive,
    "LeakyRelu": _leaked,
    "PRelu": _leaked_by,
    **dict.fromkeys(("Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Gelu"), _bent),
    **dict.fromkeys(("Elu", "Selu", "Celu", "Softplus", "Softsign", "Mish", "Erf"), _bent),
    **dict.fromkeys(("Abs", "Neg", "Exp", "Log", "Sqrt", "Reciprocal", "Pow"), _bent),
    **dict.fromkeys(("Sin", "Cos", "QuickGelu", "FastGelu", "ThresholdedRelu"), _bent),
    **dict.fromkeys(("ReduceMean", "ReduceSum"), _averaged),
    "GlobalAveragePool": _pooled,
    **dict.fromkeys(("GlobalMaxPool", "ReduceMax"), _largest),
    "MaxPool": _largest_of_each,
    "ConvTranspose": _gathered,
    "MatMul": _product,
    "Gemm": _gemm,
    "Einsum": _contracted,
    "Softmax": _softmax,
    "LayerNormalization": _layer_norm,
    "InstanceNormalization": _instance_norm,
    "BatchNormalization": _batch_norm,
}
"""By operator: how a gradient gets from its first output to what it reads; Conv has its own."""

SIZES_ONLY = frozenset(
    (
        *("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Cast", "Transpose"),
        *("DepthToSpace", "SpaceToDepth", "Slice", "Gather", "Pad", "Expand", "Tile", "Resize"),
        *("Upsample", "AveragePool", "Concat", "Add", "Sum", "Sub", "ReduceMean", "ReduceSum"),
        *("GlobalAveragePool", "Split"),
    )
)
"""Operators of which the rule needs no values of what they multiply, only sizes."""
