"""Write a network as standard ONNX with QuantizeLinear and DequantizeLinear (QDQ).

Activations are uint8 with one scale for each tensor, weights int8 with one for each output
channel, biases int32. The graph's own operators stay, between values that hold 256 levels only,
so that every runtime reads it: one that knows int8 computes in integers, others in float.
"""

from collections.abc import Collection, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.errors import BackendError
from sr_bench.precision.network import Layer, Network
from sr_bench.precision.points import MOVES, Points, given, is_image, points
from sr_bench.precision.qdq.additions import float_values, loses_rounding
from sr_bench.precision.qdq.lanes import lanes
from sr_bench.precision.qdq.means import one_axis_each
from sr_bench.precision.qdq.model import named_node, rewritten
from sr_bench.precision.qdq.rounding import IntegerWeights
from sr_bench.precision.qdq.scale import Scale
from sr_bench.precision.qdq.steps import common_unit, odd_fractions, unit_below
from sr_bench.precision.qdq.whole import units_of, whole_nodes

_MARGIN = 1 / 8  # of what the last layer gives: an image may be brighter than those calibrated with


def quantise(
    network: Network,
    clip: Mapping[str, ClipRange],
    weights: Mapping[str, IntegerWeights],
    plan: Int8Plan,
    kept: Collection[Layer],
    *,
    notes: Mapping[str, str],
) -> ModelProto:
    """Return the fp32 `network` with all layers but `kept` in int8.

    `clip` holds the clip range of every tensor that is rounded, `weights` the integers of the
    layers' weights by the name of the constant. `plan` says how activations are rounded and what
    additions read. `notes` are written into the file's metadata, each key after ``sr_bench.``.

    Raises:
        BackendError: A clip range is missing.
    """
    return _Writer(network, clip, weights, plan, kept).model(notes)


def int8_share(network: Network, kept: Collection[Layer]) -> float:
    """Return the part of the network's multiply-accumulates that are int8, 0 to 1."""
    return min(1.0, sum(layer.share for layer in network.layers if layer not in kept))


