"""A network cut off behind a value computes that value as the whole network does."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import ModelProto

from sr_bench.core.backend import PRECISION_KEY
from sr_bench.core.int8 import Int8Plan
from sr_bench.files.onnx_cut import cut_behind, image_values, is_rounded
from sr_bench.files.onnx_file import metadata
from sr_bench.precision.network import Network
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.write import quantise
from tests.precision.nets import exact_clips, images, residual_net, values

SHAPE = (1, 3, 24, 24)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return residual_net(tmp_path / "net.onnx")


def _int8(network: Network, *keep: str) -> ModelProto:
    clips, weights = exact_clips(network, images(2)), integer_weights(network, {})
    kept = network.matching(keep)
    return quantise(network, clips, weights, Int8Plan(rounding="nearest"), kept, notes={})


def _run(model: ModelProto, x: np.ndarray) -> np.ndarray:
    content, providers = model.SerializeToString(), ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(content, providers=providers)
    output: np.ndarray = session.run(None, {"x": x})[0]
    return output


def test_each_value_is_that_of_the_whole_network(network: Network) -> None:
    names = image_values(network.model, SHAPE)
    assert names == ("head", "body.0", "relu", "body.1", "sum", "after", "up", "wide", "y")
    (x,) = images(1)
    for name, value in values(network, x, names).items():
        if name in names:
            cut = cut_behind(network.model, name)
            np.testing.assert_allclose(_run(cut, x), value, rtol=1e-5, atol=1e-6)


def test_what_the_rest_would_read_is_read_still(network: Network) -> None:
    cut = cut_behind(network.model, "relu")
    readers = [node.op_type for node in cut.graph.node if "head" in node.input]
    assert readers == ["Conv", "ReduceMean"]
    held = {tensor.name for tensor in cut.graph.initializer}
    assert "head.weight" in held
    assert "body.1.weight" not in held


def test_of_what_is_rounded_only_what_comes_back_is_a_value(network: Network) -> None:
    names = image_values(_int8(network), SHAPE)
    assert "head/rounded" in names
    assert "relu/rounded" in names
    assert not {"head", "body.0", "relu", "head/int8", "/head/Conv/weight"} & {*names}


def test_a_part_that_rounds_nothing_does_not_say_that_it_is_int8(network: Network) -> None:
    model = _int8(network, "head")
    float_part, rounded_part = cut_behind(model, "head"), cut_behind(model, "relu/rounded")
    assert (is_rounded(float_part), is_rounded(rounded_part)) == (False, True)
    assert PRECISION_KEY not in metadata(float_part)
    assert metadata(rounded_part)[PRECISION_KEY] == "int8"
