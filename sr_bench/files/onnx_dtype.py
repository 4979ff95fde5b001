"""Tell what an ONNX file computes in from its content: its operators, and what it stores."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from onnx import GraphProto, ModelProto, NodeProto, TensorProto

from sr_bench.core.backend import PRECISION_KEY
from sr_bench.files.onnx_file import attributes, metadata, reads

_NAMES = {number: name.lower() for name, number in TensorProto.DataType.items()}
_QUANTISED = ("qlinear", "qgemm", "qattention", "qmoe")  # how operators of onnxruntime begin
_MOVES = ("Cast", "Identity", "Max", "Min", "Reshape", "Round", "Squeeze", "Transpose", "Unsqueeze")
"""Operators that bring images to a network and from it."""

_8_BITS, _16_BITS, _4_BITS = ("int8", "uint8"), ("int16", "uint16"), ("int4", "uint4")


@dataclass(frozen=True)
class Arithmetic:
    """What a network computes in, and what shows it."""

    dtype: str
    """``fp32``, ``fp16``, ``int8``, or what no precision here is: ``bfloat16``, ``int4`` ..."""
    sign: str
    """Such as ``it has the operator DequantizeLinear 'c1_weight'``; empty for fp32."""


def arithmetic(model: ModelProto) -> Arithmetic:
    """Return what `model` computes in.

    A file that was made here says so. Of any other, an operator that quantises, or weights of 8
    bits, make it int8; else weights, inputs or casts in fp16 decide. What is rarer goes before
    them. The values of the weights need not be loaded.
    """
    if made_for := metadata(model).get(PRECISION_KEY, ""):
        return Arithmetic(made_for, "its metadata says so")
    signs: dict[str, str] = {}
    for dtype, sign in _signs(model):
        signs.setdefault(dtype, sign)
    # Integers of 16 bits are sizes and indices too, unless a network is quantised.
    is_quantised = bool(signs.keys() & {"int8", "int4"})
    rare = [name for name in signs if name not in ("fp16", "int8", "int16")]
    order = (*rare, *(("int16", "int8") if is_quantised else ()), "fp16")
    dtype = next((name for name in order if name in signs), "fp32")
    return Arithmetic(dtype, signs.get(dtype, ""))


def _signs(model: ModelProto) -> Iterator[tuple[str, str]]:
    """Yield each dtype but fp32 that something shows, and what."""
    at_ends = _only_brought(model.graph)
    for value in model.graph.input:
        kind = _NAMES.get(value.type.tensor_type.elem_type, "")
        # An image of 8 bits makes no int8 network.
        if "float" in kind and value.name not in at_ends:
            yield from _named(kind, f"its input {value.name!r} is {kind}")
    yield from _stored(model.graph)
    inner = [n for n in model.graph.node if n.op_type != "Cast" or at_ends.isdisjoint(n.output)]
    for body in (inner, *(function.node for function in model.functions)):
        yield from _of_nodes(body)


def _only_brought(graph: GraphProto) -> set[str]:
    """Return what `graph` only casts and turns between its ends and what it computes.

    That images are given in half precision makes no network of that.
    """
    inputs = [value.name for value in graph.input]
    first, last = {*inputs}, {value.name for value in graph.output}
    readers: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        if node.op_type in _MOVES and first.intersection(node.input[:1]):
            first.update(node.output)
        for name in reads(node):
            readers.setdefault(name, []).append(node)
    moved = {*last}  # what is read by no operator that computes in its type
    for node in reversed(graph.node):
        if node.op_type in _MOVES and last.intersection(node.output):
            last.update(node.input[:1])
        moved.update(name for name in node.output if _is_moved(readers.get(name, ()), moved))
    moved.update(name for name in inputs if _is_moved(readers.get(name, ()), moved))
    return moved & (first | last)


def _is_moved(readers: Iterable[NodeProto], moved: set[str]) -> bool:
    """Return whether all `readers` cast to float32, or move to what is in `moved`."""
    return all(
        (node.op_type in _MOVES and moved.issuperset(node.output))
        or (node.op_type == "Cast" and any(a.i == TensorProto.FLOAT for a in node.attribute))
        for node in readers
    )


def _of_nodes(nodes: Iterable[NodeProto]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        name = node.name or "".join(node.output[:1])
        values = attributes(node)
        operator = node.op_type.lower()
        if operator.endswith("nbits"):  # of onnxruntime: packed in bytes
            yield f"int{values.get('bits', 4)}", f"it has the operator {node.op_type} {name!r}"
        elif "quantize" in operator or "integer" in operator or operator.startswith(_QUANTISED):
            yield "int8", f"it has the operator {node.op_type} {name!r}"
        elif node.op_type == "Cast" and "float" in (kind := _NAMES.get(values.get("to", 0), "")):
            yield from _named(kind, f"the node {name!r} casts to {kind}")
        for value in values.values():
            if isinstance(value, TensorProto):
                yield from _weights(value, name)
            for graph in value if isinstance(value, list) else [value]:
                if isinstance(graph, GraphProto):
                    yield from _stored(graph)
                    yield from _of_nodes(graph.node)


def _stored(graph: GraphProto) -> Iterator[tuple[str, str]]:
    for tensor in graph.initializer:
        yield from _weights(tensor, tensor.name)


def _weights(tensor: TensorProto, name: str) -> Iterator[tuple[str, str]]:
    """Yield the type of a constant if it can be one of weights, or of a zero point."""
    kind = _NAMES.get(tensor.data_type, "")
    # A table of bytes has one axis.
    if kind not in _8_BITS or len(tensor.dims) > 1:
        yield from _named(kind, f"{name!r} is stored as {kind}")


def _named(kind: str, sign: str) -> Iterator[tuple[str, str]]:
    if kind == "float16":
        yield "fp16", sign
    elif "float" in kind and kind != "float":  # bfloat16, float8e4m3fn ...
        yield kind, sign
    for dtypes in (_8_BITS, _16_BITS, _4_BITS):
        if kind in dtypes:
            yield dtypes[0], sign
