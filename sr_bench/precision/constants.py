"""Hold the integers of an int8 ONNX file against the fp32 network that it was made from.

What is found here has a name that the output's error can't give: a channel of zeros, a bias that
is missing, scales of another tensor. Read are Conv nodes of the same name in both, whose weights
and biases stand behind a DequantizeLinear.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, numpy_helper

from sr_bench.precision.histogram import Histogram
from sr_bench.precision.network import Layer, Network
from sr_bench.text.printable import some

Doubles = NDArray[np.float64]

_WRONG_STEPS = 1.5
"""Root mean square of what rounding changes a weight by, in steps of its channel, from which it is
no rounding: nearest gives 0.29, learned rounding at most 0.8 (measured: four models)."""

_FLOOR_STEPS = 0.25
"""Mean of the same from which rounding is one-sided: floor gives -0.5, nearest and learned 0."""

_BIAS_STEPS = 2.0
"""What a bias may be off by, in steps of its sum; rounding gives 0.5."""

_BIAS_PART = 1e-3
"""And as a part of the layer's largest bias: steps are fine."""

_ALIKE = 0.1
"""Relative error, but for a factor, at which constants count as others: another channel's, another
layer's, or scaled ones."""

_COARSE = 4.0
"""How often a channel's step may exceed what its largest weight needs."""

_WIDE, _NARROW = 16.0, 0.5
"""A tensor's range as a multiple of its values': above the first it wastes 4 of 8 bits; below the
second it cuts off more than observers do, unless few values lie there."""

_SATURATED = 1e-3
"""Part of a tensor's values that a narrow range must cut off."""

_TOLD = 4
"""As many layers are named for each kind."""


@dataclass(frozen=True)
class _Pair:
    """A layer's weights as the file has them, and in fp32."""

    layer: Layer
    integers: Doubles  # O x K, minus the zero point
    steps: Doubles  # of each output channel, O x 1
    wanted: Doubles  # O x K
    bias: Doubles | None
    bias_step: Doubles
    wanted_bias: Doubles | None

    @cached_property
    def weights(self) -> Doubles:
        return self.integers * self.steps

    @cached_property
    def off(self) -> Doubles:
        """What each weight is off by, in steps."""
        off: Doubles = (self.weights - self.wanted) / np.maximum(self.steps, 1e-30)
        return off


def constant_signs(
    model: ModelProto, network: Network, observed: Mapping[str, Histogram] | None = None
) -> Iterator[str]:
    """Yield what is wrong with the constants of the int8 `model` of `network`, in sentences.

    `observed` holds the values that the fp32 network's tensors have on one image; without it, clip
    ranges are not looked at.
    """
    file = _File(model)
    pairs = [pair for layer in network.layers if (pair := file.pair(layer, network))]
    told: dict[str, list[str]] = {}
    for pair in pairs:
        for kind, where in _faults(pair, pairs):
            told.setdefault(kind, []).append(f"{pair.layer.name}{where}")
    for kind, where in file.range_faults(observed or {}):
        told.setdefault(kind, []).append(where)
    for kind, places in told.items():
        yield f"{kind}: {some(places, _TOLD)}"
    yield from file.attribute_faults(network)


