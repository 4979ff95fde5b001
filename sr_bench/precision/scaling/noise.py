"""The noise that rounding makes where channels are scaled by factors, and the factors of least.

A factor of a channel makes the steps of its tensor finer or coarser for it, and those of the
weights that give and read it the other way round.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_bench.precision.noise.reach import Reach
from sr_bench.precision.points import given
from sr_bench.precision.scaling.channel_profile import Profile
from sr_bench.precision.scaling.channels import FIXED, Channels
from sr_bench.precision.scaling.loosen import Loosened

_Doubles = NDArray[np.float64]

_STEPS = 60  # of the search; 200 lower the noise by less than a hundredth
_PACE = 0.1  # of the first of them, in log units
_SQUARES = 4
"""The largest channel is taken as a norm, that of 2 to this power, with a slope in every channel.

A low one takes many equal channels for a wider one: the 8-norm takes 64 for 1.7 times as wide.
"""
_LEARNED = 0.25  # part of the noise of nearest weights that learned rounding leaves (measured)
_ACTIVATION = 1 / (255**2 * 12)  # squared error of rounding, for a range of 1
_WEIGHT = _LEARNED / (127**2 * 12)


@dataclass(frozen=True)
class Rounded:
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
class Weights:
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


def terms_of(
    loose: Loosened, channels: Channels, profiles: Mapping[str, Profile], reach: Reach
) -> Iterator[Rounded | Weights]:
    """Yield what makes noise, where its way to the output is known."""
    network, source = loose.network, loose.source
    layers = [layer for layer in network.layers if layer.output in reach.given]
    gives = {given(network, layer): reach.given[layer.output] for layer in layers}
    reads = {layer.input: reach.read[source.get(layer.input, layer.input)] for layer in layers}
    for name, gain in {**reads, **gives}.items():  # what a layer gives is rounded for all readers
        if profile := profiles.get(source.get(name, name)):
            yield Rounded(channels.classes[name], profile, gain)
    for layer in layers:
        if read := profiles.get(source.get(layer.input, layer.input)):
            classes = channels.classes[layer.input]
            weight = network.constants[layer.weight].astype(np.float64)
            rows = of_each_row(np.arange(len(classes)), weight)
            shape = slice(None) if len(classes) == weight.shape[1] else rows
            largest, area = np.abs(weight).max(axis=(2, 3)), weight[0, 0].size
            gain = reach.given[layer.output] * area
            yield Weights(classes[shape], largest, read.power[shape], gain)


def tempered(term: Rounded | Weights, logs: _Doubles) -> Rounded | Weights:
    """Return `term` with the root of its noise: a plan may leave what makes most in float."""
    noise = term.noise(logs, np.zeros_like(logs))
    return replace(term, gain=term.gain / max(np.sqrt(noise), 1e-30))


def first_guess(terms: Sequence[Rounded | Weights], count: int) -> _Doubles:
    """Return the log of factors that widen each class half of the way to its tensors' ranges."""
    sums, counts = np.zeros(count), np.zeros(count)
    for term in terms:
        if isinstance(term, Rounded) and term.profile.largest.any():
            share = term.profile.largest / term.profile.largest.max()
            np.add.at(sums, term.classes, np.log(share))
            np.add.at(counts, term.classes, 1)
    logs: _Doubles = -sums / np.maximum(counts, 1) / 2
    logs[FIXED] = 0
    return logs


def least_noise(terms: Sequence[Rounded | Weights], logs: _Doubles) -> _Doubles:
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


def noise_of(terms: Sequence[Rounded | Weights], logs: _Doubles) -> float:
    """Return the noise of all `terms`."""
    return sum(term.noise(logs, np.zeros_like(logs)) for term in terms)


def of_each_row(of_input: NDArray[Any], weight: _Doubles) -> NDArray[Any]:
    """Return what belongs to each weight's input channel, shape (O, I), in a grouped layer too."""
    groups = len(of_input) // weight.shape[1]
    rows: NDArray[Any] = np.repeat(of_input.reshape(groups, -1), len(weight) // groups, axis=0)
    return rows
