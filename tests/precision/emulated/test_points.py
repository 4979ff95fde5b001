"""Which tensors are int8 by a device's rules, in graphs of a few nodes."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, TensorProto, helper, numpy_helper

from sr_bench.core.device import DevicePlan, Profile
from sr_bench.precision.emulated.device import emulate
from sr_bench.precision.network import Network, read_network
from tests.precision.nets import exact_clips, images


def _small(nodes: list[onnx.NodeProto], folder: Path, **constants: object) -> Network:
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, None, None]) for name in "xy"
    ]
    tensors = [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()]
    graph = helper.make_graph(nodes, "small", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "small.onnx")
    return read_network(folder / "small.onnx")


def _conv(source: str, output: str) -> onnx.NodeProto:
    return helper.make_node("Conv", [source, "w"], [output], name=output, pads=[1] * 4)


WEIGHT = np.random.default_rng(3).normal(0, 0.2, (3, 3, 3, 3)).astype(np.float32)


def _emulated(network: Network, profile: Profile) -> ModelProto:
    clips = exact_clips(network, images(1))
    thresholds = {name: max(-clip.low, clip.high) for name, clip in clips.items()}
    return emulate(network, thresholds, profile, DevicePlan(), notes={})


def _values(model: ModelProto, name: str) -> np.ndarray:
    """Return the tensor `name` for an image."""
    ours = ModelProto()
    ours.CopyFrom(model)
    ours.graph.output[0].CopyFrom(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(
        ours.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    output: np.ndarray = session.run(None, {"x": images(1)[0]})[0]
    return output


def _integer_tensors(model: ModelProto) -> set[str]:
    names = (name for node in model.graph.node for name in node.output)
    return {name.removesuffix("/int8") for name in names if name.endswith("/int8")}


def test_both_terms_of_a_last_addition_are_int8_for_tvm(tmp_path: Path) -> None:
    nodes = [_conv("x", "a"), _conv("a", "b"), helper.make_node("Add", ["b", "x"], ["y"])]
    network = _small(nodes, tmp_path, w=WEIGHT)
    assert _integer_tensors(_emulated(network, Profile.TVM)) == {"x", "a", "b"}
    assert _integer_tensors(_emulated(network, Profile.FINE)) == {"x", "a"}


def test_operators_without_a_rule_read_dequantised_values(tmp_path: Path) -> None:
    slope = np.full((3, 1, 1), 0.25, np.float32)
    nodes = [
        _conv("x", "a"),
        helper.make_node("PRelu", ["a", "slope"], ["b"], name="b"),
        _conv("b", "y"),
    ]
    network = _small(nodes, tmp_path, w=WEIGHT, slope=slope)
    tvm, fine = (_emulated(network, profile) for profile in Profile)
    assert _integer_tensors(tvm) == {"x", "a", "b"}
    assert _integer_tensors(fine) == {"x", "b"}
    sources = [n.input[0] for model in (tvm, fine) for n in model.graph.node if n.name == "b"]
    assert sources == ["a/rounded", "a"]


def test_an_output_that_only_moves_int8_values_is_fp16(tmp_path: Path) -> None:
    # Calibration looks at the tensor because of the layer behind it, of which only the size counts.
    nodes = [
        _conv("x", "a"),
        _conv("a", "idle"),
        helper.make_node("Shape", ["idle"], ["shape"], name="shape"),
        helper.make_node("Reshape", ["a", "shape"], ["y"], name="y"),
    ]
    network = _small(nodes, tmp_path, w=WEIGHT)
    thresholds = dict.fromkeys(("x", "a"), 1.5)
    model = emulate(network, thresholds, Profile.TVM, DevicePlan(), notes={})
    value = _values(model, "y")
    np.testing.assert_array_equal(value, value.astype(np.float16))
    whole = _values(model, "y/int8")
    np.testing.assert_array_equal(whole, np.rint(whole))
    assert len(np.unique(value)) <= 255