def _faults(pair: _Pair, pairs: list[_Pair]) -> Iterator[tuple[str, str]]:
    """Yield the kind of each fault of a layer, and what to add to the layer's name."""
    live = np.abs(pair.wanted).max(axis=1) > 0
    dead = live & ~pair.integers.any(axis=1)
    if dead.any():
        yield "channels are dead, as all their weights are 0", f" (channel {_listed(dead)})"
    alive = live & ~dead
    wrong = alive & (np.sqrt(np.square(pair.off).mean(axis=1)) > _WRONG_STEPS)
    if wrong.any():
        yield _wrong_weights(pair, wrong, pairs)
    elif alive.any() and abs(mean := float(pair.off[alive].mean())) > _FLOOR_STEPS:
        rule = "floor" if mean < 0 else "ceil"
        yield f"weights are rounded to one side ({rule}), not to nearest", f" ({mean:+.2f} steps)"
    needed = np.abs(pair.wanted).max(axis=1) / 127
    coarse = alive & ~wrong & (pair.steps[:, 0] > _COARSE * needed)
    if coarse.any():
        one = len(np.unique(pair.steps)) == 1 and len(pair.steps) > 1
        kind = "weights have one scale per tensor, not per channel" if one else "steps are too wide"
        worst = float((pair.steps[:, 0] / np.maximum(needed, 1e-30))[coarse].max())
        yield kind, f" (up to {worst:.0f} times wider than needed)"
    elif len(pair.steps) > 1 and len(np.unique(pair.steps)) == 1 and np.ptp(needed):
        yield "weights have one scale per tensor, not per channel", ""
    yield from _bias_faults(pair)


def _wrong_weights(pair: _Pair, wrong: NDArray[np.bool_], pairs: list[_Pair]) -> tuple[str, str]:
    """Return what the weights of the channels `wrong` are instead."""
    where = "" if wrong.all() else f" (channel {_listed(wrong)})"
    got, wanted = pair.weights[wrong], pair.wanted[wrong]
    factor, apart = _fit(got, wanted)
    if apart < _ALIKE:
        return "weights are scaled by a factor", f"{where} by {factor:.3g}"
    for index in np.flatnonzero(wrong):
        fits = [_fit(pair.weights[index], other)[1] for other in pair.wanted]
        if min(fits) < _ALIKE:
            return "channels are out of order", f" (channel {index} holds {np.argmin(fits)})"
    for other in pairs:
        same = other is not pair and other.wanted.shape == pair.weights.shape
        if same and _fit(pair.weights, other.wanted)[1] < _ALIKE:
            return "weights are those of another layer", f" (holds {other.layer.name})"
    return "weights are not those of fp32", where


def _bias_faults(pair: _Pair) -> Iterator[tuple[str, str]]:
    wanted = pair.wanted_bias
    if wanted is None or not wanted.any():
        return
    got = np.zeros_like(wanted) if pair.bias is None else pair.bias
    limit = np.maximum(_BIAS_STEPS * pair.bias_step, _BIAS_PART * np.abs(wanted).max())
    wrong = np.abs(got - wanted) > limit
    if not wrong.any():
        return
    where = "" if wrong.all() else f" (channel {_listed(wrong)})"
    if not got.any():
        yield "the bias is missing, or 0", ""
        return
    factor, apart = _fit(got[wrong], wanted[wrong])
    told = f"{where} but {factor:.3g} times it" if apart < _ALIKE else where
    yield "the bias is not that of fp32", told


def _fit(got: Doubles, wanted: Doubles) -> tuple[float, float]:
    """Return the factor from `wanted` to `got`, and the relative error that it leaves."""
    power = float(np.square(wanted).sum())
    factor = float((got * wanted).sum()) / power if power else 0.0
    if factor <= 0:  # other signs are other weights
        return factor, np.inf
    return factor, float(np.sqrt(np.square(got / factor - wanted).sum() / power))


def _listed(which: NDArray[np.bool_]) -> str:
    return some([str(place) for place in np.flatnonzero(which)], _TOLD)


