"""Runtimes that sum in unlike order, in integers or in float, give the same levels."""

import importlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sr_bench.core.backend import Artefact
from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.core.precision import Precision
from sr_bench.precision.network import Network, read_network
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.write import quantise
from tests.precision.nets import exact_clips, images

WIDE = 128  # channels: a layer's sums have 1152 terms


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """Return a network: head, body, and a tail that reads both of them, concatenated."""
    rng = np.random.default_rng(0)
    shapes = {"head": (WIDE, 3), "body": (16, WIDE), "tail": (3, 16 + WIDE)}
    tensors = [
        numpy_helper.from_array(
            rng.normal(0, 1 / np.sqrt(9 * shape[1]), (*shape, 3, 3)).astype(np.float32), name
        )
        for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node("Conv", ["x", "head"], ["h"], name="head", pads=[1] * 4),
        helper.make_node("Conv", ["h", "body"], ["b"], name="body", pads=[1] * 4),
        helper.make_node("Concat", ["b", "h"], ["c"], name="c", axis=1),
        helper.make_node("Conv", ["c", "tail"], ["y"], name="tail", pads=[1] * 4),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "h", "w"])
            for name in "xy"]  # fmt: skip
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "net.onnx")
    return read_network(tmp_path / "net.onnx")


@pytest.mark.parametrize("keep", [(), ("head",)])
@pytest.mark.parametrize("name", ["openvino", "tract"])
def test_a_file_gives_the_same_levels(
    network: Network, tmp_path: Path, name: str, keep: tuple[str, ...]
) -> None:
    pytest.importorskip(name)
    levels = np.rint(255 * images(1, 96)[0])
    image = levels.astype(np.float32) / np.float32(255)
    clip = exact_clips(network, [image]) | {"x": ClipRange(0.0, 1.0)}
    plan, kept = Int8Plan(rounding="nearest"), network.matching(keep)
    model = quantise(network, clip, integer_weights(network, {}), plan, kept, notes={})
    onnx.save(model, tmp_path / "int8.onnx")
    artefact = Artefact(tmp_path / "int8.onnx", None, Precision("int8_max"), digest="")
    given = []
    for backend in ("onnxruntime", name):
        module = importlib.import_module(f"sr_bench.backends.{backend}")
        with module.open_session(artefact) as session:
            given.append(session.run(image))
    # A level of the last layer is a hundredth of this.
    assert np.abs(np.subtract(*given)).max() < 1e-6 * np.ptp(given[0])
