"""Small ONNX networks with every part of super-resolution networks."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sr_bench.core.int8 import ClipRange
from sr_bench.precision.network import Network, read_network

CHANNELS = 8


def residual_net(path: Path, *, opset: int = 17, seed: int = 0) -> Network:
    """Write and read a network: head, a residual block, a skip over it, PixelShuffle, tail.

    Layers: ``head``, ``body.0``, ``body.1``, ``up``, ``tail``; input 1 x 3 x H x W, scale 2.
    """
    rng = np.random.default_rng(seed)
    constants: list[TensorProto] = []

    def conv(name: str, source: str, outputs: int, inputs: int) -> onnx.NodeProto:
        weight = rng.normal(0, 1 / np.sqrt(9 * inputs), (outputs, inputs, 3, 3))
        constants.append(numpy_helper.from_array(weight.astype(np.float32), f"{name}.weight"))
        bias = rng.normal(0, 0.1, outputs).astype(np.float32)
        constants.append(numpy_helper.from_array(bias, f"{name}.bias"))
        inputs_ = [source, f"{name}.weight", f"{name}.bias"]
        return helper.make_node("Conv", inputs_, [name], name=f"/{name}/Conv", pads=[1] * 4)

    wide = CHANNELS
    nodes = [
        conv("head", "x", wide, 3),
        conv("body.0", "head", wide, wide),
        helper.make_node("Relu", ["body.0"], ["relu"], name="relu"),
        conv("body.1", "relu", wide, wide),
        helper.make_node("Add", ["body.1", "head"], ["sum"], name="sum"),
        helper.make_node("Relu", ["sum"], ["after"], name="after"),
        conv("up", "after", 4 * wide, wide),
        helper.make_node("DepthToSpace", ["up"], ["wide"], name="wide", blocksize=2, mode="CRD"),
        conv("tail", "wide", 3, wide),
    ]
    nodes[-1].output[0] = "y"
    graph = helper.make_graph(
        nodes,
        "residual",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, "2h", "2w"])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.save(model, path)
    return read_network(path)


def images(count: int, size: int = 24, seed: int = 1) -> list[np.ndarray]:
    """Return `count` smooth images, float32 1 x 3 x size x size, 0 to 1."""
    rng = np.random.default_rng(seed)
    waves = [rng.uniform(0, 1, (1, 3, size, size)).cumsum(2).cumsum(3) for _ in range(count)]
    return [(np.sin(wave / 8) / 2 + 0.5).astype(np.float32) for wave in waves]


def values(network: Network, x: np.ndarray, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return the tensors `names` of the network for the input `x`, by onnxruntime."""
    import onnxruntime

    model = onnx.ModelProto()
    model.CopyFrom(network.model)
    del model.graph.output[:]
    inner = [name for name in names if name != network.input]
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in inner
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    outputs = dict(zip(inner, session.run(None, {network.input: x}), strict=True))
    return outputs | {network.input: x}


def exact_clips(network: Network, xs: list[np.ndarray]) -> dict[str, ClipRange]:
    """Return the smallest and largest value of every tensor, 0 among them."""
    names = (network.input, *(out for node in network.model.graph.node for out in node.output))
    every = [values(network, x, names) for x in xs]
    return {
        name: ClipRange(
            min(0.0, *(float(outputs[name].min()) for outputs in every)),
            max(0.0, *(float(outputs[name].max()) for outputs in every)),
        )
        for name in names
    }
