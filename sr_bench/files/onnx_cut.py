"""Cut a network off behind one of its values, with what stands before computed as in the whole."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from sr_bench.files.onnx_file import inferred
from sr_bench.files.onnx_names import separator

_NOTHING = 1e-30  # a float32 that changes no other when it is added


def image_values(model: ModelProto, shape: Sequence[int]) -> tuple[str, ...]:
    """Return the float32 values N x C x H x W that follow from an image, in the graph's order.

    Of what is rounded to integers and back, through a ReLU or not, only what comes back.

    Args:
        model: A network of one input.
        shape: Of the image.
    """
    kinds = inferred(model, shape)
    depends = {value.name for value in model.graph.input} - _constants(model)
    inside = _inside_layers(model)
    found: list[str] = []
    for node in model.graph.node:
        if not depends.intersection(node.input):
            continue
        depends.update(node.output)
        for name in node.output:
            kind = kinds.get(name)
            if kind and kind.elem_type == TensorProto.FLOAT and len(kind.shape.dim) == 4:
                found.append(name)
    return tuple(name for name in found if name not in inside)


def _inside_layers(model: ModelProto) -> set[str]:
    """Return the values that an int8 layer has before it rounds them."""
    readers = Counter(name for node in model.graph.node for name in node.input)
    inside: set[str] = set()
    for node in reversed(model.graph.node):
        rounds = node.op_type == "QuantizeLinear" or inside.intersection(node.output)
        if rounds and node.op_type in ("QuantizeLinear", "Relu") and readers[node.input[0]] == 1:
            inside.add(node.input[0])
    return inside


def cut_behind(model: ModelProto, value: str) -> ModelProto:
    """Return `model` up to `value`, which is its output.

    What the rest would have read is read still, for nothing: a runtime that fuses nodes by who
    reads what they give fuses the same ones.
    """
    nodes = _needed(model, value)
    kept = {name for node in nodes for name in node.output if name}
    dropped = [node for node in model.graph.node if node not in nodes]
    live = {name for node in dropped for name in node.input if name in kept}
    kinds = inferred(model)
    live = {n for n in live if n in kinds and kinds[n].elem_type == TensorProto.FLOAT}
    cut = ModelProto()
    cut.CopyFrom(model)
    graph = cut.graph
    del graph.node[:], graph.output[:], graph.value_info[:]
    graph.node.extend(nodes)
    output = value
    if live:
        output = f"{value}{separator(model)}end"
        graph.initializer.append(
            numpy_helper.from_array(np.array(_NOTHING, np.float32), f"{output}/nothing")
        )
        graph.node.extend(_still_read(sorted(live), value, output))
    graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, None))
    if not is_rounded(cut):  # it does not compute in what the whole says
        del cut.metadata_props[:]
    used = {name for node in graph.node for name in node.input}
    constants = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(constants)
    return cut


def is_rounded(model: ModelProto) -> bool:
    """Return whether `model` rounds anything to integers; the metadata of a part may be wrong."""
    return any(node.op_type == "QuantizeLinear" for node in model.graph.node)


def _still_read(live: Sequence[str], value: str, output: str) -> Iterator[NodeProto]:
    """Yield what adds to `value` next to nothing of all that is `live`."""
    total = output
    for i, name in enumerate(live):
        mean, some, total = (f"{output}/{part}{i}" for part in ("mean", "some", "sum"))
        yield helper.make_node("ReduceMean", [name], [mean], name=mean, keepdims=1)
        yield helper.make_node("Mul", [mean, f"{output}/nothing"], [some], name=some)
        total = output if i == len(live) - 1 else total
        yield helper.make_node("Add", [value, some], [total], name=total)
        value = total


def _needed(model: ModelProto, value: str) -> list[NodeProto]:
    """Return the nodes that `value` is made by, in the graph's order."""
    wanted, needed = {value}, []
    for node in reversed(model.graph.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            needed.append(node)
    return needed[::-1]


def _constants(model: ModelProto) -> set[str]:
    return {tensor.name for tensor in model.graph.initializer}
