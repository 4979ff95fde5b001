"""Damages to an int8 ONNX file, as a toolchain may do them by mistake."""

from collections.abc import Callable

import numpy as np
from onnx import ModelProto, NodeProto, helper, numpy_helper

from sr_bench.precision.network import Network

LAYER = 4  # of the int8 layers, in the graph's order: the damaged one
Damage = Callable[[ModelProto, Network], None]
"""Changes an int8 model, which was made of the fp32 network."""


def layers(model: ModelProto) -> list[NodeProto]:
    """Return the int8 convolutions."""
    held = {tensor.name for tensor in model.graph.initializer}
    return [n for n in model.graph.node if n.op_type == "Conv" and f"{n.name}/weight/int" in held]


def change(model: ModelProto, name: str, new: Callable[[np.ndarray], np.ndarray]) -> None:
    """Replace the constant `name` by what `new` makes of it."""
    for tensor in model.graph.initializer:
        if tensor.name == name:
            old = numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array(np.asarray(new(old.copy()), old.dtype), name))
            return
    raise KeyError(name)


def value(model: ModelProto, name: str) -> np.ndarray:
    """Return the constant `name`."""
    return next(numpy_helper.to_array(t) for t in model.graph.initializer if t.name == name)


def behind(model: ModelProto, op: str, *constants: np.ndarray, **attributes: object) -> None:
    """Put an operator between the network and its output."""
    graph = model.graph
    output, raw = graph.output[0].name, f"{graph.output[0].name}/undamaged/{len(graph.node)}"
    for node in graph.node:
        node.output[:] = [raw if name == output else name for name in node.output]
    names = [f"{raw}/{i}" for i, _ in enumerate(constants)]
    graph.initializer.extend(
        numpy_helper.from_array(c, n) for c, n in zip(constants, names, strict=True)
    )
    graph.node.append(helper.make_node(op, [raw, *names], [output], name=raw, **attributes))


def weights(new: Callable[[np.ndarray], np.ndarray]) -> Damage:
    """Damage the integers of one layer's weights."""
    return lambda model, _: change(model, f"{layers(model)[LAYER].name}/weight/int", new)


def bias(new: Callable[[np.ndarray], np.ndarray]) -> Damage:
    """Damage the integers of the largest bias; those of most layers hardly count."""

    def damaged(model: ModelProto, _: Network) -> None:
        names = [f"{node.name}/bias" for node in layers(model)]
        sizes = [np.abs(value(model, f"{n}/int") * value(model, f"{n}/scale")).max() for n in names]
        change(model, f"{names[int(np.argmax(sizes))]}/int", new)

    return damaged


def dead(integers: np.ndarray) -> np.ndarray:
    integers[7] = 0
    return integers


def rescaled(model: ModelProto, node: NodeProto, scale: np.ndarray, rule: Callable) -> None:
    """Round the weights of `node` anew, in steps of `scale`, from what they stand for."""
    integers, old = (value(model, f"{node.name}/weight/{part}") for part in ("int", "scale"))
    floats = integers * old[:, None, None, None]
    new = np.clip(rule(floats / scale[:, None, None, None]), -127, 127)
    change(model, f"{node.name}/weight/int", lambda _: new)
    change(model, f"{node.name}/weight/scale", lambda _: scale)
    if f"{node.name}/bias/int" in {t.name for t in model.graph.initializer}:
        change(model, f"{node.name}/bias/int", lambda b: np.rint(b * (old / scale)))
        change(model, f"{node.name}/bias/scale", lambda s: s * (scale / old))


def per_tensor(model: ModelProto, _: Network) -> None:
    for node in layers(model):
        scale = value(model, f"{node.name}/weight/scale")
        rescaled(model, node, np.full_like(scale, scale.max()), np.rint)


def floor_weights(model: ModelProto, network: Network) -> None:
    """Round the fp32 weights down, not to nearest; of layers in copies they stay."""
    for layer in network.layers:
        name, weight = f"{layer.node}/weight", network.constants[layer.weight]
        if any(tensor.name == f"{name}/int" for tensor in model.graph.initializer):
            scale = value(model, f"{name}/scale")[:, None, None, None]
            if len(scale) == len(weight):  # a last layer may be computed in copies
                floor = np.clip(np.floor(weight / scale), -127, 127)
                change(model, f"{name}/int", lambda _, floor=floor: floor)


