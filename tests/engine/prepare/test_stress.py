"""Images that stress a network may make its steps coarser only where it does badly on them."""

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from sr_bench.core.int8 import ClipRange
from sr_bench.engine.prepare.stress import stress_weight
from sr_bench.precision.acceptance import STRESS_WEIGHT
from sr_bench.precision.network import read_network
from sr_bench.precision.tiles import ANY_SIZE


def _model(gain: float, most: float) -> ModelProto:
    """Return a network that multiplies by `gain` and clips at `most`."""
    constants = {"w": np.full((1, 1, 1, 1), gain, np.float32), "low": np.float32(0)}
    constants |= {"high": np.float32(most)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="c"),
        helper.make_node("Clip", ["c", "low", "high"], ["y"], name="y"),
    ]
    shape = [1, 1, "h", "w"]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy"]
    stored = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _images() -> Any:
    flat = {"photo": 0.4, "page": 1.0}
    return SimpleNamespace(
        names=tuple(flat),
        stress=frozenset({"page"}),
        inputs=lambda: [partial(np.full, (1, 1, 20, 20), v, np.float32) for v in flat.values()],
        input_range=ClipRange(0.0, 1.0),
        card=SimpleNamespace(input=ANY_SIZE),
    )


# By the gain both images lose alike; what lies beyond `most`, only the page loses.
@pytest.mark.parametrize(("most", "weight"), [(1.0, 0.0), (0.98, 0.0), (0.8, STRESS_WEIGHT)])
def test_steps_become_coarser_only_where_drawn_images_fall_far_behind(
    tmp_path: Path, most: float, weight: float
) -> None:
    onnx.save(_model(1.0, 1.0), tmp_path / "net.onnx")
    network = read_network(tmp_path / "net.onnx")
    assert stress_weight(network, _model(0.97, most), _images()) == weight
