"""Estimate how much of the noise of each tensor reaches a network's output, from its weights.

Noise is taken as independent from value to value, so its power goes back through the network as
the squares of weights; half of the values are taken to be above 0 at each ReLU. That is rough, but
it knows what a residual is scaled by, and how many layers a tensor still goes through.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from sr_bench.files.onnx_file import attributes
from sr_bench.precision.network import Layer, Network

Doubles = NDArray[np.float64]

_AVERAGES = frozenset(
    ("GlobalAveragePool", "ReduceMean")
)  # the noise of a plane is gone in its mean


def sensitivities(network: Network, widths: Mapping[str, int]) -> dict[str, Doubles]:
    """Return the power at the output for noise of power 1 at one place, by tensor and channel.

    Args:
        network: Of which the tensors with four axes count.
        widths: The number of channels of each of those.
    """
    found = {network.output: np.ones(widths[network.output])} if network.output in widths else {}
    layers = {layer.node: layer for layer in network.layers}
    for node in reversed(network.model.graph.node):
        for name, of_output in _back(node, network, layers.get(node.name), found, widths):
            if name in widths:
                whole = of_output if len(of_output) == widths[name] else of_output.mean()
                found[name] = found.get(name, np.zeros(widths[name])) + whole
    return found


def read_gain(network: Network, layer: Layer, of_output: Doubles) -> Doubles:
    """Return the power that `layer` makes of noise at one place of each channel that it reads.

    `of_output` is what its own output channels count, shape (O,); the result has shape (I,).
    """
    weight = network.constants[layer.weight].astype(np.float64)
    node = network.producers[layer.output]
    given = attributes(node)
    groups = given.get("group", 1)
    squares = np.square(weight).sum(axis=(2, 3)) * of_output[:, None]
    sums = squares.reshape(groups, -1, weight.shape[1]).sum(axis=1)
    gain: Doubles = sums.reshape(-1) / float(np.prod(given.get("strides", (1, 1))))
    return gain


def _back(
    node: NodeProto,
    network: Network,
    layer: Layer | None,
    found: Mapping[str, Doubles],
    widths: Mapping[str, int],
) -> list[tuple[str, Doubles]]:
    """Return what `node` asks of each tensor that it reads."""
    parts = [found.get(name) for name in node.output]
    whole = [part for part in parts if part is not None]
    if not whole or node.op_type in _AVERAGES:
        return []
    values = [name for name in node.input if name and name not in network.constants]
    if layer:
        return [(layer.input, read_gain(network, layer, whole[0]))]
    if node.op_type == "Concat":
        ends = np.cumsum([widths.get(name, 0) for name in values])
        return list(zip(values, np.split(whole[0], ends[:-1]), strict=True))
    if node.op_type == "Split":
        return [(values[0], np.concatenate(whole))]
    if node.op_type == "DepthToSpace":
        return [(values[0], _before_shuffle(node, whole[0]))]
    return [(name, whole[0] * _factor(node, network)) for name in values]


def _before_shuffle(node: NodeProto, of_output: Doubles) -> Doubles:
    given = attributes(node)
    times = given["blocksize"] ** 2
    is_depth_first = given.get("mode") == b"CRD"
    return np.repeat(of_output, times) if is_depth_first else np.tile(of_output, times)


def _factor(node: NodeProto, network: Network) -> Doubles | float:
    """Return what `node` multiplies the power of noise by."""
    if node.op_type in ("Relu", "PRelu"):
        return 0.5
    if node.op_type == "LeakyRelu":
        alpha = attributes(node).get("alpha", 0.01)
        return float(1 + alpha**2) / 2
    constants = [network.constants[name] for name in node.input if name in network.constants]
    if node.op_type in ("Resize", "Upsample"):  # each value is read so many times
        scales = next((each for each in constants if each.size == 4), None)
        return 4.0 if scales is None else float(np.prod(scales[2:].astype(np.float64)))
    if node.op_type in ("Mul", "Div") and constants:
        square = float(np.square(constants[0].astype(np.float64)).mean())
        return square if node.op_type == "Mul" else 1 / max(square, 1e-30)
    return 1.0
