"""int8 by the rules of a device, as plain ONNX in which float32 carries the integers.

How VastAI's card computes int8 is not published. Known is that its compiler is built on TVM and
chooses T for each tensor by max, percentile, kl or mse, and that fp16 goes in and comes out. Here
are two readings of the rest. Neither is the card: compare levels of quality, never bits.

Both: a tensor with the threshold T becomes ``round(x / s)`` with ``s = T / D``, half to even, cut
to -127 and 127; so do weights, for which T is the largest magnitude of each output channel, or of
all. A layer, which is a convolution with constant weights, adds up its integers exactly, and gives
``sum / (1 / (s_x * s_w)) + bias``, each step in fp32. A skipped layer computes in float on weights
rounded to fp16, and its result is rounded to fp16.

``tvm`` has D = 128 and the tensors that TVM's relay.quantize makes int8: what a layer reads; what
it gives, behind its ReLU if that alone reads it, where layers follow; the terms of additions behind
a layer; and what only moves values of these. Whatever else reads such a tensor reads it
dequantised, and computes in fp32: so skips are int8, and LeakyReLU, Resize and the like are float.
The last layer's sum leaves without passing through int8. Left aside is what TVM does beyond that:
a bias has 8 bits, additions round their terms to the finer scale of the two, a weight tensor has
one scale, a global average pool ends the int8 part, numbers are rounded half away from zero or up.

``fine`` has D = 127. A tensor becomes int8 just where a layer reads it, and all that lies between
two operators is fp16.

Source: apache/tvm v0.18.0, python/tvm/relay/quantize/{_partition,_annotate,_calibrate}.py and
src/relay/quantize/realize.cc.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from sr_bench.core.backend import PROFILE_KEY
from sr_bench.core.device import DevicePlan, Profile
from sr_bench.core.int8 import Int8Plan
from sr_bench.errors import BackendError
from sr_bench.files.onnx_file import needed
from sr_bench.precision.emulated._exact import exact_parts, exact_sum
from sr_bench.precision.emulated._profiles import LEVELS, half_values, integer_points
from sr_bench.precision.emulated._tvm_kl import kl_threshold
from sr_bench.precision.fp16 import cast_pair, round_constants, rounded
from sr_bench.precision.histogram import Counting, Histogram
from sr_bench.precision.network import Layer, Network
from sr_bench.precision.qdq.model import named_node, rewritten
from sr_bench.precision.qdq.rounding import LARGEST, IntegerWeights, round_nearest
from sr_bench.precision.qdq.write import int8_share
from sr_bench.precision.ranges import chosen
from sr_bench.precision.statistics.observed import rounded_by_any_plan

COUNTING = Counting(bins=32768, stride=1)
"""How a device counts what it is calibrated with: as TVM all values, in 8001 bins between the
extremes, each of which is 2 to 4 of these."""

# A tensor or channel with less holds 0: the product of two steps must have a reciprocal.
_SMALLEST = 1e-15

_LARGEST_FLOAT = float(np.finfo(np.float32).max)

_ANOTHER = "another network was calibrated; calibrate this one"


def clip_thresholds(
    network: Network, histograms: Mapping[str, Histogram], observer: str, plan: DevicePlan
) -> dict[str, float]:
    """Return T of every tensor that may become int8, by its name.

    The network's input gets its own like any other tensor, as a compiler knows no white level.
    ``kl`` is TVM's search; the others are those of any int8 network. No range is widened, as TVM
    widens none. `plan` says what part of the values the percentile keeps.

    Raises:
        OptionError: There is no such observer; the message lists the valid ones.
        BackendError: A tensor has no histogram.
    """
    names = sorted(rounded_by_any_plan(network))
    if missing := [name for name in names if name not in histograms]:
        msg = f"expected a histogram of the tensor {missing[0]!r}, got none: {_ANOTHER}"
        raise BackendError(msg)
    if observer == "kl":
        return {name: kl_threshold(histograms[name]) for name in names}
    rules = Int8Plan(activations="symmetric", percentile=100 * plan.calibrate_range)
    clips = chosen({name: histograms[name] for name in names}, observer, rules)
    return {name: max(-clip.low, clip.high) for name, clip in clips.items()}


def emulate(
    network: Network,
    thresholds: Mapping[str, float],
    profile: Profile,
    plan: DevicePlan,
    *,
    notes: Mapping[str, str],
) -> ModelProto:
    """Return the fp32 `network` with int8 layers by the rules of `profile`; float32 in and out.

    `thresholds` are T of every tensor that becomes int8. `notes` are written into the file's
    metadata, each key after ``sr_bench.``.

    Raises:
        BackendError: A threshold is missing, or is not a number from 0 on.
        CardError: ``plan.skip`` names a layer that the network doesn't have.
    """
    return _Writer(network, thresholds, profile, plan).model(notes)


class _Writer:
    """The parts of a model, in the order in which they are made.

    Of a tensor ``t``, ``t/int8`` are its integers, and ``t/rounded`` what they stand for.
    """

    def __init__(
        self, network: Network, thresholds: Mapping[str, float], profile: Profile, plan: DevicePlan
    ) -> None:
        self._network, self._profile, self._plan = network, profile, plan
        self._added = network.added
        self._kept = network.matching(plan.skip, key="vacc.skip")
        self._layers = {layer.node: layer for layer in network.layers if layer not in self._kept}
        self._points = integer_points(network, self._kept, profile)
        self._steps = {name: self._step(name, thresholds) for name in self._points.tensors}
        self._halves = half_values(network, self._kept, profile)
        self._constants: dict[str, TensorProto] = {}

    def _step(self, name: str, thresholds: Mapping[str, float]) -> np.float32:
        """Return what one level of the tensor stands for."""
        source = self._points.scale_of.get(name, name)
        if source not in thresholds:
            msg = f"expected a threshold of the tensor {source!r}, got none: {_ANOTHER}"
            raise BackendError(msg)
        threshold = thresholds[source]
        if not 0 <= threshold <= _LARGEST_FLOAT:
            msg = (
                f"the threshold of the tensor {source!r} is {threshold}; expected a finite number"
                " from 0 on: calibrate again"
            )
            raise BackendError(msg)
        whole = threshold if threshold >= _SMALLEST else 1.0
        return np.float32(whole / LEVELS[self._profile])

    def model(self, notes: Mapping[str, str]) -> ModelProto:
        """Return the whole model."""
        network = self._network
        halves = self._added(network.input, "fp16")
        nodes = [*cast_pair(network.input, halves, network.separator), *self._int8(network.input)]
        for node in network.model.graph.node:
            nodes += self._node(node)
        plan_notes = {
            "skip": " ".join(self._plan.skip),
            "int8_share": f"{int8_share(network, self._kept):.4f}",
            "float_operators": ", ".join(network.floats),
            PROFILE_KEY.removeprefix("sr_bench."): str(self._profile),
        }
        # Each tensor was written in all its forms; those that nothing reads go again.
        nodes = needed(nodes, [network.output])
        model = rewritten(network, nodes, self._constants, {**plan_notes, **notes})
        round_constants(model.graph, self._halves)  # those that are added hold no such values
        return model

    def _node(self, node: NodeProto) -> Iterator[NodeProto]:
        """Yield what computes `node`, and the int8 forms of what it gives."""
        if layer := self._layers.get(node.name):
            yield from self._layer(node, layer)
        elif (name := node.output[0]) in self._points.scale_of:
            # It only moves values, so it moves integers.
            moved = [self._added(node.input[0], "int8"), *node.input[1:]]
            yield _copy(node, moved, [self._added(name, "int8")])
            yield self._dequantised(name)
            if name == self._network.output:
                yield from cast_pair(self._added(name, "rounded"), name, self._network.separator)
            return
        else:
            inputs = [self._float(name) for name in node.input]
            yield from rounded(
                _copy(node, inputs, node.output), self._halves, self._network.separator
            )
        for name in node.output:
            yield from self._int8(name)

    def _layer(self, node: NodeProto, layer: Layer) -> Iterator[NodeProto]:
        """Yield an int8 layer."""
        name = layer.output
        weights = round_nearest(
            self._network.constants[layer.weight].astype(np.float32),
            levels=LEVELS[self._profile],
            per_channel=self._plan.per_channel,
        )
        parts = [
            self._constant(self._added(layer.weight, f"int8/{i}"), part)
            for i, part in enumerate(exact_parts(weights.values))
        ]
        total = self._added(name, "sum")
        yield from exact_sum(node, self._added(layer.input, "int8"), parts, total)
        # A factor, onnxruntime's optimiser would multiply into the weights; a divisor it leaves.
        steps = weights.q_scale.astype(np.float64) * self._steps[layer.input]
        divisor = self._per_channel(self._added(name, "divisor"), 1 / steps, weights)
        scaled = self._added(name, "scaled") if layer.bias else name
        last = named_node("Div", [total, divisor], scaled)
        if layer.bias:
            yield last
            bias = self._network.constants[layer.bias]
            offset = self._per_channel(self._added(name, "bias"), bias, weights)
            last = named_node("Add", [scaled, offset], name)
        yield from rounded(last, self._halves, self._network.separator)

    def _int8(self, name: str) -> Iterator[NodeProto]:
        """Yield what makes the tensor `name` int8, if it is to be."""
        if name not in self._steps:
            return
        producer = self._network.producers.get(name)
        source, low = self._added(name, "fp16") if name == self._network.input else name, -LARGEST
        if producer is not None and producer.op_type == "Relu":
            source, low = self._float(producer.input[0]), 0  # cutting at 0 is the ReLU
        ends = [self._level(low), self._level(LARGEST)]
        steps, whole = self._added(name, "steps"), self._added(name, "whole")
        yield named_node("Div", [source, self._step_of(name)], steps)
        yield named_node("Round", [steps], whole)
        yield named_node("Clip", [whole, *ends], self._added(name, "int8"))
        yield self._dequantised(name)

    def _level(self, value: int) -> str:
        return self._constant(self._added(self._network.input, f"{value}"), np.float32(value))

    def _dequantised(self, name: str) -> NodeProto:
        factors = [self._added(name, "int8"), self._step_of(name)]
        return named_node("Mul", factors, self._added(name, "rounded"))

    def _float(self, name: str) -> str:
        """Return the name of what an operator reads that is no int8 layer."""
        if self._profile is Profile.TVM and name in self._steps:
            return self._added(name, "rounded")
        return self._added(name, "fp16") if name == self._network.input else name

    def _step_of(self, name: str) -> str:
        return self._constant(self._added(name, "step"), self._steps[name])

    def _per_channel(self, name: str, values: NDArray[np.generic], weights: IntegerWeights) -> str:
        ones = (1,) * (weights.values.ndim - 2)
        return self._constant(name, values.astype(np.float32).reshape(-1, *ones))

    def _constant(self, name: str, value: NDArray[np.generic] | np.generic) -> str:
        self._constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name


def _copy(node: NodeProto, inputs: Iterable[str], outputs: Iterable[str]) -> NodeProto:
    copy = NodeProto()
    copy.CopyFrom(node)
    del copy.input[:], copy.output[:]
    copy.input.extend(inputs)
    copy.output.extend(outputs)
    return copy
