"""The parameters of an ONNX graph: the constants of which its layers' weights are made.

A file may hold a weight as it is, or what a weight is computed from: factors and directions of
weight normalisation, matrices that are transposed, cut or joined, integers behind
DequantizeLinear. Counted is what is stored, as torch counts a module's parameters: each element of
a constant once, however many layers use it. Single values are factors or settings, integers are
shapes and indices: neither counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, helper, numpy_helper

from sr_bench.files.onnx_file import reads

Dims = tuple[int, ...]

# Which inputs of an operator hold parameters, as torch's modules hold them.
_WEIGHT_INPUTS = {
    "Conv": (1, 2),
    "ConvTranspose": (1, 2),
    "DeformConv": (1, 3),
    "Gemm": (1, 2),
    "MatMul": (0, 1),
    "PRelu": (1,),
    "BatchNormalization": (1, 2),
    "InstanceNormalization": (1, 2),
    "LayerNormalization": (1, 2),
    "GroupNormalization": (1, 2),
    "RMSNormalization": (1,),
}

# Operators of which only the first input is data; the others are scales, shapes and indices.
_MOVES = frozenset(
    (
        *("Cast", "CastLike", "DequantizeLinear", "QuantizeLinear", "DepthToSpace", "Expand"),
        *("Flatten", "Gather", "Pad", "Reshape", "Resize", "Slice", "Split", "Squeeze", "Tile"),
        *("SpaceToDepth", "Transpose", "Unsqueeze"),
    )
)
_ELEMENTWISE = frozenset(("Add", "Div", "Mul", "Pow", "Sub"))  # by which layers scale and shift
_NO_WEIGHTS = frozenset(
    (TensorProto.UNDEFINED, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL)
)
_RANDOM = ("RandomNormal", "RandomUniform", "Bernoulli", "Multinomial")
SIZES = ("Shape", "Size")
"""Operators that see of their input its size only."""

_CHANNELS = 4  # most of an image


@dataclass(frozen=True)
class Parameters:
    """The parameters of a graph."""

    graph: GraphProto
    """Its nodes in order, each after those that it reads."""
    shapes: Mapping[str, Dims]

    def count(self) -> int:
        """Return the elements of all parameters."""
        weights = self._leaves(self._weights(), single=True)
        scales = [name for _, name in self._scales() if self._is_learned(name)]
        return sum(prod(self.shapes[leaf]) for leaf in weights | self._leaves(scales, single=False))

    def count_biases(self) -> int:
        """Return the elements of the biases of convolutions and linear layers."""
        return sum(prod(self.shapes[leaf]) for leaf in self._leaves(self._biases(), single=True))

    def unknown(self) -> str:
        """Return what may be a parameter or not, which nobody can tell from the file; or nothing.

        A table that is added inside of a network may be learned, as that of positions in a window,
        or computed, as a fixed encoding.
        """
        told = self._leaves(self._weights(), single=True)
        for node, name in self._scales():
            source = self._source(name)
            if source not in self._stored or source in told or self._is_vector(source):
                continue
            if not self._is_mask(source):
                return (
                    f"the parameters can't be told: at the node {node.name or node.output[0]!r}"
                    f" ({node.op_type}) stands a constant of {self._size(source)}, which may be"
                    " learned or not; export without constant folding, or count the module itself"
                )
        return ""

    def is_constant(self, name: str) -> bool:
        """Return whether the value `name` does not depend on what the image shows."""
        return name in self._constants

    def is_linear(self, node: NodeProto) -> bool:
        """Return whether `node` multiplies an activation by a matrix of parameters."""
        return node.op_type == "MatMul" and any(map(self.is_constant, node.input))

    def computing(self) -> Iterator[NodeProto]:
        """Yield the nodes that depend on the image: the others are computed once, in advance."""
        return (node for node in self.graph.node if not self._constants.issuperset(node.output))

    @cached_property
    def _stored(self) -> Mapping[str, TensorProto]:
        """The constants of the file, by name."""
        constants = (node for node in self.graph.node if node.op_type == "Constant")
        written = {node.output[0]: _tensor(node.attribute[0]) for node in constants}
        return written | {tensor.name: tensor for tensor in self.graph.initializer}

    @cached_property
    def _constants(self) -> frozenset[str]:
        known = {"", *self._stored}
        for node in self.graph.node:
            sized = node.op_type in SIZES and node.output[0] in self.shapes
            # Of what CastLike casts to, only the type counts.
            read = node.input[:1] if node.op_type == "CastLike" else reads(node)
            if sized or (known.issuperset(read) and not node.op_type.startswith(_RANDOM)):
                known.update(node.output)
        return frozenset(known)

    @cached_property
    def _producers(self) -> Mapping[str, NodeProto]:
        return {output: node for node in self.graph.node for output in node.output}

    def _weights(self) -> Iterator[str]:
        """Yield the values that layers multiply by, scale by, add ..."""
        yield from self._biases()
        for node in self.computing():
            if node.op_type == "MatMul":
                yield from filter(self.is_constant, node.input)
            elif node.op_type == "Gather" and self.is_constant(node.input[0]):
                yield node.input[0]  # a table, of which the image chooses rows
            elif not self._is_group_wise(node):
                places = _WEIGHT_INPUTS.get(node.op_type, ())
                yield from (node.input[i] for i in places if i < len(node.input))

    def _biases(self) -> Iterator[str]:
        """Yield the values that convolutions and linear layers add."""
        linear = {node.output[0] for node in self.computing() if self.is_linear(node)}
        for node in self.computing():
            if node.op_type == "Add" and not linear.isdisjoint(node.input):
                # A linear layer on more than two axes is written as MatMul and Add.
                yield from filter(self.is_constant, node.input)
            elif node.op_type in ("Conv", "ConvTranspose", "Gemm"):
                yield from node.input[2:3]

    def _is_group_wise(self, node: NodeProto) -> bool:
        """Return whether `node` is a part of a group normalisation that neither scales nor shifts.

        Exporters write that as an instance normalisation of groups, whose scales are 1 and offsets
        0, and scale and shift the channels behind it.
        """
        source = self._producers.get(node.input[0])
        if node.op_type != "InstanceNormalization" or not source or source.op_type != "Reshape":
            return False
        pairs = zip(node.input[1:3], (1, 0), strict=True)
        return all((self._array(self._source(name)) == value).all() for name, value in pairs)

    def _scales(self) -> Iterator[tuple[NodeProto, str]]:
        """Yield the constants that scale or shift what layers give, and where.

        Not those of an image's channels before the first layer or behind the last one: there it is
        brought to the range that the network was trained on.
        """
        layers = [node for node in self.computing() if node.op_type in _WEIGHT_INPUTS]
        behind = {name for node in layers for name in node.output}
        for node in self.graph.node:
            if behind.intersection(node.input):
                behind.update(node.output)
        before = {name for node in layers for name in node.input}
        for node in reversed(self.graph.node):
            if before.intersection(node.output):
                before.update(node.input)
        for node in self.computing():
            if node.op_type in _ELEMENTWISE:
                inside = behind.intersection(node.input) and before.intersection(node.output)
                least = 1 if inside else _CHANNELS
                for name in filter(self.is_constant, node.input):
                    if prod(self.shapes.get(name, ())) > least:
                        yield node, name

    def _is_learned(self, name: str) -> bool:
        source = self._source(name)
        return source not in self._stored or self._is_vector(source)

    def _source(self, name: str) -> str:
        """Return what `name` only moves, which the file may hold; rows of a table are its own."""
        while (node := self._producers.get(name)) is not None and name not in self._stored:
            if node.op_type == "Gather" or node.op_type not in (*_MOVES, "Identity"):
                break
            name = node.input[0]
        return name

    def _is_vector(self, name: str) -> bool:
        return sum(size > 1 for size in self.shapes[name]) <= 1

    def _is_mask(self, name: str) -> bool:
        """Return whether the constant `name` holds no more than two different values."""
        values = self._array(name)
        return bool(((values == values.min()) | (values == values.max())).all())

    def _array(self, name: str) -> NDArray[np.generic]:
        """Return what the file holds as `name`; numbers like no others if it does not."""
        tensor = self._stored.get(name)
        known = tensor is not None and tensor.data_type != TensorProto.UNDEFINED
        if tensor is None or not known or tensor.data_location == TensorProto.EXTERNAL:
            return np.arange(-3, 0)
        return numpy_helper.to_array(tensor)

    def _size(self, name: str) -> str:
        return " x ".join(map(str, self.shapes[name]))

    def _leaves(self, names: Iterable[str], *, single: bool) -> set[str]:
        """Return the stored constants of which the values `names` are made.

        A single value counts only if it is a weight by itself, as `single` says: else it is a
        factor.
        """
        waiting, seen, leaves = [(name, single) for name in names], set[str](), set[str]()
        while waiting:
            name, alone = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            node = self._producers.get(name)
            if name in self._stored or (
                # Exporters write one where two parameters have equal values: this is the second.
                node is not None and node.op_type == "Identity" and node.input[0] in self._stored
            ):
                tensor = self._stored.get(name) or self._stored[self._producers[name].input[0]]
                if tensor.data_type not in _NO_WEIGHTS and (alone or prod(tensor.dims) > 1):
                    leaves.add(name)
            elif node is None or (node.op_type in _WEIGHT_INPUTS and not self.is_constant(name)):
                continue  # the image, or another layer, whose parameters are its own
            elif node.op_type in (*_MOVES, "Identity"):
                waiting.append((node.input[0], alone))
            else:
                waiting.extend((source, False) for source in node.input)
        return leaves


def _tensor(value: AttributeProto) -> TensorProto:
    """Return the `value` of a Constant as a tensor; of no type if it holds no numbers."""
    if value.type == AttributeProto.TENSOR:
        return value.t
    if value.type == AttributeProto.SPARSE_TENSOR:
        sparse = value.sparse_tensor
        kind, elsewhere = sparse.values.data_type, TensorProto.EXTERNAL
        return TensorProto(dims=sparse.dims, data_type=kind, data_location=elsewhere)
    kinds = {"value_float": np.float32, "value_floats": np.float32}
    if value.name not in (*kinds, "value_int", "value_ints"):
        return TensorProto()
    numbers = np.asarray(helper.get_attribute_value(value), kinds.get(value.name, np.int64))
    return numpy_helper.from_array(numbers)
