"""Counting ONNX files: the same counts as for the module that the file was exported from."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from sr_bench.cost.module import count_module
from sr_bench.cost.onnx_graph import count_onnx
from sr_bench.errors import BackendError
from sr_bench.export.to_onnx import export_onnx
from tests.cost.zoo_models import SMALL, small

IN_PART = ("lesrcnn_multi_x4", "usuir_x1", "pfsrnet_x8")
"""Networks of which a file lacks what leads to no output, or has normalisation in its weights."""
WHOLE = [name for name in SMALL if name not in IN_PART]


@pytest.mark.parametrize("name", WHOLE)
def test_the_two_counters_agree_on_every_architecture(name: str, tmp_path: Path) -> None:
    module = small(name)
    export_onnx(module, tmp_path / "net.onnx")
    of_file = count_onnx(tmp_path / "net.onnx", (3, 48, 36))
    of_module = count_module(module, (3, 48, 36))
    assert (of_file.macs, of_file.params) == (of_module.macs, of_module.params)
    if not of_module.subclass_macs:
        assert of_file == of_module


def test_a_file_lacks_the_upsamplers_that_a_multi_scale_network_does_not_use(
    tmp_path: Path,
) -> None:
    module = small("lesrcnn_multi_x4")
    export_onnx(module, tmp_path / "net.onnx")
    of_file = count_onnx(tmp_path / "net.onnx", (3, 8, 8))
    assert of_file.macs == count_module(module, (3, 8, 8)).macs
    assert of_file.params == count_module(small("lesrcnn_x4"), (3, 8, 8)).params


def test_other_layers_count_as_in_torch(tmp_path: Path) -> None:
    class Pixels(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.permute(0, 2, 3, 1)

    net = nn.Sequential(
        nn.PixelUnshuffle(2),
        nn.Conv2d(12, 8, 3, padding=1, groups=4),
        nn.PReLU(8),
        nn.BatchNorm2d(8),
        nn.InstanceNorm2d(8, affine=True),
        nn.ConvTranspose2d(8, 6, 4, stride=2, padding=1, groups=2),
        nn.LeakyReLU(0.1),
        Pixels(),
        nn.Linear(6, 5),
    ).eval()
    export_onnx(net, tmp_path / "net.onnx")
    assert count_onnx(tmp_path / "net.onnx", (3, 24, 32)) == count_module(net, (3, 24, 32))


def test_a_weight_that_two_layers_share_counts_once(tmp_path: Path) -> None:
    layer = nn.Conv2d(3, 3, 1)
    export_onnx(nn.Sequential(layer, nn.ReLU(), layer), tmp_path / "net.onnx")
    count = count_onnx(tmp_path / "net.onnx", (3, 2, 2))
    assert (count.params, count.conv_macs) == (12, 72)


def _model(nodes: list[onnx.NodeProto], x: list[object], **weights: tuple[int, ...]) -> object:
    constants = [
        numpy_helper.from_array(np.ones(shape, np.float32), name) for name, shape in weights.items()
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, x)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


CONV = helper.make_node("Conv", ["image", "w"], ["y"], name="head")
HEAD = helper.make_node("Conv", ["image", "w"], ["a"], name="head")


def test_a_model_is_counted_as_a_file_is_and_left_alone() -> None:
    model = _model([CONV], ["n", 3, "h", "w_"], w=(8, 3, 3, 3))
    before = model.SerializeToString()
    count = count_onnx(model, (3, 10, 12))
    assert (count.conv_macs, count.params) == (8 * 8 * 10 * 27, 216)
    assert model.SerializeToString() == before


def test_constants_for_shapes_and_scales_are_not_parameters() -> None:
    nodes = [
        helper.make_node("Resize", ["image", "", "factors"], ["big"], mode="nearest"),
        helper.make_node("Mul", ["big", "gain"], ["louder"]),
        helper.make_node("Conv", ["louder", "w", "b"], ["y"]),
    ]
    model = _model(nodes, [1, 3, 8, 8], factors=(4,), gain=(1,), w=(2, 3, 1, 1), b=(2,))
    assert count_onnx(model, (3, 8, 8)).params == 8


def test_quantised_weights_are_counted_behind_their_dequantizer() -> None:
    nodes = [
        helper.make_node(
            "Constant", [], ["q"], value=helper.make_tensor("", 3, [2, 3, 1, 1], range(6))
        ),
        helper.make_node("DequantizeLinear", ["q", "s"], ["w"]),
        CONV,
    ]
    count = count_onnx(_model(nodes, [1, 3, 4, 4], s=()), (3, 4, 4))
    assert (count.conv_macs, count.params) == (96, 6)


def test_weights_in_a_missing_external_file_are_not_needed(tmp_path: Path) -> None:
    model = _model([CONV], [1, 3, "h", "w_"], w=(8, 3, 3, 3))
    onnx.save(
        model, tmp_path / "net.onnx", save_as_external_data=True, location="w", size_threshold=0
    )
    (tmp_path / "w").unlink()
    assert count_onnx(tmp_path / "net.onnx", (3, 4, 4)).params == 216


def test_a_file_that_is_not_onnx_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    with pytest.raises(BackendError, match=r"can't read the ONNX file .*net\.onnx"):
        count_onnx(path, (3, 4, 4))
    for content in (b"", b"not a network", bytes(range(256))):
        path.write_bytes(content)
        with pytest.raises(BackendError, match=r"net\.onnx"):
            count_onnx(path, (3, 4, 4))


@pytest.mark.parametrize(
    ("x", "shape", "message"),
    [
        ([1, 3, 8, 8], (3, 9, 8), "'image' to take 3x9x8 .CxHxW., got 3x8x8; count it on its own"),
        (["n", "c", "h", "w_"], (4, 8, 8), "'head' .Conv. expected 3 channels, got 4"),
        ([3, 8], (3, 8, 8), "expected one input of 4 axes .NCHW., got: image of 2 axes"),
    ],
)
def test_an_input_that_does_not_fit_is_explained(
    x: list[object], shape: tuple[int, int, int], message: str
) -> None:
    with pytest.raises(BackendError, match=message):
        count_onnx(_model([CONV], x, w=(8, 3, 3, 3)), shape)


@pytest.mark.parametrize(
    ("operator", "domain"),
    [
        ("QLinearConv", ""),
        ("FusedConv", "com.microsoft"),
        ("LSTM", ""),
        ("SimplifiedLayerNormalization", ""),  # onnxruntime's, without a domain of its own
    ],
)
def test_an_operator_of_unknown_cost_is_refused(operator: str, domain: str) -> None:
    nodes = [HEAD, helper.make_node(operator, ["a"], ["y"], name="odd", domain=domain)]
    model = _model(nodes, [1, 3, 8, 8], w=(8, 3, 3, 3))
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    with pytest.raises(BackendError, match=f"{operator}"):
        count_onnx(model, (3, 8, 8))


def test_a_shape_that_depends_on_values_is_refused() -> None:
    nodes = [
        helper.make_node("NonZero", ["image"], ["places"]),
        helper.make_node("Cast", ["places"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["w", "floats"], ["y"], name="product"),
    ]
    with pytest.raises(BackendError, match=r"'product' \(MatMul\) can't be inferred"):
        count_onnx(_model(nodes, [1, 3, 8, 8], w=(2, 4)), (3, 8, 8))
