"""Scale channels so that 8 bits serve all of a tensor's channels alike; the network stays the same.

A tensor has one step, as wide as its widest channel needs, and its narrow channels hold a few
levels of it. Where a convolution gives a channel and convolutions read it, the first may give it
times a factor, and the others divide by it. Wider narrow channels make coarser weights, as these
have one step for each output channel. So the factors are sought that make the estimated noise of
all layers at the output least.

Source: M. Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction,
ICCV 2019, whose factors are those of two layers in a row, and of the weights alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, numpy_helper

from sr_bench.precision.network import Network
from sr_bench.precision.noise.reach import Reach
from sr_bench.precision.points import given
from sr_bench.precision.scaling.channel_profile import Profile
from sr_bench.precision.scaling.channels import FIXED, Channels, widths
from sr_bench.precision.scaling.loosen import Loosened, loosened, with_scales
from sr_bench.precision.scaling.noise import (
    first_guess,
    least_noise,
    noise_of,
    of_each_row,
    tempered,
    terms_of,
)


@dataclass(frozen=True)
class Scaling:
    """How the channels of a network are scaled."""

    factors: Mapping[str, NDArray[np.float32]]
    """By tensor: what each channel is multiplied by, shape (C,); those that are absent keep their
    scale."""
    is_loose: bool
    """Whether sums have multiplications of their own; see `loosen`."""


UNSCALED = Scaling({}, is_loose=False)
NO_PROFILES: Mapping[str, Profile] = MappingProxyType({})

_Doubles = NDArray[np.float64]

_GRID = 8  # factors are powers of 2 ** (1 / 8): the same on processors that differ in last digits
_BEYOND = (1.3, 1.6, 2.0, 2.5, 3.2, 4.0)
"""How far beyond its tensor's range an image that stresses may take a channel: the first that costs
at most `_PRICE` times the noise. A few of many channels make most of what is clipped of such an
image; lowering those makes no step coarser."""
_PRICE = 1.12

_WORTH = (
    0.8  # part of the noise that must be left at most, for multiplications at sums to be worth it
)


def watched(network: Network) -> frozenset[str]:
    """Return the tensors whose profiles `scaling` needs."""
    known = widths(network).keys()
    names = {name for layer in network.layers for name in (layer.input, given(network, layer))}
    return frozenset(names & known - {network.input, network.output})


def scaling(
    network: Network,
    profiles: Mapping[str, Profile],
    reach: Reach,
    stressed: Mapping[str, Profile] = NO_PROFILES,
    *,
    may_loosen: bool,
) -> Scaling:
    """Return the scaling of least noise.

    Args:
        network: With the scale it has.
        profiles: Of the `watched` tensors.
        reach: Of their noise; what it leaves out keeps its scale.
        stressed: The profiles of images that ranges are not made for.
        may_loosen: Whether it may get multiplications at its sums, where that is worth it.
    """
    if not all(np.isfinite(each.power).all() for each in (*profiles.values(), *stressed.values())):
        return UNSCALED  # calibration names the tensor
    factors, noise = _found(Loosened(network, {}), profiles, reach, stressed)
    loose = loosened(network, widths(network)) if may_loosen else Loosened(network, {})
    if loose.source:
        loose_factors, loose_noise = _found(loose, profiles, reach, stressed)
        if loose_noise < _WORTH * noise:
            return Scaling(loose_factors, is_loose=True)
    return Scaling(factors, is_loose=False)


def scaled(network: Network, scaling: Scaling) -> Network:
    """Return `network` with its channels scaled; what it computes stays the same."""
    source: Mapping[str, str] = {}
    if scaling.is_loose:
        loose = loosened(network, widths(network))
        network, source = loose.network, loose.source
    factors, model = scaling.factors, ModelProto()
    model.CopyFrom(network.model)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for layer in network.layers:
        gives, reads = (factors.get(name) for name in (layer.output, layer.input))
        if gives is None and reads is None:
            continue
        weight = network.constants[layer.weight].astype(np.float64)
        if reads is not None:
            weight = weight / of_each_row(reads, weight)[:, :, None, None]
        if gives is not None:
            weight = weight * gives[:, None, None, None]
            if layer.bias:
                bias = network.constants[layer.bias].astype(np.float64)
                _set(tensors[layer.bias], bias * gives)
        _set(tensors[layer.weight], weight)
    with_scales(model, {name: _ratio(factors, name, source[name]) for name in source})
    return replace(network, model=model)


def _ratio(
    factors: Mapping[str, NDArray[np.float32]], name: str, source: str
) -> NDArray[np.float32]:
    ratio = factors.get(name, np.ones(1, np.float32)) / factors.get(source, np.ones(1, np.float32))
    few = _rounded(ratio)
    return np.where(np.isclose(few, ratio, rtol=1e-6), few, ratio).astype(np.float32)


def _found(
    loose: Loosened,
    profiles: Mapping[str, Profile],
    reach: Reach,
    stressed: Mapping[str, Profile],
) -> tuple[dict[str, NDArray[np.float32]], float]:
    """Return the factors of least noise, and that."""
    network = loose.network
    channels = Channels.of(network, loose=loose.source)
    awake = {name: profile.awake for name, profile in profiles.items()}
    terms = tuple(terms_of(loose, channels, awake, reach))
    guess = first_guess(terms, channels.count)
    logs = least_noise([tempered(term, guess) for term in terms], guess)
    noise = noise_of(terms, logs)
    grid = np.exp2(np.rint(logs * _GRID / np.log(2)) / _GRID)
    lowered = (
        grid * _within(grid, channels, loose.source, profiles, stressed, beyond=beyond)
        for beyond in _BEYOND
    )
    most = _PRICE * noise
    grid = next((each for each in lowered if noise_of(terms, np.log(each)) <= most), grid)
    grid = _few_bits(grid, channels, loose.source).astype(np.float32)
    names = {name for layer in network.layers for name in (layer.input, layer.output)}
    names |= {*loose.source, *loose.source.values()}
    each = {name: grid[channels.classes[name]] for name in names & channels.classes.keys()}
    return {name: found for name, found in each.items() if (found != 1).any()}, noise


def _few_bits(factors: _Doubles, channels: Channels, source: Mapping[str, str]) -> _Doubles:
    """Return `factors`, changed so that all multiplications at sums are by numbers of few bits."""
    exact, held = factors.copy(), {FIXED}
    for name, of in source.items():
        for target, origin in zip(channels.classes[name], channels.classes[of], strict=True):
            ratio = _rounded(exact[target] / exact[origin])
            if target not in held:
                exact[target] = exact[origin] * ratio
            elif origin not in held:
                exact[origin] = exact[target] / ratio
            held |= {target, origin}
    return exact


def _rounded(ratio: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return `ratio`, above 0, to 3 bits: times 21, as a rounded value has, float32 holds them."""
    unit = np.exp2(np.floor(np.log2(ratio)) - 2)
    return np.asarray(np.rint(ratio / unit) * unit)


def _within(
    factors: _Doubles,
    channels: Channels,
    source: Mapping[str, str],
    calm: Mapping[str, Profile],
    stressed: Mapping[str, Profile],
    *,
    beyond: float,
) -> _Doubles:
    """Return by what to multiply `factors` so that no channel reaches too far beyond its tensor."""
    least = np.ones(channels.count)
    held = {name: name for name in stressed.keys() & calm.keys()}
    held |= {out: name for out, name in source.items() if name in held}
    for name, of in held.items():
        classes, near, far = channels.classes[name], calm[of], stressed[of]
        own = factors[classes]
        for kept, reached in ((near.high, far.high), (-near.low, -far.low)):
            part = beyond * (kept * own).max() / np.maximum(reached * own, 1e-30)
            np.minimum.at(least, classes, np.where(kept.any(), part, 1))
    least[FIXED] = 1
    return np.asarray(np.exp2(np.floor(np.log2(least) * _GRID) / _GRID))


def _set(tensor: TensorProto, values: NDArray[Any]) -> None:
    tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float32), tensor.name))
