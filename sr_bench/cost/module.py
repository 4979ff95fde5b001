"""Count a torch module in one pass on the meta device: shapes only, no values, no weights."""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from sr_bench.cost.count import CostCount
from sr_bench.cost.shapes import ShapesOnly
from sr_bench.errors import BackendError

_PLAIN_TYPES = frozenset(
    (
        nn.Conv1d,
        nn.Conv2d,
        nn.Conv3d,
        nn.ConvTranspose1d,
        nn.ConvTranspose2d,
        nn.ConvTranspose3d,
        nn.Linear,
    )
)
_ADAPTIVE_POOLS = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)


def count_module(module: nn.Module, shape: tuple[int, int, int]) -> CostCount:
    """Count `module` on one image of `shape`.

    Layers are seen when they are called: a layer that is called twice costs twice. What a
    forward computes with bare functions (``torch.nn.functional.conv2d``) is not seen.

    Args:
        module: On any device, the meta device included; it is not changed and nothing is
            computed.
        shape: (channels, height, width).

    Raises:
        BackendError: The network does not accept that shape.
    """
    tally: Counter[str] = Counter(params=sum(p.numel() for p in module.parameters()))
    state = {name: p.to("meta") for name, p in module.named_parameters()}
    state |= {name: b.to("meta") for name, b in module.named_buffers()}
    with ExitStack() as hooks, torch.inference_mode(), ShapesOnly():
        for layer in module.modules():
            if (count := _counter(layer)) is not None:
                hooks.callback(layer.register_forward_hook(_hook(count, tally)).remove)
        try:
            torch.func.functional_call(module, state, torch.empty((1, *shape), device="meta"))
        except (RuntimeError, IndexError, ValueError) as error:
            size = "x".join(map(str, shape))
            msg = f"can't count {type(module).__name__} on the input shape {size}: {error}"
            raise BackendError(msg) from error
    return CostCount(**{field.name: tally[field.name] for field in fields(CostCount)})


_Count = Callable[[nn.Module, Tensor, Tensor, Counter[str]], None]


def _counter(layer: nn.Module) -> _Count | None:
    """Return what counts `layer`, or None if the layer is free."""
    if isinstance(layer, _ConvNd):
        return _count_conv
    if isinstance(layer, nn.Linear):
        return _count_linear
    if type(layer) is nn.LeakyReLU:
        return _count_leaky_relu
    return _count_adaptive_pool if type(layer) in _ADAPTIVE_POOLS else None


def _hook(count: _Count, tally: Counter[str]) -> Callable[..., None]:
    def hook(layer: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        count(layer, args[0], output, tally)

    return hook


def _count_conv(layer: nn.Module, x: Tensor, y: Tensor, tally: Counter[str]) -> None:
    assert isinstance(layer, _ConvNd)  # _counter chose by this type
    transposed = isinstance(layer, _ConvTransposeNd)
    macs = (x if transposed else y).numel() * prod(layer.weight.shape[1:])
    if type(layer) not in _PLAIN_TYPES:
        tally["subclass_macs"] += macs
        return
    tally["conv_macs"] += macs
    if transposed:
        kernel = prod(layer.kernel_size) * (layer.in_channels // layer.groups)
        tally["transposed_surplus"] += y.numel() * kernel - macs
    if layer.bias is not None:
        tally["conv_bias_outputs"] += y.numel()


def _count_linear(layer: nn.Module, _x: Tensor, y: Tensor, tally: Counter[str]) -> None:
    assert isinstance(layer, nn.Linear)  # _counter chose by this type
    kind = "linear_macs" if type(layer) in _PLAIN_TYPES else "subclass_macs"
    tally[kind] += y.numel() * layer.in_features


def _count_leaky_relu(_layer: nn.Module, x: Tensor, _y: Tensor, tally: Counter[str]) -> None:
    tally["leaky_relu_elements"] += x.numel()


def _count_adaptive_pool(_layer: nn.Module, x: Tensor, y: Tensor, tally: Counter[str]) -> None:
    window = prod(a // b for a, b in zip(x.shape[2:], y.shape[2:], strict=True))
    tally["adaptive_pool_ops"] += (window + 1) * y.numel()
