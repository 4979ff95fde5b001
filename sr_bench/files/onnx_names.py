"""Names of what an ONNX file holds, and names for what is added to it."""

from collections.abc import Container, Iterator

from onnx import GraphProto, ModelProto


def separator(model: ModelProto) -> str:
    """Return what parts a name from what is added to it: ``/``, or more of them.

    ``f"{name}{separator}scale"`` is then a name that nothing in `model` has, and that no other name
    of it can give with another word: no name is another one, the separator, and more.
    """
    names = {name for name in all_names(model.graph) if isinstance(name, str)}
    mark = "/"
    while any(_holds(name, mark, names) for name in names):
        mark += "/"
    return mark


def _holds(name: str, mark: str, names: Container[str]) -> bool:
    ends = (i for i in range(1, len(name)) if name.startswith(mark, i))
    return any(name[:end] in names for end in ends)


def name_nodes(model: ModelProto) -> None:
    """Give each node of `model` without a name, or with one that a node has already, its own.

    onnxruntime refuses a name that two nodes have, and onnx's checker does not.
    """
    bodies = [*graphs(model.graph)]
    taken = {node.name for body in bodies for node in body.node}
    seen = {""}
    for body in bodies:
        for index, node in enumerate(body.node):
            if node.name in seen:
                name = node.name or f"{node.op_type}_{index}"
                node.name = next(other for other in _variants(name) if other not in taken)
                taken.add(node.name)
            seen.add(node.name)


def _variants(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1


def graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """Yield `graph` and those that its nodes hold."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from graphs(attribute.g)
            for inner in attribute.graphs:
                yield from graphs(inner)


def all_names(graph: GraphProto) -> Iterator[str | bytes]:
    """Yield each name in `graph`, some more than once; bytes where it is not UTF-8."""
    for inner in graphs(graph):
        for node in inner.node:
            yield from (node.name, *node.input, *node.output)
        for values in (inner.input, inner.output, inner.value_info, inner.initializer):
            yield from (value.name for value in values)
        yield from (tensor.values.name for tensor in inner.sparse_initializer)
