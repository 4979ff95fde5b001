"""What follows from the image's size is computed: shapes behind it, and the branch taken."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

from sr_bench.cost import onnx_sizes
from sr_bench.cost.module import count_module
from sr_bench.cost.onnx_graph import count_onnx
from sr_bench.errors import BackendError


class Gated(nn.Module):
    """Halves of the channels multiply each other, windows are a fourth of the image."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.mix = nn.Conv2d(3, 8, 1), nn.Linear(4, 4)
        self.pool, self.last = nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        left, right = self.wide(x).chunk(2, 1)
        y = left * right
        n, channels, height, width = y.shape
        y = y.view(n, channels, 2, height // 2, 2, width // 2).permute(0, 2, 4, 3, 5, 1)
        y = self.mix(y.reshape(-1, height * width // 4, channels)).view(n, height, width, channels)
        y = y.permute(0, 3, 1, 2)
        return self.last(y * self.pool(y))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("opset", [11, 17])
def test_a_network_that_computes_with_its_image_s_size_is_counted(
    opset: int, tmp_path: Path
) -> None:
    module = Gated().eval()
    torch.onnx.export(
        module,
        (torch.rand(1, 3, 8, 8),),
        tmp_path / "net.onnx",
        opset_version=opset,
        dynamo=False,
        do_constant_folding=False,
        input_names=["x"],
        dynamic_axes={"x": {0: "n", 2: "h", 3: "w"}},
    )
    assert count_onnx(tmp_path / "net.onnx", (3, 12, 20)) == count_module(module, (3, 12, 20))


def _forked(condition: str, before: list[onnx.NodeProto]) -> onnx.ModelProto:
    """Return a network of which an If takes a layer of 1 or of 3 pixels."""
    branches = {
        f"{name}_branch": helper.make_graph(
            [helper.make_node("Conv", ["x", name], [f"{name}_y"], pads=[size // 2] * 4)],
            name,
            [],
            [helper.make_tensor_value_info(f"{name}_y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(np.ones((3, 3, size, size), np.float32), name)],
        )
        for name, size in (("then", 1), ("else", 3))
    }
    graph = helper.make_graph(
        [*before, helper.make_node("If", [condition], ["y"], name="fork", **branches)],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [
            numpy_helper.from_array(np.array(value), name)
            for name, value in {"no": False, "at": 2, "eight": 8}.items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_the_branch_that_a_constant_chooses_is_counted() -> None:
    count = count_onnx(_forked("no", []), (3, 4, 4))
    assert (count.params, count.conv_macs) == (81, 81 * 16)


@pytest.mark.parametrize(("height", "params"), [(8, 9), (4, 81)])
def test_the_branch_that_the_size_chooses_is_counted(height: int, params: int) -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["size"]),
        helper.make_node("Gather", ["size", "at"], ["height"]),
        helper.make_node("Equal", ["height", "eight"], ["is_eight"]),
    ]
    assert count_onnx(_forked("is_eight", nodes), (3, height, 4)).params == params


def test_a_branch_that_the_image_chooses_is_refused_by_name() -> None:
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], keepdims=0),
        helper.make_node("Cast", ["mean"], ["bright"], to=TensorProto.BOOL),
    ]
    with pytest.raises(BackendError, match=r"can't count If \(node 'fork'\)"):
        count_onnx(_forked("bright", nodes), (3, 4, 4))


@pytest.mark.parametrize(("size", "computed"), [(3, True), (1 << 40, False)])
def test_a_constant_is_filled_unless_it_takes_terabytes(
    size: int, computed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluator(model: onnx.ModelProto) -> ReferenceEvaluator:
        ran.append(model.graph.node[0].op_type)
        return ReferenceEvaluator(model)

    ran: list[str] = []
    monkeypatch.setattr(onnx_sizes, "ReferenceEvaluator", evaluator)
    nodes = [helper.make_node("ConstantOfShape", ["many"], ["zeros"])]
    nodes += [helper.make_node("ReduceMax", ["zeros"], ["most"], keepdims=0)]
    nodes += [helper.make_node("Cast", ["most"], ["chosen"], to=TensorProto.BOOL)]
    model = _forked("chosen", nodes)
    model.graph.initializer.append(numpy_helper.from_array(np.array([size]), "many"))
    if computed:
        assert count_onnx(model, (3, 4, 4)).params == 81
    else:
        with pytest.raises(BackendError, match=r"can't count If"):
            count_onnx(model, (3, 4, 4))
    assert ("ConstantOfShape" in ran) is computed


def test_a_shape_in_an_external_file_is_read(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Reshape", ["x", "flat"], ["rows"]),
        helper.make_node("MatMul", ["rows", "w"], ["y"]),
    ]
    constants = {"flat": np.array([-1, 48]), "w": np.ones((48, 5), np.float32)}
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "net.onnx"
    onnx.save(model, path, save_as_external_data=True, location="data", size_threshold=0)
    count = count_onnx(path, (3, 4, 4))
    assert (count.params, count.linear_macs) == (240, 240)
