"""Parameters of ONNX files whose weights are computed: what is stored, as torch counts it."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from sr_bench.core.card import ModelCard
from sr_bench.core.record import Measurement
from sr_bench.cost.onnx_graph import count_onnx
from sr_bench.engine.measure.cost import cost_measurement
from sr_bench.errors import BackendError

WIDTH = 8


class Around(nn.Module):
    """A layer between two others, in a network that scales its image first and last."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.head, self.layer = nn.Conv2d(3, WIDTH, 3, padding=1), layer
        self.tail = nn.Conv2d(WIDTH, 3, 1)
        self.register_buffer("mean", torch.tensor([0.4, 0.5, 0.6]).view(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.tail(self.layer(self.head(x - self.mean))) * 2 + self.mean


class Learned(nn.Module):
    """A layer of parameters of some shapes, and a function of the image and these."""

    def __init__(self, apply: Callable[..., Tensor], *shapes: tuple[int, ...]) -> None:
        super().__init__()
        self.learned = nn.ParameterList(nn.Parameter(torch.randn(shape)) for shape in shapes)
        self.apply_ = apply

    def forward(self, x: Tensor) -> Tensor:
        return self.apply_(x, *self.learned)


def _norm(x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    low = x - x.mean(1, keepdim=True)
    low = low / (low.pow(2).mean(1, keepdim=True) + 1e-6).sqrt()
    return gain.view(1, -1, 1, 1) * low + shift.view(1, -1, 1, 1)


def _scaled(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return functional.conv2d(x, weight * (1 / math.sqrt(72)), bias * 0.1, padding=1)


def _standardised(x: Tensor, weight: Tensor) -> Tensor:
    weight = weight - weight.mean((1, 2, 3), keepdim=True)
    return functional.conv2d(x, weight / (weight.std((1, 2, 3), keepdim=True) + 1e-5))


def _tied(x: Tensor, weight: Tensor) -> Tensor:
    y = functional.relu(functional.linear(x.permute(0, 2, 3, 1), weight))
    return functional.linear(y, weight.t()).permute(0, 3, 1, 2)


def _adapted(x: Tensor, weight: Tensor, down: Tensor, up: Tensor) -> Tensor:
    return functional.linear(x.permute(0, 2, 3, 1), weight + 2 * (up @ down)).permute(0, 3, 1, 2)


def _modulated(x: Tensor, weight: Tensor, style: Tensor) -> Tensor:
    scale = functional.linear(x.mean((2, 3)), style).view(1, WIDTH, 1, 1)
    return functional.conv2d(x, weight * scale)


W, ONE, SQUARE = WIDTH, (WIDTH, WIDTH, 1, 1), (WIDTH, WIDTH)
LAYERS: dict[str, Callable[[], nn.Module]] = {
    "weight_norm": lambda: weight_norm(nn.Conv2d(W, W, 3, padding=1)),
    "scaled": lambda: Learned(_scaled, (W, W, 3, 3), (W,)),
    "standardised": lambda: Learned(_standardised, ONE),
    "tied": lambda: Learned(_tied, (2 * W, W)),
    "low_rank": lambda: Learned(_adapted, SQUARE, (2, W), (W, 2)),
    "joined": lambda: Learned(
        lambda x, a, b: functional.conv2d(x, torch.cat([a, b])), (2, W, 1, 1), (W - 2, W, 1, 1)
    ),
    "cut": lambda: Learned(
        lambda x, w: functional.conv2d(functional.conv2d(x, w[:W]), w[W:]), (2 * W, W, 1, 1)
    ),
    "modulated": lambda: Learned(_modulated, ONE, SQUARE),
    "layer_norm": lambda: Learned(_norm, (W,), (W,)),
    "group_norm": lambda: nn.GroupNorm(2, W),
    "layer_scale": lambda: Learned(lambda x, gain: x + gain * x, (1, W, 1, 1)),
    "mask": lambda: Learned(
        lambda x, gain: gain * (x + torch.tensor([[0.0, -100.0] * 4] * 4)), (1, W, 1, 1)
    ),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("opset", [11, 17])
def test_what_a_file_stores_is_counted_as_torch_does(name: str, opset: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    module, path = Around(LAYERS[name]()).eval(), tmp_path / "net.onnx"
    torch.onnx.export(
        module,
        (torch.rand(1, 3, 4, 8),),
        path,
        opset_version=opset,
        dynamo=False,
        do_constant_folding=False,
        input_names=["x"],
    )
    count = count_onnx(path, (3, 4, 8))
    assert count.params == sum(parameter.numel() for parameter in module.parameters())
    assert count.unknown_params == ""


def _model(nodes: list[onnx.NodeProto], **constants: np.ndarray) -> onnx.ModelProto:
    head = helper.make_node("Conv", ["x", "head"], ["a"])
    tail = helper.make_node("Conv", ["b", "head"], ["y"])
    graph = helper.make_graph(
        [head, *nodes, tail],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [
            numpy_helper.from_array(value.astype(value.dtype), name)
            for name, value in ({"head": np.ones((3, 3, 1, 1), np.float32)} | constants).items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _table(**more: np.ndarray) -> onnx.ModelProto:
    values = np.arange(48, dtype=np.float32).reshape(1, 3, 4, 4)
    return _model([helper.make_node("Add", ["a", "t"], ["b"], name="joins")], t=values, **more)


def test_a_table_that_may_be_learned_or_not_is_named_and_no_number_is_given() -> None:
    count = count_onnx(_table(), (3, 4, 4))
    assert "at the node 'joins' (Add) stands a constant of 1 x 3 x 4 x 4" in count.unknown_params
    card = ModelCard("m", "zoo", Path("/z/zoo"), "M", "", 2, "")
    with pytest.raises(BackendError, match="the parameters can't be told: at the node 'joins'"):
        cost_measurement(card, "params", count)
    assert isinstance(cost_measurement(card, "flops", count), Measurement), "layers are known"


def test_rows_that_are_chosen_of_a_table_are_learned() -> None:
    nodes = [
        helper.make_node("Gather", ["table", "rows"], ["chosen"]),
        helper.make_node("Add", ["a", "chosen"], ["b"]),
    ]
    table = np.arange(20, dtype=np.float32).reshape(5, 4)
    model = _model(nodes, table=table, rows=np.array([0, 1, 2, 1]))
    count = count_onnx(model, (3, 4, 4))
    assert (count.params, count.unknown_params) == (9 + 20, "")


def test_an_equal_parameter_for_which_exporters_write_an_identity_counts_too() -> None:
    nodes = [
        helper.make_node("Identity", ["head"], ["equal"]),
        helper.make_node("Conv", ["a", "equal"], ["b"]),
    ]
    assert count_onnx(_model(nodes), (3, 4, 4)).params == 9 + 9


def test_what_is_computed_of_constants_alone_is_no_operation() -> None:
    nodes = [
        helper.make_node("MatMul", ["up", "down"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], ["w"]),
        helper.make_node("Conv", ["a", "w"], ["b"]),
    ]
    constants = {"up": np.ones((3, 2), np.float32), "down": np.ones((2, 3), np.float32)}
    model = _model(nodes, shape=np.array([3, 3, 1, 1]), **constants)
    count = count_onnx(model, (3, 4, 4))
    assert (count.conv_macs, count.linear_macs, count.params) == (3 * 9 * 16, 0, 9 + 12)


def test_behind_a_group_normalisation_of_which_onnx_infers_nothing_shapes_are_known() -> None:
    node = helper.make_node("GroupNormalization", ["a", "gain", "gain"], ["b"], num_groups=3)
    model = _model([node], gain=np.ones(3, np.float32))
    model.opset_import[0].version = 21
    count = count_onnx(model, (3, 4, 4))
    assert (count.params, count.conv_macs) == (9 + 3, 2 * 9 * 16)


def test_a_weight_cast_like_the_image_is_a_weight() -> None:
    nodes = [
        helper.make_node("CastLike", ["half", "a"], ["w"]),
        helper.make_node("MatMul", ["a", "w"], ["b"]),
    ]
    count = count_onnx(_model(nodes, half=np.ones((4, 4), np.float16)), (3, 4, 4))
    assert (count.params, count.linear_macs) == (9 + 16, 3 * 4 * 16)
