"""Count a torch module in one pass on the meta device: shapes only, no values, no weights."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from sr_bench.cost.count import CostCount
from sr_bench.cost.functions import Functions, mark
from sr_bench.cost.shapes import ShapesOnly
from sr_bench.errors import BackendError, SrBenchError
from sr_bench.text.raised import what_raised

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_MULTIPLYING = frozenset((*_CONVOLUTIONS, *_TRANSPOSED, nn.Linear))
_ADAPTIVE_POOLS = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
_BATCH_NORMS = {nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d}
_LATE_NORMS = {nn.LayerNorm, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d}
_NORMS = _BATCH_NORMS | _LATE_NORMS
_COUNTED = _MULTIPLYING | _NORMS | {nn.LeakyReLU, nn.PReLU, *_ADAPTIVE_POOLS}
"""Exact types, as thop looks them up; derived ones are seen by the functions that they call."""


def count_built(build: Callable[[], nn.Module], shape: tuple[int, int, int]) -> CostCount:
    """Count what `build` returns, in evaluation mode, without memory for its weights.

    What needs values, to be built or to run, is built and run on the CPU; see `count_module`.

    Raises:
        SrBenchError: As `build` and `count_module`.
    """
    try:
        with torch.device("meta"), ShapesOnly():
            module = build()
        module.eval()
        return count_module(module, shape)
    except Exception as error:  # of whatever kind, where something asks for a value
        if isinstance(error, SrBenchError) and error.__cause__ is None:
            raise  # no code has failed
        with torch.random.fork_rng(devices=[]):
            module = build()
        module.eval()
        return count_module(module, shape, device="cpu")


def count_module(
    module: nn.Module, shape: tuple[int, int, int], *, device: str = "meta"
) -> CostCount:
    """Count `module` on one image of `shape`.

    Layers are seen when they are called: a layer that is called twice costs twice. So are the
    functions of convolutions and linear layers, where a forward calls them itself on what depends
    on the image. Products of other tensors are not seen.

    `module` may be on any device, the meta device included; it is not changed. On the meta
    `device` nothing is computed. `shape` is (channels, height, width).

    Raises:
        BackendError: The network does not accept that shape, or fails.
    """
    if any(isinstance(layer, torch.jit.ScriptModule) for layer in module.modules()):
        msg = f"can't count {type(module).__name__}: TorchScript hides its layers; give its class"
        raise BackendError(msg)
    try:
        return CostCount.of(_tally(module, shape, device))
    except SrBenchError:
        raise
    except Exception as error:  # of layers that the shape doesn't fit, or of a user's code
        size, why = "x".join(map(str, shape)), what_raised(error, type(module).forward)
        msg = f"can't count {type(module).__name__} on the input shape {size}: {why}"
        raise BackendError(msg) from error


def _tally(module: nn.Module, shape: tuple[int, int, int], device: str) -> Counter[str]:
    """Return the counts of one pass of `module`, by name."""
    tally = _parameters(module)
    # Stand-ins without storage, so that the caller's module is not moved. EDSR baseline at 768x1024
    # takes 17 ms so; with real tensors 35 s and 2.5 GB (measured with thop).
    state = {name: p.to(device) for name, p in module.named_parameters()}
    state |= {name: b.to(device) for name, b in module.named_buffers()}
    functions = Functions(tally)

    def before(*_: object) -> None:
        functions.inside += 1

    def after(
        layer: nn.Module, args: tuple[Tensor, ...], named: Mapping[str, Tensor], output: Tensor
    ) -> None:
        functions.inside -= 1
        _count(layer, args[0] if args else next(iter(named.values())), output, tally)

    with ExitStack() as hooks, torch.inference_mode(), functions:
        for layer in module.modules():
            if type(layer) in _COUNTED:
                hooks.callback(layer.register_forward_pre_hook(before).remove)
                hooks.callback(layer.register_forward_hook(after, with_kwargs=True).remove)
        image = mark(torch.zeros((1, *shape), device=device))
        torch.func.functional_call(module, state, image)
    return tally


def _parameters(module: nn.Module) -> Counter[str]:
    """Return how many parameters there are, and how many of them tools and people overlook."""
    tally: Counter[str] = Counter(params=sum(p.numel() for p in module.parameters()))
    for layer in module.modules():
        if isinstance(layer, _ConvNd | nn.Linear) and layer.bias is not None:
            tally["bias_params"] += layer.bias.numel()
        if type(layer) not in _MULTIPLYING | _BATCH_NORMS:
            late = type(layer) in _LATE_NORMS | {nn.PReLU}
            kind = "late_params" if late else "unseen_params"
            tally[kind] += sum(p.numel() for p in layer.parameters(recurse=False))
    return tally


def _count(layer: nn.Module, x: Tensor, y: Tensor, tally: Counter[str]) -> None:
    """Add what `layer` costs to make `y` of `x`."""
    if isinstance(layer, _ConvNd):
        _count_conv(layer, x, y, tally)
    elif isinstance(layer, nn.Linear):
        tally["linear_macs"] += y.numel() * layer.in_features
    elif isinstance(layer, nn.LeakyReLU):
        tally["leaky_relu_elements"] += x.numel()
    elif isinstance(layer, nn.PReLU):
        tally["prelu_elements"] += x.numel()
    elif type(layer) in _NORMS:
        tally["batch_norm_elements"] += x.numel() if type(layer) in _BATCH_NORMS else 0
        tally["norm_ops"] += x.numel() * (4 if any(True for _ in layer.parameters()) else 2)
    else:
        window = prod(a // b for a, b in zip(x.shape[2:], y.shape[2:], strict=True))
        tally["adaptive_pool_ops"] += (window + 1) * y.numel()


def _count_conv(layer: _ConvNd, x: Tensor, y: Tensor, tally: Counter[str]) -> None:
    transposed = isinstance(layer, _ConvTransposeNd)
    # In a transposed convolution it is each input element that meets the whole kernel.
    macs = (x if transposed else y).numel() * prod(layer.weight.shape[1:])
    tally["conv_macs"] += macs
    if transposed:
        kernel = prod(layer.kernel_size) * (layer.in_channels // layer.groups)
        tally["transposed_surplus"] += y.numel() * kernel - macs
    if layer.bias is not None:
        tally["conv_bias_outputs"] += y.numel()
