"""Which values of a sum's terms make a difference: below them a ReLU behind the sum gives 0.

Where a ReLU is all that reads ``x + other``, an `x` below ``-other`` does what ``-other`` does: 0.
So the term needs no level below the least ``max(x, -other)`` that there is. Both terms may be
limited so: where both lie below, the sum is at most 0 with them and without.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace

from onnx import ModelProto, NodeProto, helper

from sr_bench.precision.network import Network
from sr_bench.precision.points import MOVES, moved_back


def with_live_values(network: Network, tensors: Collection[str]) -> Network:
    """Return `network` with nodes that find the live values of `tensors`, which nothing reads.

    Only terms of sums before a ReLU have any; `live_name` says what they are called.
    """
    terms = {name: others for name in tensors if (others := _other_terms(network, name))}
    model = ModelProto()
    model.CopyFrom(network.model)
    del model.graph.node[:]
    for node in network.model.graph.node:
        model.graph.node.append(node)
        for name in dict.fromkeys(node.input):
            # Behind the last sum that reads it, all the other terms are there.
            if name in terms and network.consumers[name][-1] is node:
                model.graph.node.extend(_nodes(network, name, terms[name]))
    return replace(network, model=model)


def live_name(network: Network, name: str) -> str:
    """Return what the live values of the tensor `name` of `network` are called."""
    return network.added(name, "live")


def holders(network: Network, tensors: Collection[str]) -> dict[str, str]:
    """Return, by the names of `tensors`, which one's live values are all that matters of each.

    That is its own, or those of the term that holds the same values; others are left out.
    """
    terms = [name for name in tensors if _other_terms(network, name)]
    same = {same: name for name in terms for same in _same_values(network, name)}
    return {name: same[name] for name in tensors if name in same}


def _nodes(network: Network, name: str, others: tuple[str, ...]) -> Iterator[NodeProto]:
    """Yield nodes that raise what is dead of `name` to the largest dead value, 0 at most."""
    live = live_name(network, name)
    most, above, dead = (network.added(live, part) for part in ("most", "above", "dead"))
    # A ReLU, as what lies above 0 stays: a high that is dead keeps a low of the other term dead.
    for kind, inputs, output in (
        ("Max", others, most),
        ("Relu", (most,), above),
        ("Neg", (above,), dead),
        ("Max", (name, dead), live),
    ):
        yield helper.make_node(kind, inputs, [output], name=output)


def _other_terms(network: Network, name: str) -> tuple[str, ...]:
    """Return what is added to `name`, if all that reads it are sums before a ReLU; else nothing."""
    nodes = network.consumers.get(name, ())
    before_relu = all(
        node.op_type == "Add" and _only_relu_reads(network, node.output[0]) for node in nodes
    )
    if name == network.output or not before_relu:
        return ()
    others = (node.input[1] if node.input[0] == name else node.input[0] for node in nodes)
    return tuple(dict.fromkeys(others))


def _same_values(network: Network, name: str) -> Iterator[str]:
    """Yield `name` and the tensors that it only moves the values of, if nothing else reads them."""
    yield name
    node = network.producers.get(name)
    if node is not None and node.op_type in MOVES:
        yield from moved_back(network, node.input[0])


def _only_relu_reads(network: Network, name: str) -> bool:
    """Return whether all that reads `name`, behind operators that move values, is a ReLU."""
    nodes = network.consumers.get(name, ())
    return (
        bool(nodes)
        and name != network.output
        and all(
            node.op_type == "Relu"
            or (node.op_type in MOVES and _only_relu_reads(network, node.output[0]))
            for node in nodes
        )
    )
