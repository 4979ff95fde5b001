"""A network in segments computes the values of the whole one, and holds little at a time."""

import weakref
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sr_bench.precision.network import Network, read_network
from sr_bench.precision.segments import Runner, cut, memory_need
from tests.precision.nets import images, residual_net, values


@pytest.fixture
def residual(tmp_path: Path) -> Network:
    return residual_net(tmp_path / "net.onnx")


@pytest.fixture
def attention(tmp_path: Path) -> Network:
    """Return a network whose shapes are computed, with more than convolutions in it."""
    rng = np.random.default_rng(0)
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "first.weight"], ["a"], pads=[1] * 4),
        node("Shape", ["a"], ["shape"]),
        node("Gather", ["shape", "two"], ["height"]),
        node("Concat", ["start", "height", "rest"], ["folded"], axis=0),
        node("Reshape", ["a", "folded"], ["tokens"]),
        node("LayerNormalization", ["tokens", "ones", "zeros"], ["normed"], axis=-1),
        node("Transpose", ["normed"], ["turned"], perm=[0, 1, 3, 2]),
        node("MatMul", ["normed", "turned"], ["scores"]),
        node("Softmax", ["scores"], ["weights"], axis=-1),
        node("MatMul", ["weights", "tokens"], ["mixed"]),
        node("Reshape", ["mixed", "shape"], ["image"]),
        node("Resize", ["a", "", "scales"], ["large"], mode="linear"),
        node("Resize", ["image", "", "scales"], ["also_large"], mode="nearest"),
        node("Concat", ["large", "also_large"], ["both"], axis=1),
        node("Conv", ["both", "last.weight"], ["y"], pads=[1] * 4),
    ]
    constants: dict[str, object] = {
        "first.weight": rng.normal(0, 0.3, (4, 3, 3, 3)).astype(np.float32),
        "last.weight": rng.normal(0, 0.3, (3, 8, 3, 3)).astype(np.float32),
        "two": [2],
        "start": [1, 4],
        "rest": [-1],
        "ones": np.ones(12, np.float32),
        "zeros": np.zeros(12, np.float32),
        "scales": np.array([1, 1, 2, 2], np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "attention",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "h", 12])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, "2h", 24])],
        [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "attention.onnx")
    return read_network(tmp_path / "attention.onnx")


def test_a_cut_comes_after_each_observed_value(residual: Network) -> None:
    steps = cut(residual, {"head", "relu", "sum"})
    kinds = [[node.op_type for node in step.nodes] for step in steps]
    assert kinds[:3] == [["Conv"], ["Conv", "Relu"], ["Conv", "Add"]]
    assert len(steps) == 4
    assert steps[2].inputs == ("relu", "head")
    # The skip is held until the sum is made, and no longer.
    assert [step.dead for step in steps] == [("x",), (), ("relu", "head"), ("sum",)]


@pytest.mark.parametrize("every", [True, False])
def test_segments_compute_the_values_of_the_whole(attention: Network, every: bool) -> None:
    names = [out for node in attention.model.graph.node for out in node.output]
    observed = set(names) if every else {"a", "height", "weights"}
    floats = {name for name, kind in attention.types.items() if kind == TensorProto.FLOAT}
    wanted = tuple(name for name in names if name in observed & floats | {"y"})
    runner = Runner(attention, cut(attention, observed))
    for height in (5, 9):
        x = np.random.default_rng(height).random((1, 3, height, 12), dtype=np.float32)
        outputs = {name: value for part in runner.run(x) for name, value in part.items()}
        oracle = values(attention, x, wanted)
        for name in wanted:
            np.testing.assert_allclose(outputs[name], oracle[name], rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(outputs["height"], [height])
        assert outputs["x"] is x


def test_a_value_is_freed_when_nothing_reads_it_any_more(residual: Network) -> None:
    names = {out for node in residual.model.graph.node for out in node.output}
    steps = cut(residual, names)
    held: set[str] = {residual.input}
    for step in steps:
        assert set(step.inputs) <= held
        held |= set(step.outputs)
        held -= set(step.dead)
        later = {name for other in steps[steps.index(step) + 1 :] for name in other.inputs}
        assert held - {residual.output} <= later
    assert held == {residual.output}


def test_a_runner_holds_no_value_that_nothing_reads_any_more(residual: Network) -> None:
    (x,) = images(1)
    runner = Runner(residual, cut(residual, {"head", "relu", "sum"}))
    held: dict[str, weakref.ref[np.ndarray]] = {}
    alive: list[set[str]] = []
    for part in runner.run(x):
        held.update((name, weakref.ref(value)) for name, value in part.items())
        del part
        alive.append({name for name, value in held.items() if value() is not None} - {"x"})
    # Seen when a segment has run, before what it read is let go.
    assert alive == [set(), {"head"}, {"head", "relu"}, {"head", "relu", "sum"}, {"sum", "y"}]


def test_two_runs_give_the_same_bits_wherever_the_memory_lies(residual: Network) -> None:
    segments = cut(residual, {"head", "relu", "after"})
    (x,) = images(1, 40)
    first, second = (list(Runner(residual, segments).run(x)) for _ in range(2))
    for first_output, other in zip(first, second, strict=True):
        for name, value in first_output.items():
            np.testing.assert_array_equal(value, other[name])


def test_closing_a_runner_does_not_stop_another_one(residual: Network) -> None:
    first, second = (Runner(residual, cut(residual, {"head"})) for _ in range(2))
    (x,) = images(1)
    (*_, before) = first.run(x)
    first.close()
    (*_, after) = second.run(x)
    np.testing.assert_array_equal(before["y"], after["y"])
    assert len(list(first.run(x))) == 1  # nothing but the image is left


def test_the_memory_that_a_network_needs_is_that_of_what_it_holds(residual: Network) -> None:
    need = memory_need(residual, cut(residual, {"up"}), (1, 3, 10, 20))
    wide = 8 * 10 * 20 * 4
    # 'up' and 'wide', of 32 channels each, are the largest values that are held together.
    assert need.plain == 4 * wide + 4 * wide
    # One segment makes 'up' from 'x', another the output from 'up'; each copies what it reads
    # and gives. The output is of 3 channels, twice as high and as wide.
    x, y = 3 * 200 * 4, 3 * 800 * 4
    assert need.observed == max(2 * (4 * wide + y), 2 * (4 * wide + x), 8 * wide + 4 * wide)


def test_memory_grows_with_the_image_and_not_with_more_cuts(residual: Network) -> None:
    names = [out for node in residual.model.graph.node for out in node.output]
    segments = cut(residual, names)
    needs = [memory_need(residual, segments, (1, 3, size, size)) for size in (16, 32, 64)]
    for small, large in pairwise(needs):
        assert large.plain == 4 * small.plain
        assert large.observed == 4 * small.observed


def test_unknown_sizes_count_as_the_largest(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Shape", ["a"], ["shape"]),
        helper.make_node("Cast", ["shape"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Abs", ["real"], ["same"]),
        helper.make_node("Cast", ["same"], ["size"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["a", "size"], ["y"]),  # onnx can't tell its size
    ]
    graph = helper.make_graph(
        nodes,
        "unknown",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(np.ones((5, 1, 1, 1), np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "unknown.onnx")
    network = read_network(tmp_path / "unknown.onnx")
    need = memory_need(network, cut(network, {"a"}), (1, 1, 10, 20))
    assert need.plain >= 2 * 5 * 200 * 4  # 'a' and 'y'
