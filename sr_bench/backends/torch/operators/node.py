"""A node of an ONNX graph as its operator sees it while the graph is opened."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import torch
from onnx import NodeProto, helper
from torch import Tensor

from sr_bench.errors import NotRunError

Run = Callable[..., Tensor | Sequence[Tensor]]
"""Computes a node's outputs from its inputs, in their order; None stands for one left out."""

Build = Callable[["Node"], Run]
"""Reads a node's attributes and returns what runs it.

Raises:
    NotRunError: An attribute is not supported; the message says which.
"""


class Node:
    """A node, its attributes, and those of its inputs that are constants."""

    def __init__(self, proto: NodeProto, opset: int, constants: Mapping[str, Tensor]) -> None:
        own = proto.domain in ("", "ai.onnx")
        self.op = proto.op_type if own else f"{proto.domain}.{proto.op_type}"
        self.name = f"node {proto.name or proto.output[0]!r} ({self.op})"
        self.inputs = tuple(proto.input)
        self.outputs = tuple(proto.output)
        self.opset = opset
        self._constants = constants
        self._attributes = {a.name: helper.get_attribute_value(a) for a in proto.attribute}
        self._read: set[str] = set()

    def unread(self) -> tuple[str, ...]:
        """Return the attributes that nothing has asked for: nothing will heed them."""
        return tuple(sorted(self._attributes.keys() - self._read))

    def has(self, name: str) -> bool:
        """Return whether the attribute is given."""
        return name in self._attributes

    def integer(self, name: str, default: int = 0) -> int:
        """Return an attribute that is an integer."""
        return cast(int, self._value(name, default))

    def number(self, name: str, default: float) -> float:
        """Return an attribute that is a float."""
        return cast(float, self._value(name, default))

    def word(self, name: str, default: str) -> str:
        """Return an attribute that is a string."""
        value = self._value(name, default)
        return value.decode() if isinstance(value, bytes) else str(value)

    def integers(self, name: str) -> tuple[int, ...]:
        """Return an attribute that is a list of integers; empty if it is not given."""
        return tuple(cast(Sequence[int], self._value(name, ())))

    def value(self, name: str) -> object:
        """Return an attribute of any type."""
        return self._value(name, None)

    def constant(self, index: int) -> Tensor | None:
        """Return the input of that number if it is a constant."""
        return self._constants.get(self.inputs[index]) if index < len(self.inputs) else None

    def only(self, name: str, *supported: int | str) -> None:
        """Refuse any value of an attribute but the `supported` ones; the first is its default.

        Raises:
            NotRunError: It has another value.
        """
        default = supported[0]
        value = (
            self.word(name, default) if isinstance(default, str) else self.integer(name, default)
        )
        if value not in supported:
            msg = f"{name} = {value!r} is not supported"
            raise NotRunError(msg)

    def one_output(self) -> None:
        """Refuse a second output.

        Raises:
            NotRunError: There is one.
        """
        if any(self.outputs[1:]):
            msg = f"its output {next(filter(None, self.outputs[1:]))!r} is not supported"
            raise NotRunError(msg)

    def _value(self, name: str, default: object) -> object:
        self._read.add(name)
        return self._attributes.get(name, default)


def integers(value: Tensor) -> list[int]:
    """Return the elements of a tensor that holds sizes, axes or positions."""
    return [int(item) for item in value.flatten().tolist()]


def together(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return `tensors` on one device.

    Sizes and what is computed from them stay on the CPU, so that reading them does not wait for
    the GPU; where they meet the image they move to its device.
    """
    devices = {tensor.device for tensor in tensors}
    if len(devices) == 1:
        return list(tensors)
    device = next(device for device in devices if device != torch.device("cpu"))
    return [tensor.to(device) for tensor in tensors]
