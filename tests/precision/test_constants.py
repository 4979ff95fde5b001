"""Constants: what is wrong in an int8 file is named by kind, layer and channel."""

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto, helper, numpy_helper

from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.precision.constants import constant_signs
from sr_bench.precision.network import Network, read_network
from sr_bench.precision.observers import max as observer
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.write import quantise
from sr_bench.precision.statistics.calibrate import collect
from tests.precision.nets import images, residual_net


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    path = tmp_path_factory.mktemp("net") / "net.onnx"
    residual_net(path)
    return read_network(path)


@pytest.fixture(scope="module")
def observed(network: Network) -> dict[str, object]:
    (image,) = images(1, 24, 3)
    one = {"image": lambda: image}
    found = collect(
        network, one, memory_bytes=2**30, moments=False, workers=1, progress=lambda *_: None
    )
    return dict(found.histograms)


@pytest.fixture
def model(network: Network, observed: dict[str, object]) -> ModelProto:
    clip = {name: observer.clip_range(item, Int8Plan()) for name, item in observed.items()}
    assert all(isinstance(item, ClipRange) for item in clip.values())
    return quantise(network, clip, integer_weights(network, {}), Int8Plan(), (), notes={})


def _change(model: ModelProto, end: str, new: Callable[[np.ndarray], np.ndarray]) -> None:
    tensor = next(t for t in model.graph.initializer if t.name.endswith(end))
    old = numpy_helper.to_array(tensor).copy()
    tensor.CopyFrom(numpy_helper.from_array(np.asarray(new(old), old.dtype), tensor.name))


def _signs(model: ModelProto, network: Network, observed: dict[str, object]) -> list[str]:
    return list(constant_signs(model, network, observed))


def test_a_healthy_file_has_no_sign(
    model: ModelProto, network: Network, observed: dict[str, object]
) -> None:
    assert _signs(model, network, observed) == []


def _first_row(new: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda w: np.concatenate([np.broadcast_to(new(w[:1]), w[:1].shape), w[1:]])


@pytest.mark.parametrize(
    ("end", "new", "sign"),
    [
        ("/weight/int", _first_row(np.zeros_like), "channels are dead, as all their weights are 0"),
        ("/weight/int", lambda w: w[[1, 0, *range(2, len(w))]], "channels are out of order"),
        ("/weight/scale", lambda s: s / 2, "weights are scaled by a factor"),
        ("/weight/int", lambda w: np.clip(w - 1.0, -127, 127), "weights are rounded to one side"),
        ("/weight/int", lambda w: w[::-1, ::-1, ::-1], "weights are not those of fp32"),
        ("/bias/int", np.zeros_like, "the bias is missing, or 0"),
        ("/bias/int", lambda b: 2 * b, "the bias is not that of fp32"),
        ("relu/scale", lambda s: s / 255, "clip ranges are too narrow"),
        ("relu/scale", lambda s: s * 40, "clip ranges are too wide"),
    ],
)
def test_a_damage_is_named(
    model: ModelProto,
    network: Network,
    observed: dict[str, object],
    end: str,
    new: Callable[[np.ndarray], np.ndarray],
    sign: str,
) -> None:
    _change(model, end, new)
    assert _signs(model, network, observed)[0].startswith(sign)


def test_an_operator_that_is_set_otherwise_is_named(
    model: ModelProto, network: Network, observed: dict[str, object]
) -> None:
    node = next(node for node in model.graph.node if node.op_type == "Conv")
    node.attribute.append(helper.make_attribute("auto_pad", "VALID"))
    assert _signs(model, network, observed) == [
        f"Conv: {node.name} has another auto_pad than in fp32"
    ]
