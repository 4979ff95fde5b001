"""ONNX graphs in torch: geometry from shapes, memory, threads, and what is refused on opening."""

import weakref
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from sr_bench.backends.torch.graph import Graph
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, NotRunError
from tests.backends.graphs import by_onnxruntime, by_torch, model, node, opened, saved


def _image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def _doubled_by_shapes() -> onnx.ModelProto:
    """Double the size as exporters write it: shape, gather, arithmetic, concat, resize."""
    return model(
        [
            node("Constant", [], "two", value_int=2),
            node("Constant", [], "first", value_ints=[2]),
            node("Constant", [], "third", value_ints=[3]),
            node("Shape", ["x"], "shape"),
            node("Gather", ["shape", "first"], "h"),
            node("Gather", ["shape", "third"], "w"),
            node("Mul", ["h", "two"], "h2"),
            node("Mul", ["w", "two"], "w2"),
            node("Slice", ["shape", "zero", "first"], "nc"),
            node("Concat", ["nc", "h2", "w2"], "sizes", axis=0),
            node("Resize", ["x", "", "", "sizes"], "larger", mode="linear"),
            node("Shape", ["larger"], "found"),
            node("Cast", ["found"], "floats", to=TensorProto.FLOAT),
            node("ReduceMean", ["floats"], "mean", keepdims=0),
            node("Div", ["larger", "mean"], "y"),
        ],
        {"zero": np.array([0], np.int64)},
    )


@pytest.mark.parametrize("size", [(3, 5), (8, 4)])
def test_sizes_are_computed_from_the_input(size: tuple[int, int], tmp_path: Path) -> None:
    network, x = _doubled_by_shapes(), _image(2, 3, *size)
    found = by_torch(network, x, tmp_path)
    assert found.shape == (2, 3, 2 * size[0], 2 * size[1])
    np.testing.assert_allclose(found, by_onnxruntime(network, x), rtol=1e-5)


def test_local_functions_are_inlined(tmp_path: Path) -> None:
    opset = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    body = [helper.make_node("Mul", ["a", "a"], ["b"])]
    square = helper.make_function("mine", "Square", ["a"], ["b"], body, opset[:1])
    network = model([helper.make_node("Square", ["x"], ["y"], domain="mine")], {})
    network.functions.append(square)
    network.opset_import.append(opset[1])
    x = _image(1, 3, 4, 4)
    np.testing.assert_array_equal(by_torch(network, x, tmp_path), x * x)


