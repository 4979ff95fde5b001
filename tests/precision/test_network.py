"""Networks to quantise: what is a layer, what share it has, and what is refused."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sr_bench.core.backend import PRECISION_KEY
from sr_bench.errors import BackendError
from sr_bench.precision.network import MAX_FOLDED_BYTES, read_network
from tests.precision.nets import CHANNELS, residual_net


def test_layers_are_named_by_their_weights_and_share_the_multiplications(tmp_path: Path) -> None:
    network = residual_net(tmp_path / "net.onnx")
    assert [layer.name for layer in network.layers] == ["head", "body.0", "body.1", "up", "tail"]
    wide = CHANNELS
    macs = np.array([3 * wide, wide**2, wide**2, 4 * wide**2, 4 * 3 * wide])
    np.testing.assert_allclose([layer.share for layer in network.layers], macs / macs.sum())
    assert network.floats == ()


def _edited(tmp_path: Path, edit: object) -> Path:
    residual_net(tmp_path / "net.onnx")
    model = onnx.load(tmp_path / "net.onnx")
    edit(model)
    onnx.save(model, tmp_path / "edited.onnx")
    return tmp_path / "edited.onnx"


def test_constants_behind_nodes_are_folded(tmp_path: Path) -> None:
    def hide(model: onnx.ModelProto) -> None:
        node = next(node for node in model.graph.node if node.name == "/up/Conv")
        node.input[1] = "hidden"
        model.graph.node.insert(0, helper.make_node("Identity", ["up.weight"], ["hidden"]))

    network = read_network(_edited(tmp_path, hide))
    assert len(network.layers) == 5
    assert "Identity" not in {node.op_type for node in network.model.graph.node}


def test_a_layer_with_a_factor_behind_it_keeps_its_name(tmp_path: Path) -> None:
    def scale(model: onnx.ModelProto) -> None:
        at = next(i for i, node in enumerate(model.graph.node) if node.name == "wide")
        factor = numpy_helper.from_array(np.array(0.2, np.float32), "factor")
        model.graph.initializer.append(factor)
        model.graph.node[at].input[0] = "scaled"
        model.graph.node.insert(at, helper.make_node("Mul", ["up", "factor"], ["scaled"]))

    network = read_network(_edited(tmp_path, scale))
    assert "Mul" not in [node.op_type for node in network.model.graph.node]
    assert "up" in [layer.name for layer in network.layers]


def test_a_name_with_a_bracket_is_no_pattern(tmp_path: Path) -> None:
    def rename(model: onnx.ModelProto) -> None:
        node = next(node for node in model.graph.node if node.name == "/body.1/Conv")
        node.input[1] = "body[1].weight"
        next(t for t in model.graph.initializer if t.name == "body.1.weight").name = node.input[1]

    network = read_network(_edited(tmp_path, rename))
    assert [layer.name for layer in network.matching(["body[1]"])] == ["body[1]"]
    assert len(network.matching(["body*"])) == 2


def test_a_convolution_with_computed_weights_stays_float_and_is_named(tmp_path: Path) -> None:
    def compute(model: onnx.ModelProto) -> None:
        node = next(node for node in model.graph.node if node.name == "/tail/Conv")
        model.graph.initializer.append(
            numpy_helper.from_array(np.ones((3, CHANNELS, 1, 1), np.float32), "ones")
        )
        pool = helper.make_node("GlobalAveragePool", ["wide"], ["pooled"], name="pool")
        computed = helper.make_node("Mul", ["ones", "pooled"], ["made"], name="made")
        model.graph.node.insert(len(model.graph.node) - 1, pool)
        model.graph.node.insert(len(model.graph.node) - 1, computed)
        node.input[1] = "made"
        node.ClearField("attribute")

    network = read_network(_edited(tmp_path, compute))
    assert "tail" not in {layer.name for layer in network.layers}
    assert network.floats == ("Conv '/tail/Conv'",)


def test_external_data_beside_the_file_is_read(tmp_path: Path) -> None:
    plain = residual_net(tmp_path / "net.onnx")
    model = onnx.load(tmp_path / "net.onnx")
    onnx.save(model, tmp_path / "far.onnx", save_as_external_data=True, size_threshold=0)
    assert (tmp_path / "far.onnx").stat().st_size < (tmp_path / "net.onnx").stat().st_size
    far = read_network(tmp_path / "far.onnx")
    np.testing.assert_array_equal(far.constants["up.weight"], plain.constants["up.weight"])


def _two_inputs(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))


def _flat_input(model: onnx.ModelProto) -> None:
    del model.graph.input[0].type.tensor_type.shape.dim[3:]


def _quantised(model: onnx.ModelProto) -> None:
    model.metadata_props.add(key=PRECISION_KEY, value="int8")


def _dequantised_weights(model: onnx.ModelProto) -> None:
    node = next(node for node in model.graph.node if node.name == "/tail/Conv")
    weights = np.ones((3, CHANNELS, 1, 1), np.int8)
    for name, value in {"tail/int8": weights, "tail/step": np.float32(1)}.items():
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    node.input[1] = "tail/float"
    node.ClearField("attribute")
    widen = helper.make_node("DequantizeLinear", ["tail/int8", "tail/step"], ["tail/float"])
    model.graph.node.insert(0, widen)


def _fork(model: onnx.ModelProto, when: str) -> None:
    """Let an If on the value `when` hand the image on."""
    branch = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["z"])],
        "branch",
        [],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)],
    )
    both = {"then_branch": branch, "else_branch": branch}
    model.graph.node.insert(0, helper.make_node("If", [when], ["chosen"], name="fork", **both))
    model.graph.node[1].input[0] = "chosen"


def _control_flow(model: onnx.ModelProto) -> None:
    _fork(model, "bright")
    model.graph.node.insert(0, helper.make_node("Cast", ["sum_"], ["bright"], to=TensorProto.BOOL))
    model.graph.node.insert(0, helper.make_node("ReduceSum", ["x"], ["sum_"], keepdims=0))


def _fused(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    node = model.graph.node[0]
    node.op_type, node.domain = "FusedConv", "com.microsoft"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_two_inputs, "expected one input and one output, got 2 and 1"),
        (_flat_input, "expected a float32 input N x C x H x W|Invalid|invalid|incompatible"),
        (_quantised, "expected the fp32 file, got one of int8: it"),
        (_dequantised_weights, "expected the fp32 file, got one of int8: .tail/int8. is stored"),
        (_control_flow, r"the node 'fork' \(If\) is control flow"),
        (_fused, r"node '/head/Conv' \(com\.microsoft\.FusedConv\) is no standard ONNX operator"),
    ],
)
def test_only_image_networks_are_accepted(tmp_path: Path, edit: object, message: str) -> None:
    with pytest.raises(BackendError, match=message):
        read_network(_edited(tmp_path, edit))


def test_what_a_constant_decides_is_no_control_flow(tmp_path: Path) -> None:
    def edit(model: onnx.ModelProto) -> None:
        _fork(model, "yes")
        model.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))

    assert len(read_network(_edited(tmp_path, edit)).layers) == 5


def test_constants_among_the_inputs_are_none_wherever_they_stand(tmp_path: Path) -> None:
    def edit(model: onnx.ModelProto) -> None:
        model.ir_version = 3  # of which all constants are inputs
        image = onnx.ValueInfoProto()
        image.CopyFrom(model.graph.input[0])
        del model.graph.input[:]
        for position, tensor in enumerate(model.graph.initializer):
            value = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            model.graph.input.append(value)
            if position == 1:
                model.graph.input.append(image)

    network = read_network(_edited(tmp_path, edit))
    assert (network.input, network.model.graph.input[0].name) == ("x", "x")
    assert len(network.layers) == 5


def test_nodes_that_lead_nowhere_are_left_out(tmp_path: Path) -> None:
    def edit(model: onnx.ModelProto) -> None:
        weight = np.ones((3, 3, 1, 1), np.float32)
        model.graph.initializer.append(numpy_helper.from_array(weight, "idle.weight"))
        model.graph.node.append(helper.make_node("Conv", ["y", "idle.weight"], ["idle"]))

    network = read_network(_edited(tmp_path, edit))
    assert "idle" not in [layer.name for layer in network.layers]
    assert "idle.weight" not in network.constants


def test_a_file_that_is_not_onnx_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"PNG, not ONNX")
    with pytest.raises(BackendError, match=r"can't read the ONNX file .*net\.onnx"):
        read_network(tmp_path / "net.onnx")


def test_a_constant_of_gigabytes_is_not_computed_in_advance(tmp_path: Path) -> None:
    def edit(model: onnx.ModelProto) -> None:
        count = MAX_FOLDED_BYTES // 4 + 1
        model.graph.initializer.append(numpy_helper.from_array(np.array([count]), "count"))
        source = model.graph.node[0].input[0]
        model.graph.node[0].input[0] = "moved"
        expanded = [
            helper.make_node("ConstantOfShape", ["count"], ["big"]),
            helper.make_node("ReduceSum", ["big"], ["none"], keepdims=0),
            helper.make_node("Add", [source, "none"], ["moved"]),
        ]
        nodes = [*expanded, *model.graph.node]
        del model.graph.node[:]
        model.graph.node.extend(nodes)

    network = read_network(_edited(tmp_path, edit))
    assert "ConstantOfShape" in {node.op_type for node in network.model.graph.node}
