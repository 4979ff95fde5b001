"""Scale channels so that 8 bits serve all of a tensor's channels alike; the network stays the same.

A tensor has one step, as wide as its widest channel needs, and its narrow channels hold a few
levels of it. Where a convolution gives a channel and convolutions read it, the first may give it
times a factor, and the others divide by it. Wider narrow channels make coarser weights, as these
have one step for each output channel. So the factors are sought that make the estimated noise of
all layers at the output least.

Source: M. Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction,
ICCV 2019, whose factors are those of two layers in a row, and of the weights alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, numpy_helper

from sr_bench.precision.channel_profile import Profile
from sr_bench.precision.channels import FIXED, Channels, widths
from sr_bench.precision.loosen import Loosened, loosened, with_scales
from sr_bench.precision.network import Network
from sr_bench.precision.noise.reach import Reach
from sr_bench.precision.points import given


@dataclass(frozen=True)
class Scaling:
    """How the channels of a network are scaled."""

    factors: Mapping[str, NDArray[np.float32]]
    """By tensor: what each channel is multiplied by, shape (C,); those that are absent keep their
    scale."""
    is_loose: bool
    """Whether sums have multiplications of their own; see `loosen`."""


UNSCALED = Scaling({}, is_loose=False)

_Doubles = NDArray[np.float64]

_STEPS = 60  # of the search; 200 lower the noise by less than a hundredth
_PACE = 0.1  # of the first of them, in log units
_GRID = 8  # factors are powers of 2 ** (1 / 8): the same on processors that differ in last digits
_SQUARES = 4
"""The largest channel is taken as a norm, that of 2 to this power, with a slope in every channel.

A low one takes many equal channels for a wider one: the 8-norm takes 64 for 1.7 times as wide.
"""
_LEARNED = 0.25  # part of the noise of nearest weights that learned rounding leaves (measured)
_ACTIVATION = 1 / (255**2 * 12)  # squared error of rounding, for a range of 1
_WEIGHT = _LEARNED / (127**2 * 12)
_LEAST = 1 / 16
"""Part of a tensor's range that each channel is taken to reach: one that is quiet on a few images
may not be so on others, and what is scaled up too far is clipped."""


_WORTH = (
    0.8  # part of the noise that must be left at most, for multiplications at sums to be worth it
)


def watched(network: Network) -> frozenset[str]:
    """Return the tensors whose profiles `scaling` needs."""
    known = widths(network).keys()
    names = {name for layer in network.layers for name in (layer.input, given(network, layer))}
    return frozenset(names & known - {network.input, network.output})


def scaling(
    network: Network, profiles: Mapping[str, Profile], reach: Reach, *, may_loosen: bool
) -> Scaling:
    """Return the scaling of least noise.

    Args:
        network: With the scale it has.
        profiles: Of the `watched` tensors.
        reach: Of their noise; what it leaves out keeps its scale.
        may_loosen: Whether it may get multiplications at its sums, where that is worth it.
    """
    if not all(np.isfinite(profile.power).all() for profile in profiles.values()):
        return UNSCALED  # calibration names the tensor
    awake = {name: _awake(profile) for name, profile in profiles.items()}
    factors, noise = _found(Loosened(network, {}), awake, reach)
    loose = loosened(network, widths(network)) if may_loosen else Loosened(network, {})
    if loose.source:
        loose_factors, loose_noise = _found(loose, awake, reach)
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
            weight = weight / _of_each_row(reads, weight)[:, :, None, None]
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
    return ratio.astype(np.float32)


def _found(
    loose: Loosened, profiles: Mapping[str, Profile], reach: Reach
) -> tuple[dict[str, NDArray[np.float32]], float]:
    """Return the factors of least noise, and that."""
    network = loose.network
    channels = Channels.of(network, loose=loose.source)
    terms = tuple(_terms(loose, channels, profiles, reach))
    guess = _first_guess(terms, channels.count)
    logs = _least_noise([_tempered(term, guess) for term in terms], guess)
    noise = sum(term.noise(logs, np.zeros_like(logs)) for term in terms)
    grid = np.exp2(np.rint(logs * _GRID / np.log(2)) / _GRID).astype(np.float32)
    names = {name for layer in network.layers for name in (layer.input, layer.output)}
    names |= {*loose.source, *loose.source.values()}
    each = {name: grid[channels.classes[name]] for name in names & channels.classes.keys()}
    return {name: found for name, found in each.items() if (found != 1).any()}, noise


def _of_each_row(of_input: NDArray[Any], weight: _Doubles) -> NDArray[Any]:
    """Return what belongs to each weight's input channel, shape (O, I), in a grouped layer too."""
    groups = len(of_input) // weight.shape[1]
    rows: NDArray[Any] = np.repeat(of_input.reshape(groups, -1), len(weight) // groups, axis=0)
    return rows


def _set(tensor: TensorProto, values: NDArray[Any]) -> None:
    tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float32), tensor.name))