def test_constants_in_a_file_of_their_own_are_read(tmp_path: Path) -> None:
    weight = _image(3, 3, 1, 1)
    network = model([node("Conv", ["x", "w"], "y")], {"w": weight})
    path = tmp_path / "net.onnx"
    onnx.save(network, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    assert (tmp_path / "w.bin").is_file()
    x = _image(1, 3, 4, 4)
    found = Graph(path, Precision.FP32, torch.device("cpu"))(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, np.einsum("nchw,dc->ndhw", x, weight[..., 0, 0]), rtol=1e-5)


class _Alive(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Count the largest number of results that are alive at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._known: list[weakref.ref[Tensor]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self._known = [ref for ref in self._known if ref() is not None]
        self._known.append(weakref.ref(result))
        self.peak = max(self.peak, len(self._known))
        return result


def test_values_are_freed_as_soon_as_nobody_reads_them(tmp_path: Path) -> None:
    names = ["x", *(f"v{i}" for i in range(20))]
    chain = [node("Neg", [a], b) for a, b in pairwise(names)]
    skip = node("Add", ["v3", "v19"], "sum")
    graph = opened(model([*chain, skip, node("Abs", ["sum"], "y")], {}), tmp_path)
    x = torch.zeros(1, 1, 2, 2)
    with _Alive() as alive:
        graph(x)
    assert alive.peak == 3  # v3, an operator's input and its output


@pytest.mark.parametrize("whole", ["x", "constant"])
def test_an_output_that_is_left_out_is_no_input_of_others(whole: str, tmp_path: Path) -> None:
    split = helper.make_node("Split", [whole], ["part", ""], axis=1)
    clip = node("Clip", ["part", "", "high"], "clipped")
    network = model(
        [split, clip, node("Add", ["clipped", "x"], "y")],
        {"high": np.float32(0), "constant": np.array([[[[-3.0]], [[-1.0]]]], np.float32)},
    )
    x = np.array([[[[-2.0]], [[-1.0]]]], np.float32)
    first = -2 if whole == "x" else -3
    np.testing.assert_array_equal(by_torch(network, x, tmp_path), x + first)


def test_what_the_output_does_not_need_is_not_computed(tmp_path: Path) -> None:
    idle = node("Reshape", ["x", "impossible"], "unused")
    network = model([idle, node("Neg", ["x"], "y")], {"impossible": np.array([7], np.int64)})
    assert by_torch(network, _image(1, 1, 2, 2), tmp_path).shape == (1, 1, 2, 2)


def test_what_depends_on_constants_alone_is_computed_once(tmp_path: Path) -> None:
    nodes = [node("Exp", ["w"], "e"), node("Sqrt", ["e"], "s"), node("Mul", ["x", "s"], "y")]
    graph = opened(model(nodes, {"w": np.float32(2)}), tmp_path)
    x = torch.ones(1, 1, 1, 1)
    with _Alive() as alive:
        result = graph(x)
    assert alive.peak == 1
    assert result.item() == pytest.approx(np.e)


def test_threads_do_not_disturb_each_other(tmp_path: Path) -> None:
    graph = opened(_doubled_by_shapes(), tmp_path)
    inputs = [torch.from_numpy(_image(1, 3, 4 + i, 9)) for i in range(8)]
    alone = [graph(x) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(graph, inputs))
    assert all(torch.equal(one, two) for one, two in zip(alone, together, strict=True))


def test_all_faults_are_listed_once_with_the_way_out(tmp_path: Path) -> None:
    nodes = [
        node("Sinh", ["x"], "a"),
        node("Sinh", ["a"], "b"),
        helper.make_node("FusedConv", ["b"], ["c"], domain="com.microsoft"),
        node("If", ["yes"], "y", then_branch=_constant_branch(), else_branch=_constant_branch()),
    ]
    network = model(nodes, {"yes": np.array(True)})
    network.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    with pytest.raises(NotRunError, match=r"use --backend=onnxruntime$") as caught:
        opened(network, tmp_path)
    faults = str(caught.value).partition("net.onnx: ")[2].split("; ")
    assert faults[:-1] == [
        "node 'a_node' (Sinh): the operator Sinh is not supported",
        "node 'c' (com.microsoft.FusedConv): the operator com.microsoft.FusedConv is not supported",
        "node 'y_node' (If): the operator If is not supported",
    ]


def _constant_branch() -> onnx.GraphProto:
    out = helper.make_tensor_value_info("z", TensorProto.FLOAT, [1])
    return helper.make_graph([node("Constant", [], "z", value_floats=[1.0])], "one", [], [out])


def test_an_operator_that_does_not_take_its_input_is_named(tmp_path: Path) -> None:
    nodes = [node("Conv", ["x", "w"], "y")]
    graph = opened(model(nodes, {"w": _image(2, 3, 1, 1)}), tmp_path)
    with pytest.raises(BackendError, match=r"node 'y_node' \(Conv\): .*channels"):
        graph(torch.zeros(1, 4, 2, 2))


@pytest.mark.parametrize("shape", [(1, 1, 2, 2), (1, 3, 2, 4), (3, 2, 2)])
def test_an_input_of_another_shape_than_declared_is_refused(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    network = model([node("Add", ["x", "w"], "y")], {"w": np.zeros((3, 1, 1), np.float32)})
    dims = network.graph.input[0].type.tensor_type.shape.dim
    dims[1].dim_value, dims[3].dim_value = 3, 2
    graph = opened(network, tmp_path)
    graph(torch.zeros(5, 3, 4, 2))
    with pytest.raises(BackendError, match=r"expected an input of any x 3 x any x 2"):
        graph(torch.zeros(shape))


def test_constants_that_do_not_fit_are_found_when_the_file_is_opened(tmp_path: Path) -> None:
    constants = {"a": np.zeros(2, np.float32), "b": np.zeros(3, np.float32)}
    nodes = [node("Add", ["a", "b"], "c"), node("Add", ["x", "c"], "y")]
    with pytest.raises(BackendError, match=r"can't open .*net\.onnx: node 'c_node' \(Add\)"):
        opened(model(nodes, constants), tmp_path)


def test_a_type_that_torch_lacks_is_named(tmp_path: Path) -> None:
    network = model([node("Cast", ["w"], "c", to=1), node("Mul", ["x", "c"], "y")], {}, opset=21)
    network.graph.initializer.append(helper.make_tensor("w", TensorProto.BFLOAT16, [1], [1.0]))
    with pytest.raises(NotRunError, match=r"the constant 'w' is of type BFLOAT16"):
        opened(network, tmp_path)


def test_an_old_opset_is_refused(tmp_path: Path) -> None:
    network = model([node("Relu", ["x"], "y")], {}, opset=10)
    with pytest.raises(BackendError, match=r"net\.onnx: expected opset 11 or later, got 10"):
        opened(network, tmp_path)


def test_an_input_of_another_type_is_refused(tmp_path: Path) -> None:
    network = model([node("Relu", ["x"], "y")], {}, kind=TensorProto.FLOAT16)
    network.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    with pytest.raises(BackendError, match=r"expected a float32 input, it is FLOAT16"):
        opened(network, tmp_path)


def test_a_graph_of_two_outputs_is_refused(tmp_path: Path) -> None:
    network = model([node("Relu", ["x"], "y"), node("Neg", ["x"], "z")], {})
    network.graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n"]))
    with pytest.raises(BackendError, match=r"one input and one output in .*; it has 1 and 2"):
        opened(network, tmp_path)


@pytest.mark.parametrize("precision", [Precision.FP16, Precision("int8_kl")])
def test_a_file_made_for_another_precision_is_refused(precision: Precision, tmp_path: Path) -> None:
    path = saved(model([node("Relu", ["x"], "y")], {}), tmp_path)
    with pytest.raises(BackendError, match=rf"made for {precision.dtype}, but .* is fp32"):
        Graph(path, precision, torch.device("cpu"))
