"""Write a network as standard ONNX with QuantizeLinear and DequantizeLinear (QDQ).

Activations are uint8 with one scale for each tensor, weights int8 with one for each output
channel, biases int32. The graph's own operators stay, between values that hold 256 levels only,
so that every runtime reads it: one that knows int8 computes in integers, others in float.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from sr_bench.core.backend import PRECISION_KEY
from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.errors import BackendError
from sr_bench.files.onnx_file import metadata
from sr_bench.files.onnx_names import name_nodes
from sr_bench.precision.lanes import lanes
from sr_bench.precision.network import Layer, Network
from sr_bench.precision.points import MOVES, Points, points
from sr_bench.precision.rounding import LARGEST, IntegerWeights

# uint8, as int8 is no better and runs at 0.35 to 0.45 of the speed in onnxruntime.
_LEVELS = 255  # steps from the lowest uint8 to the highest
_MIDDLE = 128  # what 0 becomes where activations are symmetric
_LARGEST_BIAS = 2**30  # leaves as much room again for the sum that the bias is added to
_MARGIN = 1 / 8  # of what the last layer gives: an image may be brighter than those calibrated with
_SMALLEST_RANGE = 1e-20  # less holds 0: a step must be a float32, and fine enough for a bias


@dataclass(frozen=True)
class _Scale:
    """How a tensor's values become uint8: ``q = round(x / q_scale) + zero_point``, clipped."""

    q_scale: np.float32
    zero_point: np.uint8


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


