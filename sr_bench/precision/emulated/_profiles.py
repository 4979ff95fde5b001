"""Which values each reading of a device's int8 rounds, and to what: see `emulated`."""

from collections.abc import Collection, Mapping

from onnx import TensorProto

from sr_bench.core.device import Profile
from sr_bench.precision._geometry import geometry_values
from sr_bench.precision.fp16 import KEEPS_VALUES
from sr_bench.precision.network import Layer, Network
from sr_bench.precision.points import MOVES, Points, given, read_by, with_moved
from sr_bench.precision.statistics.observed import rounded_by_any_plan

LEVELS: Mapping[Profile, int] = {Profile.TVM: 128, Profile.FINE: 127}
"""How many levels a clip range is wide."""


def integer_points(network: Network, kept: Collection[Layer], profile: Profile) -> Points:
    """Return the tensors that become int8 if all layers but `kept` do."""
    layers = [layer for layer in network.layers if layer not in kept]
    if profile is Profile.FINE:
        return Points(frozenset(layer.input for layer in layers), {})
    gives = {given(network, layer) for layer in layers}
    # What leaves through no int8 layer is not int8: the last sum, or what only a kept layer reads.
    read = filter(read_by(network, layers), gives)
    known = with_moved(network, {layer.input for layer in layers}.union(read))
    observed, behind = rounded_by_any_plan(network), known.tensors | gives
    terms: set[str] = set()
    for node in network.model.graph.node:
        if node.op_type in ("Add", "Relu", *MOVES) and behind.intersection(node.input):
            behind |= set(node.output)
            if node.op_type == "Add":
                terms |= observed.intersection(node.input)
    return Points(known.tensors | terms, known.scale_of)


def half_values(network: Network, kept: Collection[Layer], profile: Profile) -> frozenset[str]:
    """Return the values, constants among them, that are rounded to fp16 where they are made.

    What operators like ReLU make of fp16 values is fp16 without that.
    """
    if profile is Profile.TVM:
        names = {name for layer in kept for name in (layer.weight, layer.bias, layer.output)}
        return frozenset({*names, network.output} - {""})
    graph = network.model.graph
    types = {**network.types, **{tensor.name: tensor.data_type for tensor in graph.initializer}}
    floats = {name for name, kind in types.items() if kind == TensorProto.FLOAT}
    idle = {name for node in graph.node if node.op_type in KEEPS_VALUES for name in node.output}
    return frozenset(floats - geometry_values(graph, types) - idle)
