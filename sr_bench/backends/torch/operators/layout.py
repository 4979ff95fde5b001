"""Operators that move, cut and join values, and those that compute sizes."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from onnx import TensorProto, numpy_helper
from torch import Tensor
from torch.nn import functional

from sr_bench.backends.torch.operators.node import Build, Node, Run, integers, together
from sr_bench.errors import NotRunError

_LISTS = {
    "value_float": np.float32,
    "value_floats": np.float32,
    "value_int": np.int64,
    "value_ints": np.int64,
}


def _identity(_node: Node) -> Run:
    return lambda x: x


def _dropout(node: Node) -> Run:
    node.one_output()
    node.integer("seed")
    return lambda x, *_ratio_and_mode: x


def _depth_to_space(node: Node) -> Run:
    block = node.integer("blocksize")
    node.only("mode", "DCR", "CRD")
    if node.word("mode", "DCR") == "CRD":
        return lambda x: functional.pixel_shuffle(x, block)

    def run(x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        parts = x.reshape(n, block, block, c // block**2, h, w).permute(0, 3, 4, 1, 5, 2)
        return parts.reshape(n, c // block**2, h * block, w * block)

    return run


def _space_to_depth(node: Node) -> Run:
    block = node.integer("blocksize")

    def run(x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        parts = x.reshape(n, c, h // block, block, w // block, block).permute(0, 3, 5, 1, 2, 4)
        return parts.reshape(n, c * block**2, h // block, w // block)

    return run


def _reshape(node: Node) -> Run:
    copies_zero = not node.integer("allowzero")

    def run(x: Tensor, shape: Tensor) -> Tensor:
        sizes = integers(shape)
        if copies_zero:
            sizes = [size or x.shape[axis] for axis, size in enumerate(sizes)]
        return x.reshape(sizes)

    return run


def _transpose(node: Node) -> Run:
    order = node.integers("perm")
    return lambda x: x.permute(order or tuple(reversed(range(x.ndim))))


def _flatten(node: Node) -> Run:
    axis = node.integer("axis", 1)

    def run(x: Tensor) -> Tensor:
        rows = int(np.prod(x.shape[: axis + x.ndim if axis < 0 else axis]))
        return x.reshape(rows, x.numel() // rows)

    return run


def _squeeze(node: Node) -> Run:
    fixed = node.integers("axes")

    def run(x: Tensor, given: Tensor | None = None) -> Tensor:
        axes = fixed if given is None else tuple(integers(given))
        return x.squeeze(axes or tuple(range(x.ndim)))

    return run


def _unsqueeze(node: Node) -> Run:
    fixed = node.integers("axes")

    def run(x: Tensor, given: Tensor | None = None) -> Tensor:
        axes = fixed if given is None else tuple(integers(given))
        rank = x.ndim + len(axes)
        for axis in sorted(axis % rank for axis in axes):
            x = x.unsqueeze(axis)
        return x

    return run


def _concat(node: Node) -> Run:
    axis = node.integer("axis")
    return lambda *values: torch.cat(together(values), axis)


def _split(node: Node) -> Run:
    axis, parts = node.integer("axis"), node.integer("num_outputs") or len(node.outputs)
    fixed = node.integers("split")

    def run(x: Tensor, given: Tensor | None = None) -> Sequence[Tensor]:
        sizes = list(fixed) if given is None else integers(given)
        return torch.split(x, sizes or -(-x.shape[axis] // parts), axis)

    return run


def _slice(_node: Node) -> Run:
    def run(
        x: Tensor,
        starts: Tensor,
        ends: Tensor,
        axes: Tensor | None = None,
        steps: Tensor | None = None,
    ) -> Tensor:
        begin, end = integers(starts), integers(ends)
        chosen = list(range(len(begin))) if axes is None else integers(axes)
        step = [1] * len(begin) if steps is None else integers(steps)
        for i, axis in enumerate(chosen):
            x = _cut(x, axis, slice(begin[i], end[i], step[i]))
        return x

    return run


def _cut(x: Tensor, axis: int, part: slice) -> Tensor:
    places = range(*part.indices(x.shape[axis]))
    if places.step < 0:
        return x.index_select(axis, torch.tensor(list(places), dtype=torch.int64, device=x.device))
    return x[(slice(None),) * (axis % x.ndim) + (slice(places.start, places.stop, places.step),)]


def _gather(node: Node) -> Run:
    axis = node.integer("axis")

    def run(x: Tensor, places: Tensor) -> Tensor:
        at, size = axis % x.ndim, x.shape[axis]
        index = places.to(device=x.device, dtype=torch.int64).flatten()
        found = x.index_select(at, torch.where(index < 0, index + size, index))
        return found.reshape(*x.shape[:at], *places.shape, *x.shape[at + 1 :])

    return run


def _expand(_node: Node) -> Run:
    def run(x: Tensor, shape: Tensor) -> Tensor:
        # Both give way: a 1 in `shape` keeps the size of `x`.
        return x.broadcast_to(np.broadcast_shapes(x.shape, integers(shape)))

    return run


def _tile(_node: Node) -> Run:
    return lambda x, repeats: x.repeat(integers(repeats))


def _pad(node: Node) -> Run:
    mode = node.word("mode", "constant")
    if mode not in ("constant", "reflect", "edge", "wrap"):
        msg = f"mode = {mode!r} is not supported"
        raise NotRunError(msg)

    def run(
        x: Tensor, pads: Tensor, value: Tensor | None = None, axes: Tensor | None = None
    ) -> Tensor:
        sizes = integers(pads)
        chosen = list(range(x.ndim)) if axes is None else integers(axes)
        ends = zip(chosen, sizes[: len(chosen)], sizes[len(chosen) :], strict=True)
        around = {axis % x.ndim: (before, after) for axis, before, after in ends}
        if mode == "constant":
            flat = [size for axis in range(x.ndim) for size in around.get(axis, (0, 0))[::-1]]
            return functional.pad(x, flat[::-1], value=0.0 if value is None else value.item())
        for axis, (before, after) in around.items():
            x = _padded(x, axis, before, after, mode)
        return x

    return run


def _padded(x: Tensor, axis: int, before: int, after: int, mode: str) -> Tensor:
    size = x.shape[axis]
    kept = np.arange(max(0, -before), size - max(0, -after))
    places = np.pad(kept, (max(0, before), max(0, after)), mode)  # type: ignore[call-overload]
    return x.index_select(axis, torch.from_numpy(places).to(x.device))


def _shape(node: Node) -> Run:
    start, end = node.integer("start"), node.integer("end") if node.has("end") else None
    return lambda x: torch.tensor(x.shape[start:end], dtype=torch.int64)


def _size(_node: Node) -> Run:
    return lambda x: torch.tensor(x.numel())


def _range(_node: Node) -> Run:
    def run(start: Tensor, limit: Tensor, delta: Tensor) -> Tensor:
        first, last, step = start.item(), limit.item(), delta.item()
        return torch.arange(first, last, step, dtype=start.dtype, device=start.device)

    return run


def _constant_of_shape(node: Node) -> Run:
    value = node.value("value")
    fill = torch.zeros(1) if value is None else _tensor(value)
    return lambda shape: fill.expand(integers(shape)) if shape.numel() else fill.reshape(())


def _constant(node: Node) -> Run:
    for name, kind in _LISTS.items():
        if node.has(name):
            value = torch.from_numpy(np.asarray(node.value(name), kind))
            return lambda: value
    if not node.has("value"):
        msg = f"{', '.join(node.unread())} is not supported"
        raise NotRunError(msg)
    tensor = _tensor(node.value("value"))
    return lambda: tensor


def _tensor(value: object) -> Tensor:
    assert isinstance(value, TensorProto)
    return torch.from_numpy(numpy_helper.to_array(value).copy())


TABLE: Mapping[str, Build] = {
    "Concat": _concat,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "DepthToSpace": _depth_to_space,
    "Dropout": _dropout,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "Identity": _identity,
    "Pad": _pad,
    "Range": _range,
    "Reshape": _reshape,
    "Shape": _shape,
    "Size": _size,
    "Slice": _slice,
    "SpaceToDepth": _space_to_depth,
    "Split": _split,
    "Squeeze": _squeeze,
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