@dataclass(frozen=True)
class _Rounded:
    """A tensor that is rounded to 8 bits."""

    classes: NDArray[np.intp]
    profile: Profile
    gain: _Doubles
    """Of each channel: how much of its noise reaches the output."""

    def noise(self, logs: _Doubles, slope: _Doubles) -> float:
        """Return the noise of rounding with these factors; add to its `slope`."""
        factor = np.exp(logs[self.classes])
        high, of_high = _norm(self.profile.high * factor)
        low, of_low = _norm(-self.profile.low * factor)
        span = high + low
        each = _ACTIVATION * span**2 * self.gain / factor**2
        total = float(each.sum())
        grown = 2 * total / span * (high * of_high + low * of_low)
        np.add.at(slope, self.classes, grown - 2 * each)
        return total


@dataclass(frozen=True)
class _Weights:
    """The weights of a layer."""

    classes: NDArray[np.intp]
    """Of what each weight reads, shape (I,), or (O, I) of a grouped layer."""
    largest: _Doubles
    """Magnitude for each output and input channel, shape (O, I)."""
    power: _Doubles
    """Of what they read; of the shape of `classes`."""
    gain: _Doubles
    """Of each output channel: how much of its noise reaches the output, shape (O,)."""

    def noise(self, logs: _Doubles, slope: _Doubles) -> float:
        """Return the noise of rounding with these factors; add to its `slope`."""
        factor = np.exp(logs[self.classes])
        steps, of_steps = _norm(self.largest / factor)
        read = self.power * factor**2
        sums = np.broadcast_to(read, self.largest.shape).sum(axis=1)
        squares = _WEIGHT * self.gain * np.square(steps)
        each = squares * sums
        part = squares[:, None] * read - each[:, None] * of_steps
        if self.classes.ndim == 1:
            part = part.sum(axis=0)
        np.add.at(slope, self.classes, 2 * part)
        return float(each.sum())


def _norm(values: _Doubles) -> tuple[_Doubles, _Doubles]:
    """Return a smooth maximum along the last axis, and its relative slope in each value."""
    largest = np.maximum(values.max(axis=-1, keepdims=True), 1e-30)
    powers = values / largest
    for _ in range(_SQUARES):
        powers = np.square(powers)
    total = np.maximum(powers.sum(axis=-1, keepdims=True), 1e-30)
    return (largest * total ** (1 / 2**_SQUARES))[..., 0], powers / total


def _terms(
    loose: Loosened, channels: Channels, profiles: Mapping[str, Profile], reach: Reach
) -> Iterator[_Rounded | _Weights]:
    """Yield what makes noise, where its way to the output is known."""
    network, source = loose.network, loose.source
    layers = [layer for layer in network.layers if layer.output in reach.given]
    gives = {given(network, layer): reach.given[layer.output] for layer in layers}
    reads = {layer.input: reach.read[source.get(layer.input, layer.input)] for layer in layers}
    for name, gain in {**reads, **gives}.items():  # what a layer gives is rounded for all readers
        if profile := profiles.get(source.get(name, name)):
            yield _Rounded(channels.classes[name], profile, gain)
    for layer in layers:
        if read := profiles.get(source.get(layer.input, layer.input)):
            classes = channels.classes[layer.input]
            weight = network.constants[layer.weight].astype(np.float64)
            rows = _of_each_row(np.arange(len(classes)), weight)
            shape = slice(None) if len(classes) == weight.shape[1] else rows
            largest, area = np.abs(weight).max(axis=(2, 3)), weight[0, 0].size
            gain = reach.given[layer.output] * area
            yield _Weights(classes[shape], largest, read.power[shape], gain)


def _tempered(term: _Rounded | _Weights, logs: _Doubles) -> _Rounded | _Weights:
    """Return `term` with the root of its noise: a plan may leave what makes most in float."""
    noise = term.noise(logs, np.zeros_like(logs))
    return replace(term, gain=term.gain / max(np.sqrt(noise), 1e-30))


def _awake(profile: Profile) -> Profile:
    """Return `profile` with no channel of less reach than is taken for granted."""
    low, high = np.minimum(profile.low, profile.low.min() * _LEAST), profile.high
    return replace(profile, low=low, high=np.maximum(high, high.max() * _LEAST))


def _first_guess(terms: Sequence[_Rounded | _Weights], count: int) -> _Doubles:
    """Return the log of factors that widen each class half of the way to its tensors' ranges."""
    sums, counts = np.zeros(count), np.zeros(count)
    for term in terms:
        if isinstance(term, _Rounded) and term.profile.largest.any():
            share = term.profile.largest / term.profile.largest.max()
            np.add.at(sums, term.classes, np.log(share))
            np.add.at(counts, term.classes, 1)
    logs: _Doubles = -sums / np.maximum(counts, 1) / 2
    logs[FIXED] = 0
    return logs


def _least_noise(terms: Sequence[_Rounded | _Weights], logs: _Doubles) -> _Doubles:
    """Return the logs of least noise, by Adam from the first `logs`.

    Source: D. Kingma, J. Ba: Adam, ICLR 2015, algorithm 1.
    """
    mean, square = np.zeros_like(logs), np.zeros_like(logs)
    for step in range(1, _STEPS + 1):
        slope = np.zeros_like(logs)
        for term in terms:
            term.noise(logs, slope)
        slope[FIXED] = 0
        mean = 0.9 * mean + 0.1 * slope
        square = 0.99 * square + 0.01 * slope**2
        pace = _PACE * (1 - (step - 1) / _STEPS)
        moved = (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-12)
        logs = logs - pace * moved
    return logs
