"""Convolutions of 8-bit integers, computed exactly in floats.

Sums of integers are exact in floats as long as none exceeds the mantissa, in whatever order they
are added. So the accumulator is the one of an integer kernel that does not saturate, and what
follows is what such a kernel of onnxruntime does with it: times one float32 factor per channel,
rounded half to even.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sr_bench.backends.torch.operators.levels import (
    EIGHT_BITS,
    Dequantised,
    Levels,
    read_levels,
)
from sr_bench.backends.torch.operators.node import Node, Run
from sr_bench.backends.torch.operators.window import read_convolution

_EXACT_IN_FLOAT32 = 2**24
"""All integers up to this one are float32 numbers."""

_SAME_SCALE = 1e-5
"""How far, relatively, a bias's scale may be from the product of the scales of the others."""


@dataclass(frozen=True)
class IntegerConvolution:
    """A convolution of the integers of an image with constant integer weights."""

    convolve: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    weight: Tensor
    """Less its zero points; float32 if all sums are exact in it, else float64."""
    bias: Tensor | None
    """Integers too, in the type of `weight`."""
    zero_point: int
    """Of the image."""
    factor: Tensor
    """Float32, one per channel: from the accumulator to values, or to `levels`."""
    rectified: bool
    """Whether a ReLU follows."""
    levels: Levels | None
    """What the result is rounded to; None if it stays float32."""

    def __call__(self, image: Tensor) -> Tensor:
        """Return the result for the integers of an image."""
        x = image.to(self.weight.dtype)
        if self.zero_point:
            x.sub_(self.zero_point)  # first, so that the padding is the zero point
        total = self.convolve(x, self.weight, self.bias)
        if total.is_cuda:
            # cuDNN may choose an algorithm that passes through fractions.
            total = total.round()
        y = total.float().mul_(self.factor)
        if self.rectified:
            y.relu_()
        return y if self.levels is None else self.levels.saturated(y.round_())


@dataclass(frozen=True)
class Fused:
    """An integer convolution and the nodes that it stands for."""

    run: IntegerConvolution
    input: str
    output: str
    nodes: tuple[Node, ...]


def integer_convolution(
    node: Node,
    dequantised: Mapping[str, Dequantised],
    readers: Mapping[str, Sequence[Node]],
) -> Fused | None:
    """Return `node` with what follows it, if it is a convolution of quantised values.

    Args:
        node: Any node.
        dequantised: What is made by DequantizeLinear nodes, by name.
        readers: The nodes that read each value; of the graph's output none is known.

    Raises:
        NotRunError: An attribute of the convolution is not supported.
    """
    parts = [dequantised.get(name) for name in node.inputs if name]
    known = [part for part in parts if part is not None]
    if node.op != "Conv" or len(known) < len(parts):
        return None
    x, weight, *biases = known
    if not _fits(x, weight, biases):
        return None
    followers, levels = _followers(node, readers)
    factor = x.q_scale.reshape(()) * weight.q_scale
    if levels is not None:
        factor = factor / levels.q_scale
    values = weight.values()
    bias = biases[0].values() if biases else None
    kind = _exact_type(x, values, bias)
    run = IntegerConvolution(
        convolve=read_convolution(node),
        weight=values.to(kind),
        bias=None if bias is None else bias.to(kind),
        zero_point=int(x.zero_point.item()),
        factor=factor.reshape(-1, *(1,) * (values.ndim - 2)),
        rectified=any(follower.op == "Relu" for follower in followers),
        levels=levels,
    )
    return Fused(run, x.source, (node, *followers)[-1].outputs[0], (node, *followers))


def carried_convolution(node: Node) -> Run | None:
    """Return `node`, if it convolves with integers that float32 carries, computed in float64.

    For a GPU, whose algorithms for float32 may pass through fractions; on a CPU the sums are exact
    where the network's writer made them so.

    Args:
        node: Any node of a network that computes int8 in float32.

    Raises:
        NotRunError: An attribute of the convolution is not supported.
    """
    weight = node.constant(1) if node.op == "Conv" and len(node.inputs) == 2 else None
    if weight is None or not bool((weight == weight.round()).all()):
        return None
    convolve, wide = read_convolution(node), weight.double()
    return lambda x, _weight: convolve(x.double(), wide, None).round_().float()


def _fits(x: Dequantised, weight: Dequantised, biases: Sequence[Dequantised]) -> bool:
    """Return whether the parameters are those of an integer convolution."""
    if not x.per_tensor or x.zero_point.dtype not in EIGHT_BITS:
        return False
    if weight.integers is None or weight.integers.dtype not in EIGHT_BITS:
        return False
    if not (weight.per_tensor or weight.axis % weight.integers.ndim == 0):
        return False
    for bias in biases:
        if bias.integers is None or bias.integers.dtype != torch.int32:
            return False
        expected = x.q_scale.reshape(()) * weight.q_scale
        if not ((bias.q_scale - expected).abs() <= _SAME_SCALE * expected).all():
            return False
    return True


def _followers(
    node: Node, readers: Mapping[str, Sequence[Node]]
) -> tuple[tuple[Node, ...], Levels | None]:
    """Return the ReLU, if any, and the rounding that alone read the result, and its levels."""
    found: list[Node] = []
    output = node.outputs[0]
    while len(following := readers.get(output, ())) == 1:
        follower = following[0]
        if follower.op == "Relu" and not found:
            found.append(follower)
            output = follower.outputs[0]
            continue
        levels = read_levels(follower)
        return ((*found, follower), levels) if levels else ((), None)
    return (), None


def _exact_type(x: Dequantised, weight: Tensor, bias: Tensor | None) -> torch.dtype:
    """Return the fastest type in which every sum is exact.

    A GPU's algorithms for float32 are not all sums of products, so that it takes float64.
    """
    ends, zero = torch.iinfo(x.zero_point.dtype), int(x.zero_point.item())
    sums = weight.abs().flatten(1).sum(dim=1) * max(ends.max - zero, zero - ends.min)
    if bias is not None:
        sums = sums + bias.abs()
    exact = float(sums.max()) < _EXACT_IN_FLOAT32 and not weight.is_cuda
    return torch.float32 if exact else torch.float64