def kernel(model: ModelProto, taps: np.ndarray) -> None:
    """Filter the output, each channel by `taps`."""
    rows, columns = taps.shape
    pads = [rows // 2, columns // 2, rows // 2, columns // 2]
    pads[2], pads[3] = rows - 1 - pads[0], columns - 1 - pads[1]
    filters = np.repeat(taps[None, None].astype(np.float32), 3, axis=0)
    behind(model, "Conv", filters, group=3, pads=pads)


def seam(columns: slice) -> Damage:
    """Darken columns, as where tiles meet, by four levels of 255."""

    def damaged(model: ModelProto, _: Network) -> None:
        line = np.zeros((1, 1, 1, 4096), np.float32)
        line[..., columns] = -4.0
        graph = model.graph
        parts = {"line": line, "axis": np.array([3]), "zero": np.array([0])}
        graph.initializer.extend(numpy_helper.from_array(v, f"seam/{k}") for k, v in parts.items())
        behind(model, "Add")
        raw = graph.node[-1].input[0]
        graph.node[-1].input.append("seam/cut")
        sizes = helper.make_node("Shape", [raw], ["seam/width"], start=3, end=4)
        cut = ["seam/line", "seam/zero", "seam/width", "seam/axis"]
        graph.node.insert(len(graph.node) - 1, sizes)
        graph.node.insert(len(graph.node) - 1, helper.make_node("Slice", cut, ["seam/cut"]))

    return damaged


def narrow(factor: float) -> Damage:
    """Make the clip ranges of all tensors smaller."""

    def damaged(model: ModelProto, _: Network) -> None:
        for node in model.graph.node:
            if node.op_type == "QuantizeLinear":
                change(model, node.input[1], lambda s: s / np.float32(factor))

    return damaged


def shuffle(model: ModelProto, _: Network) -> None:
    for node in model.graph.node:
        if node.op_type == "DepthToSpace":
            node.attribute.remove(next(a for a in node.attribute if a.name == "mode"))
            node.attribute.append(helper.make_attribute("mode", "DCR"))


def swapped(integers: np.ndarray) -> np.ndarray:
    integers[[3, 4]] = integers[[4, 3]]
    return integers


def neighbour(model: ModelProto, _: Network) -> None:
    here, there = layers(model)[LAYER], layers(model)[LAYER + 2]
    for part in ("int", "scale"):
        other = value(model, f"{there.name}/weight/{part}").copy()
        change(model, f"{here.name}/weight/{part}", lambda _, other=other: other)


def flip(integers: np.ndarray) -> np.ndarray:
    integers.reshape(-1)[100] ^= 0x40
    return integers


def one_range(model: ModelProto, _: Network) -> None:
    """Make the clip range of one tensor a third of what it was."""
    rounding = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
    change(model, rounding[len(rounding) // 2].input[1], lambda s: s / np.float32(3))


def seven_bits(model: ModelProto, _: Network) -> None:
    behind(model, "Mul", np.float32(0.5))
    behind(model, "Round")
    behind(model, "Mul", np.float32(2))


def mirror(model: ModelProto, _: Network) -> None:
    end = np.iinfo(np.int32).min
    behind(model, "Slice", *(np.array([number]) for number in (-1, end, 3, -1)))


def floats(*values: float) -> list[np.ndarray]:
    return [np.float32(v) for v in values]


TEN: dict[str, Damage] = {
    "dead channel": weights(dead),
    "per-tensor weights": per_tensor,
    "clip at 254": lambda m, _: behind(m, "Clip", *floats(0, 254)),
    "a zeroed bias": bias(np.zeros_like),
    "floor for round": floor_weights,
    "a seam of one pixel": seam(slice(64, 65)),
    "half-pixel shift": lambda m, _: kernel(m, np.array([[0.5, 0.5]])),
    "+1 level": lambda m, _: behind(m, "Add", np.float32(1)),
    "ranges 255 times too small": narrow(255),
    "PixelShuffle order": shuffle,
}
MORE: dict[str, Damage] = {
    "two channels swapped": weights(swapped),
    "a bias doubled": bias(lambda b: 2 * b),
    "seams in tiles of 16": seam(slice(16, None, 16)),
    "quarter-pixel shift": lambda m, _: kernel(m, np.array([[0.25, 0.75]])),
    "gain 0.99": lambda m, _: behind(m, "Mul", np.float32(0.99)),
    "one layer's scale halved": lambda m, _: change(
        m, f"{layers(m)[LAYER].name}/weight/scale", lambda s: s / 2
    ),
    "clip at 1 to 254": lambda m, _: behind(m, "Clip", *floats(1, 254)),
    "floor of the output": lambda m, _: behind(m, "Floor"),
    "whole levels out": lambda m, _: behind(m, "Round"),
    "weights of another layer": neighbour,
    "ranges halved": narrow(2),
    "ranges 20 times too large": narrow(1 / 20),
    "shift down by a pixel": lambda m, _: kernel(m, np.array([[1.0], [0.0], [0.0]])),
    "-0.25 level": lambda m, _: behind(m, "Sub", np.float32(0.25)),
}
LATER: dict[str, Damage] = {
    "one flipped bit of a weight": weights(flip),
    "kernels transposed": weights(lambda w: w.transpose(0, 1, 3, 2)),
    "slight blur": lambda m, _: kernel(m, np.array([[0.03, 0.94, 0.03]])),
    "gain 1.005": lambda m, _: behind(m, "Mul", np.float32(1.005)),
    "7 bits": seven_bits,
    "red and blue swapped": lambda m, _: behind(m, "Gather", np.array([2, 1, 0]), axis=1),
    "mirrored": mirror,
    "one range 3 times too small": one_range,
    "shift of 0.1 px": lambda m, _: kernel(m, np.array([[0.1, 0.9]])),
}
"""Chosen once the detection was finished, which was not changed for them."""
