"""Tell an ONNX graph's geometry (sizes, scale factors, axes) from the values of its image."""

from collections.abc import Iterator, Mapping

from onnx import GraphProto, NodeProto, TensorProto

_FLOAT_GEOMETRY = {"Resize": (1, 2), "Upsample": (1,)}  # inputs that are float and yet geometry
_SHAPE_OF = ("Shape", "Size")  # they see of their input its size only


def geometry_values(graph: GraphProto, types: Mapping[str, int]) -> frozenset[str]:
    """Return the values of `graph` that only determine sizes and positions.

    Rounding such a value to a narrow type would change the size of the output: fp16 holds
    no odd number above 2048. `graph` has no control flow; `types` are those of all elements.
    """
    image = _image_values(graph)
    producers = {output: node for node in graph.node for output in node.output}
    waiting = [
        name
        for node in graph.node
        if image.intersection(node.output)
        for name in _geometry_inputs(node, types)
    ]
    geometry: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in geometry or name in image:
            continue
        geometry.add(name)
        if name in producers:
            waiting.extend(producers[name].input)
    return frozenset(geometry)


def _image_values(graph: GraphProto) -> set[str]:
    """Return the values that depend on the values, not only on the size, of the graph's input."""
    constants = {tensor.name for tensor in graph.initializer}
    image = {value.name for value in graph.input} - constants
    for node in graph.node:  # sorted so that a value is made before it is used
        if node.op_type not in _SHAPE_OF and image.intersection(node.input):
            image.update(node.output)
    return image


def _geometry_inputs(node: NodeProto, types: Mapping[str, int]) -> Iterator[str]:
    floats = _FLOAT_GEOMETRY.get(node.op_type, ())
    for i, name in enumerate(node.input):
        # The image is float: an integer can only be a shape, an axis or an index.
        if i in floats or types.get(name) in (TensorProto.INT64, TensorProto.INT32):
            yield name
