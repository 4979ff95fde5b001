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

from sr_bench.core.network_io import NetworkInput, NetworkOutput
from sr_bench.errors import BackendError
from sr_bench.files.hashing import sha256_unchanged
from sr_bench.files.onnx_data import read_external_data
from sr_bench.files.onnx_ends import ImageEnd, check_card, image_network
from sr_bench.files.onnx_file import SHAPE_ELEMENTS, load_onnx, opset
from sr_bench.files.onnx_names import separator
from sr_bench.files.onnx_write import write_onnx

_TYPES = {"float": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "uint8": TensorProto.UINT8}
_HAS_ROUND, _READS_AXES = 11, 13  # the first opsets in which Round is, and axes are an input

_BLACK, _WHITE, _HALF = (np.array(value, np.float32) for value in (0, 255, 0.5))

_Step = tuple[str, Mapping[str, Any], tuple[NDArray[np.generic], ...]]
"""An operator, its attributes, and the constants that it reads behind its first input."""


def is_canonical(path: Path, given: NetworkInput, gives: NetworkOutput) -> bool:
    """Tell whether the file at `path` is one from an image to an image, float32 N x C x H x W.

    Raises:
        BackendError: It can't be read, has no image at an end, contradicts what its card says of
            `given` and `gives`, or the card must say more.
    """
    return _seen(path, sha256_unchanged(path), given, gives)[0]


def fixed_size(path: Path, given: NetworkInput, gives: NetworkOutput) -> tuple[int, int] | None:
    """Return the only height and width that the file at `path` takes; None: others too.

    Raises:
        BackendError: As of `is_canonical`.
    """
    return _seen(path, sha256_unchanged(path), given, gives)[1]


@lru_cache(maxsize=256)
def _seen(
    path: Path, _digest: str, given: NetworkInput, gives: NetworkOutput
) -> tuple[bool, tuple[int, int] | None]:
    try:
        model = onnx.load(path, load_external_data=False)
        with suppress(ValueError, OSError):  # of weights, absent ones do
            read_external_data(model, path, largest=SHAPE_ELEMENTS)
        network = image_network(model, given, gives)
        check_card(network, given, gives)
    except BackendError as error:
        raise error.about(str(path)) from error
    # A damaged file raises whatever its reader stumbles over.
    except Exception as error:
        msg = f"can't read the ONNX file {path}: {' '.join(str(error).split())}"
        raise BackendError(msg) from error
    return network.is_plain, network.size


def write_canonical(path: Path, given: NetworkInput, gives: NetworkOutput, target: Path) -> None:
    """Write the network at `path` to `target`, `canonical`.

    Raises:
        BackendError: It can't be read, or as of `canonical`; no file is written.
    """
    try:
        write_onnx(canonical(load_onnx(path), given, gives), target)
    except BackendError as error:
        raise error.about(str(path)) from error


def canonical(model: ModelProto, given: NetworkInput, gives: NetworkOutput) -> ModelProto:
    """Return `model`, which is changed, with one image in and one out, float32 N x C x H x W.

    What takes several images at once takes one.

    Raises:
        BackendError: It has no image at an end, contradicts what its card says of `given` and
            `gives`, the card must say more, or it can't take one image.
    """
    network = image_network(model, given, gives)
    check_card(network, given, gives)
    if network.is_plain:
        return network.model
    if not network.takes_one:
        msg = f"the network reads {network.reads.end}, several images: export it with a batch of 1"
        raise BackendError(msg)
    graph, mark, version = network.model.graph, separator(network.model), opset(network.model)
    before = _brought_in(graph, network.reads, mark, version)
    behind = _brought_out(graph, network.gives, mark, version)
    nodes = [*before, *graph.node, *behind]
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    return network.model


def _brought_in(graph: GraphProto, image: ImageEnd, mark: str, version: int) -> list[NodeProto]:
    """Declare the new input of `graph`; return the nodes that make the old one of it."""
    steps: list[_Step] = []
    if image.end.kind == "uint8":
        halves: _Step = ("Add", {}, (_HALF,))  # what casts cuts off what is behind the point
        rounded: _Step = ("Round", {}, ()) if version >= _HAS_ROUND else halves
        steps += [("Max", {}, (_BLACK,)), ("Min", {}, (_WHITE,)), rounded]
    if image.order.endswith("c"):
        steps.append(("Transpose", {"perm": (0, 2, 3, 1)}, ()))
    steps += _with_axes("Squeeze", image, version)
    if image.end.kind != "float":
        steps.append(("Cast", {"to": _TYPES[image.end.kind]}, ()))
    source = _declared(graph.input[0], image, mark, is_changed=bool(steps))
    return _chained(graph, steps, source, image.end.name, f"{image.end.name}{mark}in{mark}")


def _brought_out(graph: GraphProto, image: ImageEnd, mark: str, version: int) -> list[NodeProto]:
    """Declare the new output of `graph`; return the nodes that make it of the old one."""
    steps: list[_Step] = []
    if image.end.kind != "float":
        steps.append(("Cast", {"to": TensorProto.FLOAT}, ()))
    steps += _with_axes("Unsqueeze", image, version)
    if image.order.endswith("c"):
        steps.append(("Transpose", {"perm": (0, 3, 1, 2)}, ()))
    target = _declared(graph.output[0], image, mark, is_changed=bool(steps))
    return _chained(graph, steps, image.end.name, target, f"{image.end.name}{mark}out{mark}")


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
    dims = dict(zip(image.order, image.end.dims or [None] * len(image.order), strict=True))
    batch = 1 if image.sizes.get("n", 1) else dims["n"]
    shape = [size or None for size in (batch, image.channels, dims["h"], dims["w"])]
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
