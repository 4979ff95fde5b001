"""QuantizeLinear and DequantizeLinear: between values and the integers that stand for them."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from sr_bench.backends.torch.operators.node import Build, Node, Run, together
from sr_bench.errors import NotRunError

EIGHT_BITS = (torch.uint8, torch.int8)
"""Types of quantised images and weights."""


@dataclass(frozen=True)
class Dequantised:
    """What a DequantizeLinear with constant parameters gives."""

    source: str
    """Name of the integers."""
    integers: Tensor | None
    """The integers themselves, if they are constant."""
    q_scale: Tensor
    """Float32, of no axes or of one."""
    zero_point: Tensor
    axis: int

    @property
    def per_tensor(self) -> bool:
        """Whether one scale holds for all."""
        return self.q_scale.numel() == 1

    def values(self) -> Tensor:
        """Return the integers, which must be constant, less their zero points, as float64."""
        assert self.integers is not None
        zero = self.zero_point.double()
        return self.integers.double() - _along(zero, self.axis, self.integers.ndim)


@dataclass(frozen=True)
class Levels:
    """The integers that a QuantizeLinear with constant per-tensor parameters rounds to."""

    q_scale: Tensor
    zero_point: int
    kind: torch.dtype

    def saturated(self, levels: Tensor) -> Tensor:
        """Return `levels`, rounded floats without the zero point and changed here, as integers."""
        ends = torch.iinfo(self.kind)
        return levels.add_(self.zero_point).clamp_(ends.min, ends.max).to(self.kind)


def read_dequantised(node: Node) -> Dequantised | None:
    """Return what `node` gives if it is a DequantizeLinear with constant parameters."""
    if node.op != "DequantizeLinear" or node.integer("block_size"):
        return None
    q_scale, zero_point = node.constant(1), node.constant(2)
    if q_scale is None or zero_point is None or q_scale.dtype != torch.float32:
        return None
    axis = node.integer("axis", 1)
    return Dequantised(node.inputs[0], node.constant(0), q_scale, zero_point, axis)


def read_levels(node: Node) -> Levels | None:
    """Return the levels of `node` if it is a QuantizeLinear with constants, per tensor."""
    if node.op != "QuantizeLinear":
        return None
    q_scale, zero_point = node.constant(1), node.constant(2)
    if q_scale is None or zero_point is None or q_scale.numel() != 1:
        return None
    if zero_point.dtype not in EIGHT_BITS or q_scale.dtype != torch.float32:
        return None
    return Levels(q_scale.reshape(()), int(zero_point.item()), zero_point.dtype)


def _quantise(node: Node) -> Run:
    axis = node.integer("axis", 1)
    _only_plain(node)

    def run(x: Tensor, q_scale: Tensor, zero_point: Tensor | None = None) -> Tensor:
        zero = torch.zeros((), dtype=torch.uint8) if zero_point is None else zero_point
        x, q_scale, shift = together((x, q_scale, zero.to(x.dtype)))
        levels = torch.round(x / _along(q_scale, axis, x.ndim))
        ends = torch.iinfo(zero.dtype)
        levels.add_(_along(shift, axis, x.ndim)).clamp_(ends.min, ends.max)
        return levels.to(zero.dtype)

    return run


def _dequantise(node: Node) -> Run:
    axis = node.integer("axis", 1)
    _only_plain(node)

    def run(levels: Tensor, q_scale: Tensor, zero_point: Tensor | None = None) -> Tensor:
        levels, q_scale = together((levels, q_scale))
        values = levels.to(q_scale.dtype)
        if zero_point is not None:
            values.sub_(_along(zero_point.to(values), axis, levels.ndim))
        return values.mul_(_along(q_scale, axis, levels.ndim))

    return run


def _only_plain(node: Node) -> None:
    node.only("block_size", 0)
    node.only("output_dtype", 0)
    node.only("precision", 0)
    node.only("saturate", 1)
    for number in (0, 2):
        value = node.constant(number)
        if value is not None and value.dtype not in (*EIGHT_BITS, torch.int32, torch.float32):
            msg = f"integers of type {value.dtype} are not supported"
            raise NotRunError(msg)


def _along(parameter: Tensor, axis: int, rank: int) -> Tensor:
    """Return `parameter`, a scalar or one number per place of `axis`, to meet `rank` axes."""
    if parameter.numel() == 1:
        return parameter.reshape(())
    return parameter.reshape([-1 if i == axis % rank else 1 for i in range(rank)])


TABLE: Mapping[str, Build] = {
    "DequantizeLinear": _dequantise,
    "QuantizeLinear": _quantise,
}
