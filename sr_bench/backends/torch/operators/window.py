"""Operators on a window that slides over an image: convolutions and pools."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from sr_bench.backends.torch.operators.node import Build, Node, Run
from sr_bench.errors import NotRunError

_CONVOLUTIONS: Mapping[int, Callable[..., Tensor]] = {
    3: functional.conv1d,
    4: functional.conv2d,
    5: functional.conv3d,
}
_TRANSPOSED: Mapping[int, Callable[..., Tensor]] = {
    3: functional.conv_transpose1d,
    4: functional.conv_transpose2d,
    5: functional.conv_transpose3d,
}
_AVERAGES: Mapping[int, Callable[..., Tensor]] = {
    3: functional.avg_pool1d,
    4: functional.avg_pool2d,
    5: functional.avg_pool3d,
}
_MAXIMA: Mapping[int, Callable[..., Tensor]] = {
    3: functional.max_pool1d,
    4: functional.max_pool2d,
    5: functional.max_pool3d,
}


@dataclass(frozen=True)
class Window:
    """How a window moves; an empty tuple stands for ones, or for zeros in `pads`."""

    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]
    """Before the first place of each axis, then after the last."""
    auto_pad: str

    def stride(self, rank: int) -> tuple[int, ...]:
        """Return the step along each axis of an image with `rank` axes."""
        return self.strides or (1,) * rank

    def dilation(self, rank: int) -> tuple[int, ...]:
        """Return the distance of the window's places along each axis."""
        return self.dilations or (1,) * rank

    def ends(self, sizes: Sequence[int], kernel: Sequence[int]) -> list[tuple[int, int]]:
        """Return the padding (before, after) along each axis of an image of `sizes`."""
        rank = len(sizes)
        if not self.auto_pad.startswith("SAME"):
            pads = self.pads or (0,) * (2 * rank)
            return list(zip(pads[:rank], pads[rank:], strict=True))
        ends = []
        steps = zip(sizes, kernel, self.stride(rank), self.dilation(rank), strict=True)
        for size, width, stride, dilation in steps:
            reach = (-(-size // stride) - 1) * stride + (width - 1) * dilation + 1
            total = max(0, reach - size)
            small, large = total // 2, total - total // 2
            ends.append((large, small) if self.auto_pad == "SAME_LOWER" else (small, large))
        return ends

    def padded(self, x: Tensor, kernel: Sequence[int], value: float = 0.0) -> Tensor:
        """Return `x` with `value` around it."""
        flat = [side for ends in self.ends(x.shape[2:], kernel) for side in ends[::-1]][::-1]
        return functional.pad(x, flat, value=value) if any(flat) else x


def read_window(node: Node) -> Window:
    """Return the window of `node`.

    Raises:
        NotRunError: Its ``auto_pad`` is unknown.
    """
    node.only("auto_pad", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
    auto_pad = node.word("auto_pad", "NOTSET")
    pads = node.integers("pads")
    return Window(
        strides=node.integers("strides"),
        dilations=node.integers("dilations"),
        pads=() if auto_pad == "VALID" else pads,
        auto_pad=auto_pad,
    )


def read_convolution(node: Node) -> Callable[[Tensor, Tensor, Tensor | None], Tensor]:
    """Return the convolution that `node` describes, of an image, weights and a bias.

    Raises:
        NotRunError: Its ``auto_pad`` is unknown.
    """
    window, groups = read_window(node), node.integer("group", 1)
    node.integers("kernel_shape")  # the weights have it

    def convolve(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        rank, kernel = x.ndim - 2, weight.shape[2:]
        ends = window.ends(x.shape[2:], kernel)
        padding: tuple[int, ...] = tuple(before for before, _ in ends)
        if any(before != after for before, after in ends):
            x, padding = window.padded(x, kernel), (0,) * rank
        return _CONVOLUTIONS[x.ndim](
            x, weight, bias, window.stride(rank), padding, window.dilation(rank), groups
        )

    return convolve


def _transposed(node: Node) -> Run:
    """Build ConvTranspose."""
    window, groups = read_window(node), node.integer("group", 1)
    node.integers("kernel_shape")
    more = node.integers("output_padding")
    if window.auto_pad.startswith("SAME"):
        msg = f"auto_pad = {window.auto_pad!r} is not supported"
        raise NotRunError(msg)

    def run(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        rank = x.ndim - 2
        stride, dilation = window.stride(rank), window.dilation(rank)
        full = _TRANSPOSED[x.ndim](x, weight, None, stride, 0, 0, groups, dilation)
        ends = window.ends(x.shape[2:], weight.shape[2:])
        changes = [
            side
            for (before, after), extra in zip(ends, more or (0,) * rank, strict=True)
            for side in (extra - after, -before)
        ]
        cut = functional.pad(full, changes[::-1]) if any(changes) else full
        return cut if bias is None else cut + bias.reshape(-1, *(1,) * rank)

    return run


def _max_pool(node: Node) -> Run:
    node.one_output()
    node.only("storage_order", 0)
    window, kernel, ceil = _read_pool(node)

    def run(x: Tensor) -> Tensor:
        lowest = float("-inf") if x.is_floating_point() else torch.iinfo(x.dtype).min
        rank = x.ndim - 2
        return _MAXIMA[x.ndim](
            window.padded(x, kernel, lowest),
            kernel,
            window.stride(rank),
            0,
            window.dilation(rank),
            ceil,
        )

    return run


def _average_pool(node: Node) -> Run:
    window, kernel, ceil = _read_pool(node)
    counts_padding = node.integer("count_include_pad")
    if set(window.dilations) - {1}:
        msg = f"dilations = {list(window.dilations)} are not supported"
        raise NotRunError(msg)

    def run(x: Tensor) -> Tensor:
        def average(image: Tensor) -> Tensor:
            padded = window.padded(image, kernel)
            return _AVERAGES[x.ndim](padded, kernel, window.stride(x.ndim - 2), 0, ceil)

        if counts_padding or window.padded(x, kernel) is x:
            return average(x)
        return average(x) / average(torch.ones_like(x[:1, :1]))

    return run


def _read_pool(node: Node) -> tuple[Window, tuple[int, ...], bool]:
    window, ceil = read_window(node), bool(node.integer("ceil_mode"))
    if ceil and (any(window.pads) or window.auto_pad.startswith("SAME")):
        msg = "ceil_mode = 1 with padding is not supported"
        raise NotRunError(msg)
    return window, node.integers("kernel_shape"), ceil


def _global(function: Callable[[Tensor, tuple[int, ...], bool], Tensor]) -> Build:
    return lambda _node: lambda x: function(x, tuple(range(2, x.ndim)), True)


TABLE: Mapping[str, Build] = {
    "AveragePool": _average_pool,
    "Conv": read_convolution,
    "ConvTranspose": _transposed,
    "GlobalAveragePool": _global(torch.mean),
    "GlobalMaxPool": _global(torch.amax),
    "MaxPool": _max_pool,
}
