"""Layers in float that read the image give the same bits in any order of their sums."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sr_bench.core.int8 import ClipRange
from sr_bench.precision.network import Network, read_network
from sr_bench.precision.qdq.whole import Whole, units_of, whole_nodes
from tests.precision.nets import residual_net

MIX = np.array([[1.1, 0.02, 0.0], [0.01, 0.9, -0.03], [0.0, 0.05, 1.0]])
MEAN = np.array([-0.4488, -0.4371, -0.404])


@pytest.fixture
def shifted(tmp_path: Path) -> Network:
    """Return a network whose first layer shifts colours before a 3x3 one; the third is a tail."""
    rng = np.random.default_rng(0)
    constants = {
        "shift.weight": MIX[:, :, np.newaxis, np.newaxis],
        "shift.bias": MEAN,
        "head.weight": rng.normal(0, 0.2, (8, 3, 3, 3)),
        "tail.weight": rng.normal(0, 0.2, (3, 8, 3, 3)),
    }
    nodes = [
        helper.make_node("Conv", ["x", "shift.weight", "shift.bias"], ["s"], name="shift"),
        helper.make_node("Conv", ["s", "head.weight"], ["h"], name="head", pads=[1] * 4),
        helper.make_node("Conv", ["h", "tail.weight"], ["y"], name="tail", pads=[1] * 4),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "h", "w"])
            for name in "xy"]  # fmt: skip
    tensors = [numpy_helper.from_array(v.astype(np.float32), k) for k, v in constants.items()]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "net.onnx")
    return read_network(tmp_path / "net.onnx")


def _sums(layer: Whole, patches: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Return float32 sums of products over `patches`, shape (n, k), one after the other."""
    rows = layer.weight.reshape(len(layer.weight), -1)
    total = np.broadcast_to(layer.bias, (len(patches), len(rows))).copy()
    for k in np.random.default_rng(seed).permutation(rows.shape[1]):
        total += patches[:, k, np.newaxis] * rows[:, k]
    return total


def _patches(low: int = 0) -> NDArray[np.float32]:
    levels = np.random.default_rng(3).integers(low, 256, (500, 27))
    return (levels * 256).astype(np.float32)


@pytest.mark.parametrize("white", [1.0, 255.0])
def test_sums_over_the_image_are_the_same_in_any_order(tmp_path: Path, white: float) -> None:
    network = residual_net(tmp_path / "net.onnx")
    kept = network.matching(["head"])
    layer = whole_nodes(network, kept, ClipRange(0.0, white))["/head/Conv"]
    patches = _patches()
    first = _sums(layer, patches, 0)
    assert all((_sums(layer, patches, seed) == first).all() for seed in range(1, 6))
    weight = network.constants["head.weight"].reshape(8, -1).astype(np.float64)
    exact = patches / units_of(ClipRange(0.0, white)) @ weight.T + network.constants["head.bias"]
    assert np.abs(first - exact).max() < 3e-4 * np.ptp(exact)


def test_a_shift_of_colours_becomes_one_by_whole_levels(shifted: Network) -> None:
    image = ClipRange(0.0, 1.0)
    found = whole_nodes(shifted, shifted.matching(["shift", "head"]), image)
    assert found["shift"].weight is None
    assert not (found["shift"].bias % 256).any()
    patches = _patches()
    moved = patches + np.repeat(found["shift"].bias, 9)
    first = _sums(found["head"], moved, 0)
    assert all((_sums(found["head"], moved, seed) == first).all() for seed in range(1, 6))
    colours = patches.reshape(-1, 3, 9) / units_of(image)
    mixed = np.einsum("ij,njk->nik", MIX, colours) + MEAN[:, np.newaxis]
    exact = mixed.reshape(-1, 27) @ shifted.constants["head.weight"].reshape(8, -1).T
    assert np.abs(first - exact).max() < 3e-4 * np.ptp(exact)


def test_a_mean_and_a_factor_shift_colours_too(tmp_path: Path) -> None:
    network = residual_net(tmp_path / "net.onnx")
    model = onnx.ModelProto()
    model.CopyFrom(network.model)
    model.graph.node[0].input[0] = "f"
    for name, value in {"mean": MEAN.reshape(1, 3, 1, 1), "white": np.array(255.0)}.items():
        model.graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), name))
    model.graph.node.insert(0, helper.make_node("Add", ["x", "mean"], ["m"]))
    model.graph.node.insert(1, helper.make_node("Mul", ["m", "white"], ["f"]))
    onnx.save(model, tmp_path / "mean.onnx")
    network = read_network(tmp_path / "mean.onnx")
    image = ClipRange(0.0, 1.0)
    found = whole_nodes(network, network.matching(["head"]), image)
    shifts = [whole.bias for whole in found.values() if whole.weight is None]
    np.testing.assert_array_equal(shifts, [np.rint(MEAN * 255) * 256, np.zeros(3)])
    patches = _patches()
    first = _sums(found["/head/Conv"], patches + np.repeat(shifts[0], 9), 0)
    weight = network.constants["head.weight"].reshape(8, -1).astype(np.float64)
    exact = 255 * (patches / units_of(image) + np.repeat(MEAN, 9)) @ weight.T
    exact += network.constants["head.bias"]
    assert np.abs(first - exact).max() < 3e-4 * np.ptp(exact)
    assert not whole_nodes(network, (), image)  # an int8 layer reads what is shifted


def test_none_is_changed_that_reads_no_image_of_levels(shifted: Network) -> None:
    image = ClipRange(0.0, 1.0)
    assert not whole_nodes(shifted, shifted.matching(["head"]), image)  # the shift is int8
    assert not whole_nodes(shifted, shifted.matching(["shift"]), ClipRange(-1.0, 1.0))
    assert not whole_nodes(shifted, shifted.matching(["shift"]), None)
    assert [*whole_nodes(shifted, shifted.matching(["shift"]), image)] == ["shift"]
