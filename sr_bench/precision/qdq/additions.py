"""Find which values of an int8 network need care, so that all runtimes round the same ones."""

from collections.abc import Callable, Collection
from functools import cache

from onnx import NodeProto

from sr_bench.precision.network import Network
from sr_bench.precision.points import MOVES, given_by

_SUMS = ("Add", "Sum")
_PASSED = (*_SUMS, "Mul", "Relu", "LeakyRelu", "PRelu", "Clip", "Concat", *MOVES)
"""Between a value and its rounding: OpenVINO may bring that to a sum before them."""


def loses_rounding(
    network: Network,
    tensor: str,
    rounded: Collection[str],
    reads_rounded: Callable[[NodeProto, str], bool],
) -> bool:
    """Return whether OpenVINO would leave out the rounding of `tensor`, which an int8 layer gives.

    Its CPU plugin does, knowingly, where a sum that only a rounding reads follows in one kernel.
    """
    summed = False
    while len(nodes := network.consumers[tensor]) == 1 and nodes[0].op_type in _PASSED:
        summed |= nodes[0].op_type in _SUMS
        tensor = nodes[0].output[0]
        if tensor == network.output:
            return False
        if tensor in rounded:
            return summed and all(reads_rounded(n, tensor) for n in network.consumers[tensor])
    return False


def float_values(
    network: Network, layers: Collection[str], rounded: Collection[str]
) -> frozenset[str]:
    """Return what is computed in float and rounded then, at once or further on.

    That is what convolutions give, but those of `layers`, which are names of nodes, and
    multiplications by constants, such as that of a residual.
    """

    @cache  # residual networks have exponentially many paths to a value
    def is_rounded(tensor: str) -> bool:
        nodes = [node for node in network.consumers[tensor] if node.op_type in _PASSED]
        return tensor in rounded or any(is_rounded(node.output[0]) for node in nodes)

    def is_float(node: NodeProto) -> bool:
        if node.op_type == "Mul":
            return bool(network.constants.keys() & {*node.input})
        return node.op_type in ("Conv", "ConvTranspose") and node.name not in layers

    nodes = filter(is_float, network.model.graph.node)
    tensors = {given_by(network, node.output[0]) for node in nodes} - {network.output}
    return frozenset(filter(is_rounded, tensors))
