"""Plain onnxruntime runs in integers what the file says is in int8, whatever stands around it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from sr_bench.core.int8 import Int8Plan
from sr_bench.precision.macs import run_in_integers
from sr_bench.precision.network import Network, read_network
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.write import int8_share, quantise
from tests.precision.nets import exact_clips, images

WIDE = 24


def _node(op: str, inputs: str, output: str, **attributes: object) -> NodeProto:
    return helper.make_node(op, inputs.split(), [output], name=output, **attributes)


def _conv(source: str, output: str, weight: str = "w", **attributes: object) -> NodeProto:
    edge = {"pads": [1] * 4} if weight in ("w", "head", "tail", "g", "up") else {}
    return _node("Conv", f"{source} {weight}", output, **edge | attributes)


def _middle(*nodes: NodeProto) -> Sequence[NodeProto]:
    return [_conv("x", "a", "head"), *nodes, _conv("z", "y", "tail")]


KINDS = {
    "relu": _middle(_conv("a", "b"), _node("Relu", "b", "c"), _conv("c", "z")),
    "leaky relu": _middle(_node("LeakyRelu", "a", "b", alpha=0.1), _conv("b", "z")),
    "prelu": _middle(_node("PRelu", "a slope", "b"), _conv("b", "z")),
    "clip": _middle(_node("Clip", "a zero six", "b"), _conv("b", "z")),
    "silu": _middle(_node("Sigmoid", "a", "s"), _node("Mul", "a s", "b"), _conv("b", "z")),
    "sum": _middle(_conv("a", "b"), _node("Add", "b a", "c"), _conv("c", "z")),
    "scaled sum": _middle(
        _conv("a", "b"), _node("Mul", "b fifth", "c"), _node("Add", "c a", "d"), _conv("d", "z")
    ),
    "scaled trunk": _middle(
        _conv("a", "b"),
        _node("Add", "b a", "c"),
        _node("Mul", "c fifth", "d"),
        _node("Add", "d a", "e"),
        _conv("e", "z"),
    ),
    "last sum": [_conv("x", "a", "head"), _conv("a", "b", "tail"), _node("Add", "b x", "y")],
    "concat": _middle(
        _conv("a", "b"), _node("Concat", "a b", "c", axis=1), _conv("c", "z", "both")
    ),
    "groups": _middle(_conv("a", "z", "g", group=4)),
    "attention": _middle(
        _node("GlobalAveragePool", "a", "p"),
        _conv("p", "q", "squeeze"),
        _node("Relu", "q", "r"),
        _conv("r", "s", "excite"),
        _node("Sigmoid", "s", "t"),
        _node("Mul", "a t", "z"),
    ),
    "transposed": _middle(_node("ConvTranspose", "a t2", "z", strides=[2, 2])),
    "shuffle at the end": [
        _conv("x", "a", "head"),
        _conv("a", "b", "up"),
        _node("DepthToSpace", "b", "y", blocksize=2, mode="CRD"),
    ],
}


@pytest.fixture(params=KINDS)
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Network:
    rng = np.random.default_rng(1)
    shapes = {
        "head": (WIDE, 3, 3, 3),
        "w": (WIDE, WIDE, 3, 3),
        "g": (WIDE, WIDE // 4, 3, 3),
        "both": (WIDE, 2 * WIDE, 1, 1),
        "squeeze": (4, WIDE, 1, 1),
        "excite": (WIDE, 4, 1, 1),
        "t2": (WIDE, WIDE, 2, 2),
        "up": (12, WIDE, 3, 3),
        "tail": (3, WIDE, 3, 3),
    }
    arrays = {
        name: rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32)
        for name, shape in shapes.items()
    }
    arrays["slope"] = np.full((WIDE, 1, 1), 0.2, np.float32)
    for name, value in {"zero": 0, "six": 6, "fifth": 0.2}.items():
        arrays[name] = np.array(value, np.float32)
    nodes = KINDS[request.param]
    read = {name for node in nodes for name in node.input}
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, None, None])
            for name in "xy"]  # fmt: skip
    constants = [numpy_helper.from_array(v, name) for name, v in arrays.items() if name in read]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "net.onnx")
    return read_network(tmp_path / "net.onnx")


def _optimised(model: onnx.ModelProto, path: Path) -> onnx.GraphProto:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return onnx.load(path).graph


@pytest.mark.parametrize("skips", ["float", "int8"])
def test_every_int8_layer_is_one_integer_kernel(
    network: Network, skips: str, tmp_path: Path
) -> None:
    plan = Int8Plan(rounding="nearest", skips=skips)
    clip = exact_clips(network, images(1))
    model = quantise(network, clip, integer_weights(network, {}), plan, (), notes={})
    graph = _optimised(model, tmp_path / "optimised.onnx")
    kernels = [node.op_type for node in graph.node]
    assert kernels.count("QLinearConv") == len(network.layers), kernels
    shares = {layer.node: layer.share for layer in network.layers}
    assert run_in_integers(model, shares) == pytest.approx(int8_share(network, ()))
    full, low = (
        onnxruntime.InferenceSession(
            whole.SerializeToString(), providers=["CPUExecutionProvider"]
        ).run(None, {"x": images(1)[0]})[0]
        for whole in (network.model, model)
    )
    assert 10 * np.log10(np.ptp(full) ** 2 / np.square(full - low).mean()) > 30


@pytest.mark.parametrize("network", ["scaled trunk"], indirect=True)
def test_a_scaled_sum_is_made_whole_before_it_is_added(network: Network) -> None:
    clip, plan = exact_clips(network, images(1)), Int8Plan(rounding="nearest")
    model = quantise(network, clip, integer_weights(network, {}), plan, (), notes={})
    nodes = {output: node for node in model.graph.node for output in node.output}
    (scaled,) = (node for node in model.graph.node if "fifth" in node.input)
    whole = nodes[nodes["d"].input[0]]  # behind it the unit is multiplied in again
    assert whole.op_type == "Round"
    assert nodes[whole.input[0]].input[0] == scaled.output[0]


@pytest.mark.parametrize("network", ["relu", "concat", "groups", "transposed"], indirect=True)
def test_onnxruntime_rounds_no_weights_of_what_stays_in_float(
    network: Network, tmp_path: Path
) -> None:
    kept = [layer for layer in network.layers if layer.weight not in ("head", "tail")][-1:]
    clip, plan = exact_clips(network, images(1)), Int8Plan(rounding="nearest")
    model = quantise(network, clip, integer_weights(network, {}), plan, kept, notes={})
    levels = onnxruntime.GraphOptimizationLevel
    given = []
    for level in (levels.ORT_DISABLE_ALL, levels.ORT_ENABLE_BASIC):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        given += session.run(None, {"x": images(1)[0]})
    np.testing.assert_allclose(*given, atol=1e-5)
    kernels = [node.op_type for node in _optimised(model, tmp_path / "optimised.onnx").node]
    assert kernels.count("QLinearConv") == len(network.layers) - len(kept)
