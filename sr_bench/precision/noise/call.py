"""One run of an operator, as the rules that carry gradients back look at it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onnx import NodeProto, helper

from sr_bench.precision.segments import Array


@dataclass(frozen=True)
class Call:
    """One run of a node."""

    node: NodeProto
    inputs: Sequence[Array]
    """What it read; an empty array where an input is absent."""
    output: Array
    gradient: Array
    """Of its first output."""
    again: Callable[[int, Array], Array]
    """Returns the first output if the input of that number were another array."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The node's attributes by name."""
        return {item.name: helper.get_attribute_value(item) for item in self.node.attribute}

    def axes(self, default: Sequence[int]) -> tuple[int, ...]:
        """Return the axes that a reduction is over, from an attribute or its second input."""
        if len(self.inputs) > 1 and self.inputs[1].size:
            return tuple(int(axis) for axis in self.inputs[1])
        return tuple(self.attributes.get("axes", default))


Rule = Callable[[Call, int], Array]
"""Returns the gradient of the input of that number."""


def summed(gradient: Array, shape: Sequence[int]) -> Array:
    """Return `gradient` summed over what was spread to it from an array of `shape`."""
    extra = gradient.ndim - len(shape)
    axes = [k for k in range(gradient.ndim) if k < extra or shape[k - extra] != gradient.shape[k]]
    return gradient.sum(axis=tuple(axes)).reshape(shape) if axes else gradient