class _File:
    """The constants of an int8 file."""

    def __init__(self, model: ModelProto) -> None:
        self._nodes = {node.name: node for node in model.graph.node}
        self._rounds = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
        self._makers = {name: node for node in model.graph.node for name in node.output}
        self._tensors = {tensor.name: tensor for tensor in model.graph.initializer}

    def _constant(self, name: str) -> Doubles | None:
        tensor = self._tensors.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor).astype(np.float64)

    def _dequantised(self, name: str) -> tuple[Doubles, Doubles] | None:
        """Return the integers behind `name` minus their zero point, and their steps."""
        node = self._makers.get(name)
        if node is None or node.op_type != "DequantizeLinear":
            return None
        values, scale, *zero = (self._constant(part) for part in node.input)
        if values is None or scale is None:
            return None
        shape = (-1,) + (1,) * (values.ndim - 1)
        offset = 0.0 if not zero or zero[0] is None else zero[0].reshape(shape)
        return values - offset, scale.reshape(-1)

    def pair(self, layer: Layer, network: Network) -> _Pair | None:
        """Return the weights of `layer` here and in fp32; None if it is no int8 layer here."""
        node = self._nodes.get(layer.node)
        found = self._dequantised(node.input[1]) if node and node.op_type == "Conv" else None
        wanted = network.constants[layer.weight].astype(np.float64)
        if node is None or found is None or found[0].shape[1:] != wanted.shape[1:]:
            return None
        rows = len(wanted)
        bias = self._dequantised(node.input[2]) if len(node.input) > 2 and node.input[2] else None
        integers, steps = _mean(*found, rows)
        bias = bias and _mean(*bias, rows)
        own = network.constants[layer.bias].astype(np.float64) if layer.bias else None
        return _Pair(
            layer,
            integers.reshape(rows, -1),
            np.broadcast_to(steps, (rows,)).reshape(rows, 1),
            wanted.reshape(rows, -1),
            bias[0] * bias[1] if bias else None,
            bias[1] if bias else np.zeros(rows),
            own,
        )

    def range_faults(self, observed: Mapping[str, Histogram]) -> Iterator[tuple[str, str]]:
        """Yield tensors whose range is far from their values: of 255 levels, or of others."""
        for node in self._rounds:
            name, histogram = node.input[0], observed.get(node.input[0])
            limits = self._limits(node)
            if histogram is None or limits is None or not histogram.largest:
                continue
            low, high = limits
            middles, width = histogram.middles, histogram.bin_width
            outside = (middles < low - width) | (middles > high + width)
            share = float(histogram.counts[outside].sum() / histogram.counts.sum())
            ratio = (high - low) / (histogram.high - min(histogram.low, 0.0))
            if ratio > _WIDE:
                yield "clip ranges are too wide", f"{name} ({ratio:.3g} times its values)"
            elif ratio < _NARROW and share > _SATURATED:
                told = f"{name} ({1 / ratio:.3g} times, {100 * share:.2g} % of its values clipped)"
                yield "clip ranges are too narrow", told

    def _limits(self, node: NodeProto) -> tuple[float, float] | None:
        scale = self._constant(node.input[1])
        zero = self._tensors.get(node.input[2]) if len(node.input) > 2 else None
        if scale is None or scale.size != 1 or zero is None:
            return None
        value = numpy_helper.to_array(zero).reshape(-1)
        if value.dtype not in (np.uint8, np.int8):
            return None
        ends = np.iinfo(value.dtype)
        step, middle = float(scale.reshape(-1)[0]), int(value[0])
        return step * (ends.min - middle), step * (ends.max - middle)

    def attribute_faults(self, network: Network) -> Iterator[str]:
        """Yield operators that are set in another way than in fp32, such as a PixelShuffle."""
        for node in network.model.graph.node:
            here = self._nodes.get(node.name)
            if here is None or here.op_type != node.op_type:
                continue
            ours, theirs = ({a.name: a for a in n.attribute} for n in (node, here))
            changed = sorted(key for key in ours.keys() | theirs.keys()
                             if ours.get(key) != theirs.get(key))  # fmt: skip
            if changed:
                what = "PixelShuffle order" if node.op_type == "DepthToSpace" else node.op_type
                yield f"{what}: {node.name} has another {', '.join(changed)} than in fp32"


def _mean(integers: Doubles, steps: Doubles, rows: int) -> tuple[Doubles, Doubles]:
    """Return the mean of the copies of a layer of `rows` outputs; see `lanes`."""
    used = len(integers) // rows * rows
    copies = integers[:used].reshape(-1, rows, *integers.shape[1:])
    return copies.mean(axis=0), steps[:rows]