class _Writer:
    """The parts of a QDQ model, in the order in which they are made."""

    def __init__(
        self,
        network: Network,
        clip: Mapping[str, ClipRange],
        weights: Mapping[str, IntegerWeights],
        plan: Int8Plan,
        kept: Collection[Layer],
    ) -> None:
        self._network, self._added = network, network.added
        self._weights = weights
        self._layers = {layer.node: layer for layer in network.layers if layer not in kept}
        self._gives = {given(network, layer) for layer in self._layers.values()}
        self._points: Points = points(network, kept)
        scales = {name: self._scale(name, clip, plan) for name in self._points.tensors}
        unit = common_unit(float(scale.q_scale) for scale in scales.values())
        self._scales = {
            name: scale if is_image(network, name) else scale.in_multiples_of(unit)
            for name, scale in scales.items()  # those of the image are its levels
        }
        smallest = min((float(each.q_scale) for each in self._scales.values()), default=1.0)
        self._unit = unit_below(unit, smallest)
        last = [self._layers[node].output for node in self._points.last]
        wide = {name: clip[name].wider(_MARGIN) for name in last if name in clip}
        self._last = {name: self._scale(name, wide, plan) for name in last}
        self._skips = plan.skips
        self._image = clip.get(network.input)
        self._whole = whole_nodes(network, kept, self._image)
        self._floats = float_values(network, self._layers, self._scales)
        self._constants: dict[str, TensorProto] = {}

    def _scale(self, name: str, clip: Mapping[str, ClipRange], plan: Int8Plan) -> Scale:
        source = self._points.scale_of.get(name, name)
        if source not in clip:
            msg = (
                f"expected a clip range of the tensor {source!r}, got none: the ranges are of"
                " another network; make them again with sr-bench calibrate"
            )
            raise BackendError(msg)
        return Scale.of(clip[source], plan)

    def model(self, notes: Mapping[str, str]) -> ModelProto:
        """Return the whole model."""
        nodes = [*self._rounded(self._network.input)]
        for node in self._network.model.graph.node:
            nodes += self._node(node)
            for output in node.output:
                nodes += self._rounded(output)
        alike = one_axis_each(nodes, self._network.constants, self._network.separator)
        return rewritten(self._network, [*alike], self._constants, notes)

    def _rounded(self, name: str) -> Iterator[NodeProto]:
        """Yield the pair that rounds the tensor `name` to 256 levels, if it is to be rounded."""
        if name in self._scales:
            ends = self._float(name), self._rounded_name(name)
            yield from self._pair(name, self._scales[name], *ends)

    def _pair(self, name: str, scale: Scale, source: str, target: str) -> Iterator[NodeProto]:
        """Yield what rounds `source` to `target`; what is added is called after `name`."""
        parts = (
            self._constant(self._added(name, "scale"), scale.q_scale),
            self._constant(self._added(name, "zero_point"), scale.zero_point),
        )
        levels = self._added(name, "int8")
        yield named_node("QuantizeLinear", [source, *parts], levels)
        if not self._loses_rounding(name):
            yield named_node("DequantizeLinear", [levels, *parts], target)
            return
        apart = self._added(name, "apart")
        yield named_node("DequantizeLinear", [levels, *parts], apart)
        # It changes nothing, and no runtime takes it out or fuses what is on its two sides.
        yield named_node("MaxPool", [apart], target, kernel_shape=[1, 1])

    def _loses_rounding(self, name: str) -> bool:
        args = self._network, name, self._scales, self._reads_rounded
        return name in self._gives and loses_rounding(*args)

    def _node(self, node: NodeProto) -> Iterator[NodeProto]:
        """Yield `node`, reading rounded values where it should, behind what these need."""
        copy = NodeProto()
        copy.CopyFrom(node)
        layer = self._layers.get(node.name)
        for i, name in enumerate(node.input):
            if name in self._scales:
                is_rounded = self._reads_rounded(node, name)
                copy.input[i] = self._rounded_name(name) if is_rounded else self._float(name)
        copy.output[:] = [self._float(name) for name in node.output]
        if node.name in self._whole:
            yield from self._summing_units(copy, node.input[0])
        if layer and layer.output in self._last:
            yield from self._in_lanes(copy, layer)
        else:
            if layer:
                weights = self._fitting(layer)
                bias = self._network.constants[layer.bias] if layer.bias else None
                yield from self._constants_of(copy, layer, weights, bias)
            yield copy
        for name in self._floats.intersection(node.output):
            copy.output[0] = self._added(name, "fine")
            yield from self._whole_units(copy.output[0], name)

    def _constants_of(
        self,
        node: NodeProto,
        layer: Layer,
        weights: IntegerWeights,
        bias: NDArray[np.generic] | None,
    ) -> Iterator[NodeProto]:
        """Let `node` read the integers of the layer's constants; yield what makes floats of them.

        They are called by node, as layers that share weights may need unlike steps: see `_fitting`.
        """
        del node.input[1:]  # an absent bias may have an empty name
        node.input.append(self._added(layer.node, "weight"))
        yield self._dequantised(node.input[1], weights.values, weights.q_scale)
        if bias is not None:
            # A bias joins the int32 sum, so its step has to be the sum's.
            scale = weights.q_scale * self._scales[layer.input].q_scale
            integers = np.rint(bias / scale.astype(np.float64)).astype(np.int32)
            node.input.append(self._added(layer.node, "bias"))
            yield self._dequantised(node.input[2], integers, scale)

    def _in_lanes(self, node: NodeProto, layer: Layer) -> Iterator[NodeProto]:
        """Yield the last layer `node` several times over, and the mean of what that gives."""
        constants, scale = self._network.constants, self._last[layer.output]
        bias = constants[layer.bias] if layer.bias else None
        steps = self._fitting(layer).q_scale
        wide = lanes(constants[layer.weight], bias, steps, scale.q_scale)
        integers = IntegerWeights(wide.values, wide.q_scale)
        name, output = self._added(layer.output, "lanes"), node.output[0]
        node.output[0] = name
        yield from self._constants_of(node, layer, integers, wide.bias)
        yield node
        rounded = self._added(name, "rounded")
        yield from self._pair(name, scale, name, rounded)
        mean = self._constant(self._added(name, "mean"), wide.mean)
        yield named_node("Conv", [rounded, mean], output)

    def _summing_units(self, node: NodeProto, reads: str) -> Iterator[NodeProto]:
        """Let `node` sum whole units of `reads`; yield what makes the image of them."""
        source = node.input[0]
        if reads == self._network.input and self._image:
            units, source = self._added(reads, "units"), self._added(reads, "whole")
            factor = np.float32(units_of(self._image))
            per_one = self._constant(self._added(reads, "per_one"), factor)
            yield named_node("Mul", [reads, per_one], units)
            yield named_node("Round", [units], source)
        whole, name = self._whole[node.name], node.name
        if whole.weight is None:
            shift = self._constant(self._added(name, "shift"), whole.bias[:, None, None])
            node.CopyFrom(helper.make_node("Add", [source, shift], node.output, name=name))
            return
        weight = self._constant(self._added(name, "weight"), whole.weight)
        node.input[:] = [source, weight, self._constant(self._added(name, "bias"), whole.bias)]

    def _whole_units(self, fine: str, name: str) -> Iterator[NodeProto]:
        """Yield what rounds `fine` to the unit of which all steps are multiples."""
        units, whole = self._added(name, "units"), self._added(name, "whole")
        up = self._constant(self._added(name, "per_unit"), np.float32(1 / self._unit))
        down = self._constant(self._added(name, "unit"), np.float32(self._unit))
        yield named_node("Mul", [fine, up], units)
        yield named_node("Round", [units], whole)
        yield named_node("Mul", [whole, down], name)

    def _float(self, name: str) -> str:
        """Return what the tensor `name` is called before it is rounded."""
        return self._added(name, "float") if self._is_rounded_end(name) else name

    def _rounded_name(self, name: str) -> str:
        """Return what the tensor `name` is called once it is rounded; the output keeps its name."""
        return name if self._is_rounded_end(name) else self._added(name, "rounded")

    def _is_rounded_end(self, name: str) -> bool:
        return name == self._network.output and name in self._scales and self._is_int8(name)

    def _reads_rounded(self, node: NodeProto, name: str) -> bool:
        """Return whether `node` reads the rounded values of `name`.

        It must where an int8 layer gives them: a runtime that computes in integers has no others.
        """
        moves = node.op_type in MOVES and node.output[0] in self._scales
        is_layer = node.name in self._layers
        return is_layer or self._skips == "int8" or moves or self._is_int8(name)

    def _is_int8(self, name: str) -> bool:
        """Return whether an int8 layer gives `name`, through a ReLU or what moves values."""
        producer = self._network.producers.get(name)
        while producer is not None and producer.op_type in (*MOVES, "Relu"):
            producer = self._network.producers.get(producer.input[0])
        return producer is not None and producer.name in self._layers

    def _fitting(self, layer: Layer) -> IntegerWeights:
        """Return the layer's weights in steps of which no sum lies in the middle of two levels."""
        weights = self._weights[layer.weight]
        if layer.bias:
            bias = self._network.constants[layer.bias]
            weights = weights.with_room_for(bias, self._scales[layer.input].q_scale)
        reads, gives = self._scales[layer.input], self._scale_given(layer)
        levels = gives.q_scale.astype(np.float64) / reads.q_scale
        scale = odd_fractions(weights.q_scale / levels, weights.values[0].size) * levels
        return IntegerWeights(weights.values, scale.astype(np.float32))

    def _scale_given(self, layer: Layer) -> Scale:
        last = self._last.get(layer.output)
        return last or self._scales[given(self._network, layer)]

    def _dequantised(
        self, name: str, values: NDArray[np.generic], scale: NDArray[np.float32]
    ) -> NodeProto:
        zeros = np.zeros(len(scale), values.dtype)
        arrays = {"int": values, "scale": scale, "zero_point": zeros}
        parts = [self._constant(self._added(name, part), array) for part, array in arrays.items()]
        return named_node("DequantizeLinear", parts, name, axis=0)

    def _constant(self, name: str, value: NDArray[np.generic] | np.generic) -> str:
        self._constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name