def rewritten(
    network: Network,
    nodes: Sequence[NodeProto],
    constants: Mapping[str, TensorProto],
    notes: Mapping[str, str],
) -> ModelProto:
    """Return the model of `network` with other `nodes`, which make it int8.

    Its constants stay and `constants` are added, as far as they are used; `notes` are written into
    the file's metadata, each key after ``sr_bench.``.
    """
    model = ModelProto()
    model.CopyFrom(network.model)
    graph = model.graph
    del graph.node[:], graph.value_info[:]  # the latter are of the float network
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in (*graph.initializer, *constants.values()) if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    name_nodes(model)  # what is added is called like its output, as a node may be
    entries = {f"sr_bench.{key}": text for key, text in notes.items()}
    helper.set_model_props(model, metadata(model) | entries | {PRECISION_KEY: "int8"})
    return model


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
        self._network = network
        self._weights = weights
        self._layers = {layer.node: layer for layer in network.layers if layer not in kept}
        self._points: Points = points(network, kept)
        self._scales = {name: self._scale(name, clip, plan) for name in self._points.tensors}
        outputs = {node: self._layers[node].output for node in self._points.last}
        wide = {name: clip[name].wider(_MARGIN) for name in outputs.values() if name in clip}
        self._last = {node: self._scale(name, wide, plan) for node, name in outputs.items()}
        self._skips = plan.skips
        self._constants: dict[str, TensorProto] = {}

    def _scale(self, name: str, clip: Mapping[str, ClipRange], plan: Int8Plan) -> _Scale:
        source = self._points.scale_of.get(name, name)
        if source not in clip:
            msg = (
                f"expected a clip range of the tensor {source!r}, got none: the ranges are of"
                " another network; make them again with sr-bench calibrate"
            )
            raise BackendError(msg)
        low, high = clip[source].low, clip[source].high
        if high - low < _SMALLEST_RANGE:
            low, high = 0.0, 1.0
        if plan.activations == "symmetric":
            return _Scale(np.float32(max(-low, high) / LARGEST), np.uint8(_MIDDLE))
        step = (high - low) / _LEVELS
        return _Scale(np.float32(step), np.uint8(np.clip(np.rint(-low / step), 0, _LEVELS)))

    def model(self, notes: Mapping[str, str]) -> ModelProto:
        """Return the whole model."""
        nodes = [*self._rounded(self._network.input)]
        for node in self._network.model.graph.node:
            nodes += self._node(node)
            for output in node.output:
                nodes += self._rounded(output)
        return rewritten(self._network, nodes, self._constants, notes)

    def _rounded(self, name: str) -> Iterator[NodeProto]:
        """Yield the pair that rounds the tensor `name` to 256 levels, if it is to be rounded."""
        if name in self._scales:
            ends = self._float(name), self._rounded_name(name)
            yield from self._pair(name, self._scales[name], *ends)

    def _pair(self, name: str, scale: _Scale, source: str, target: str) -> Iterator[NodeProto]:
        """Yield what rounds `source` to `target`; what is added is called after `name`."""
        parts = (
            self._constant(self._added(name, "scale"), scale.q_scale),
            self._constant(self._added(name, "zero_point"), scale.zero_point),
        )
        levels = self._added(name, "int8")
        yield named_node("QuantizeLinear", [source, *parts], levels)
        yield named_node("DequantizeLinear", [levels, *parts], target)

    def _node(self, node: NodeProto) -> Iterator[NodeProto]:
        """Yield `node`, reading rounded values where it should, behind what these need."""
        copy = NodeProto()
        copy.CopyFrom(node)
        layer = self._layers.get(node.name)
        for i, name in enumerate(node.input):
            if name in self._scales:
                is_rounded = layer or self._reads_rounded(node, name)
                copy.input[i] = self._rounded_name(name) if is_rounded else self._float(name)
        copy.output[:] = map(self._float, node.output)
        if layer and layer.node in self._last:
            yield from self._in_lanes(copy, layer)
        else:
            if layer:
                weights = self._fitting(layer)
                bias = self._network.constants[layer.bias] if layer.bias else None
                yield from self._constants_of(copy, layer, weights, bias)
            yield copy

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
        constants, scale = self._network.constants, self._last[layer.node]
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

    def _float(self, name: str) -> str:
        """Return what the tensor `name` is called before it is rounded."""
        return self._added(name, "float") if self._is_rounded_end(name) else name

    def _rounded_name(self, name: str) -> str:
        """Return what the tensor `name` is called once it is rounded; the output keeps its name."""
        return name if self._is_rounded_end(name) else self._added(name, "rounded")

    def _is_rounded_end(self, name: str) -> bool:
        return name == self._network.output and name in self._scales and self._is_int8(name)

    def _reads_rounded(self, node: NodeProto, name: str) -> bool:
        """Return whether `node`, which is no int8 layer, reads the rounded values of `name`.

        It must where an int8 layer gives them: a runtime that computes in integers has no others.
        """
        moves = node.op_type in MOVES and node.output[0] in self._scales
        return self._skips == "int8" or moves or self._is_int8(name)

    def _is_int8(self, name: str) -> bool:
        """Return whether an int8 layer gives `name`, through a ReLU or what moves values."""
        producer = self._network.producers.get(name)
        while producer is not None and producer.op_type in (*MOVES, "Relu"):
            producer = self._network.producers.get(producer.input[0])
        return producer is not None and producer.name in self._layers

    def _fitting(self, layer: Layer) -> IntegerWeights:
        """Return the layer's weights, in wider steps where its bias would not fit an int32."""
        weights = self._weights[layer.weight]
        if not layer.bias:
            return weights
        bias = np.abs(self._network.constants[layer.bias]).astype(np.float64)
        step = weights.q_scale * np.float64(self._scales[layer.input].q_scale)
        wider = np.maximum(1.0, bias / (step * _LARGEST_BIAS))
        if (wider == 1).all():
            return weights
        values = np.rint(weights.values / wider[:, None, None, None])
        scale = (weights.q_scale * wider).astype(np.float32)
        return IntegerWeights(values.astype(np.int8), scale)

    def _dequantised(
        self, name: str, values: NDArray[np.generic], scale: NDArray[np.float32]
    ) -> NodeProto:
        zeros = np.zeros(len(scale), values.dtype)
        arrays = {"int": values, "scale": scale, "zero_point": zeros}
        parts = [self._constant(self._added(name, part), array) for part, array in arrays.items()]
        return named_node("DequantizeLinear", parts, name, axis=0)

    def _added(self, name: str, part: str) -> str:
        """Return the name of `part`, which is added to what the network calls `name`."""
        return f"{name}{self._network.separator}{part}"

    def _constant(self, name: str, value: NDArray[np.generic] | np.generic) -> str:
        self._constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name


def named_node(op_type: str, inputs: list[str], output: str, **attributes: Any) -> NodeProto:
    """Return a node of one output, named after that."""
    return helper.make_node(op_type, inputs, [output], name=output, **attributes)
