"""Bring an ONNX file of an image network to float32 N x C x H x W, of one input and one output.

What is added casts, turns axes and rounds to whole levels; the network's own operators and names
stay as they are.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper
from onnx.numpy_helper import from_array

from sr_bench.core.network_io import NetworkEnd
from sr_bench.errors import BackendError
from sr_bench.files.hashing import sha256_unchanged
from sr_bench.files.onnx_card import Declared, check_card
from sr_bench.files.onnx_data import read_external_data
from sr_bench.files.onnx_ends import ImageEnd, ImageNetwork, image_network
from sr_bench.files.onnx_file import SHAPE_ELEMENTS, load_onnx, opset
from sr_bench.files.onnx_names import separator
from sr_bench.files.onnx_write import write_onnx

_TYPES = {"float": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "uint8": TensorProto.UINT8}
_HAS_ROUND, _READS_AXES = 11, 13  # the first opsets in which Round is, and axes are an input
_MAX_OF_HALVES = 12  # the first opset whose Max onnxruntime computes in float16

_LEVELS = (0.0, 255.0)

_Step = tuple[str, Mapping[str, Any], tuple[NDArray[np.generic], ...]]
"""An operator, its attributes, and the constants that it reads behind its first input."""


def is_canonical(path: Path, card: Declared) -> bool:
    """Tell whether the file at `path` is one from an image to an image, float32 N x C x H x W.

    Raises:
        BackendError: It can't be read, has no image at an end, contradicts its `card`, or that
            must say more.
    """
    return _is_canonical(path, sha256_unchanged(path), card)


@lru_cache(maxsize=256)
def _is_canonical(path: Path, _digest: str, card: Declared) -> bool:
    network = look_at(path, card)
    try:
        check_card(network, card)
    except BackendError as error:
        raise error.about(str(path)) from error
    return network.is_plain


def look_at(path: Path, card: Declared) -> ImageNetwork:
    """Return the network at `path` without its large weights; see `image_network`.

    Raises:
        BackendError: It can't be read, or as of `image_network`.
    """
    try:
        model = onnx.load(path, load_external_data=False)
        with suppress(ValueError, OSError):  # of weights, absent ones do
            read_external_data(model, path, largest=SHAPE_ELEMENTS)
        return image_network(model, card.reads, card.gives)
    except BackendError as error:
        raise error.about(str(path)) from error
    # A damaged file raises whatever its reader stumbles over.
    except Exception as error:
        msg = f"can't read the ONNX file {path}: {' '.join(str(error).split())}"
        raise BackendError(msg) from error


def write_canonical(path: Path, card: Declared, target: Path) -> None:
    """Write the network at `path` to `target`, `canonical`.

    Raises:
        BackendError: It can't be read, or as of `canonical`; no file is written.
    """
    model = load_onnx(path)
    try:
        write_onnx(canonical(model, card), target)
    except BackendError as error:
        raise error.about(str(path)) from error


def canonical(model: ModelProto, card: Declared) -> ModelProto:
    """Return `model`, which is changed, with one image in and one out, float32 N x C x H x W.

    What takes several images at once takes one.

    Raises:
        BackendError: It has no image at an end, contradicts its `card`, that must say more, or it
            can't take one image.
    """
    network = image_network(model, card.reads, card.gives)
    check_card(network, card)
    if network.is_plain:
        return network.model
    if not network.takes_one:
        msg = f"the network reads {network.reads.end}, several images: export it with a batch of 1"
        raise BackendError(msg)
    graph, how = network.model.graph, (separator(network.model), opset(network.model))
    before = _brought_in(graph, network.reads, card.reads, *how)
    behind = _brought_out(graph, network.gives, card.gives, *how)
    nodes = [*before, *graph.node, *behind]
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    return network.model


def _brought_in(
    graph: GraphProto, image: ImageEnd, said: NetworkEnd, mark: str, version: int
) -> list[NodeProto]:
    """Declare the new input of `graph`; return the nodes that make the old one of it."""
    steps: list[_Step] = []
    if image.end.kind == "uint8":
        halves: _Step = ("Add", {}, (_number(0.5),))  # what casts cuts off what is behind the point
        rounded: _Step = ("Round", {}, ()) if version >= _HAS_ROUND else halves
        if said.range != _LEVELS:
            to_levels = (_number(-said.range[0]), _number(255 / said.span))
            steps += [("Add", {}, to_levels[:1]), ("Mul", {}, to_levels[1:])]
        steps += [("Max", {}, (_number(0),)), ("Min", {}, (_number(255),)), rounded]
    if image.order.endswith("c"):
        steps.append(("Transpose", {"perm": (0, 2, 3, 1)}, ()))
    steps += _with_axes("Squeeze", image, version)
    if image.end.kind != "float":
        steps.append(("Cast", {"to": _TYPES[image.end.kind]}, ()))
    steps += _held_in_fp16(image, version)
    source = _declared(graph.input[0], image, mark, is_changed=bool(steps))
    return _chained(graph, steps, source, image.end.name, f"{image.end.name}{mark}in{mark}")


def _brought_out(
    graph: GraphProto, image: ImageEnd, said: NetworkEnd, mark: str, version: int
) -> list[NodeProto]:
    """Declare the new output of `graph`; return the nodes that make it of the old one."""
    steps = _held_in_fp16(image, version)
    if image.end.kind != "float":
        steps.append(("Cast", {"to": TensorProto.FLOAT}, ()))
    if image.end.kind == "uint8" and said.range != _LEVELS:
        steps += [("Mul", {}, (_number(said.span / 255),)), ("Add", {}, (_number(said.range[0]),))]
    steps += _with_axes("Unsqueeze", image, version)
    if image.order.endswith("c"):
        steps.append(("Transpose", {"perm": (0, 3, 1, 2)}, ()))
    target = _declared(graph.output[0], image, mark, is_changed=bool(steps))
    return _chained(graph, steps, image.end.name, target, f"{image.end.name}{mark}out{mark}")


def _held_in_fp16(image: ImageEnd, version: int) -> list[_Step]:
    """Return a step that changes no value of a float16 end: a maximum of one.

    Without it onnxruntime drops the cast beside those of its own, and the end is not rounded.
    """
    if image.end.kind != "float16" or version < _MAX_OF_HALVES:
        return []
    return [("Max", {}, ())]


def _number(value: float) -> NDArray[np.float32]:
    return np.array(value, np.float32)


def _with_axes(operator: str, image: ImageEnd, version: int) -> list[_Step]:
    """Return the step that takes off, or adds, the axes that `image` lacks."""
    axes = list(range(4 - len(image.order)))
    if not axes:
        return []
    if version < _READS_AXES:
        return [(operator, {"axes": axes}, ())]
    return [(operator, {}, (np.array(axes, np.int64),))]


def _declared(value: ValueInfoProto, image: ImageEnd, mark: str, *, is_changed: bool) -> str:
    """Make `value` of a graph float32 N x C x H x W; return its name, a new one if it changed."""
    name = f"{value.name}{mark}image" if is_changed else str(value.name)
    sizes = {"n": 1, **image.sizes, "c": image.channels}
    shape = [min(sizes["n"], 1) or None, *(sizes[axis] or None for axis in "chw")]
    value.CopyFrom(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    return name


def _chained(
    graph: GraphProto, steps: Sequence[_Step], source: str, target: str, prefix: str
) -> list[NodeProto]:
    """Return the nodes that make `target` of `source`; their constants become some of `graph`."""
    nodes = []
    for number, (operator, attributes, constants) in enumerate(steps, start=1):
        name = f"{prefix}{operator}"
        made = target if number == len(steps) else name
        names = [f"{name}_{i}" for i, _ in enumerate(constants)]
        graph.initializer.extend(map(from_array, constants, names))
        nodes.append(helper.make_node(operator, [source, *names], [made], name=name, **attributes))
        source = made
    return nodes
