"""Opsets: an old or a new network becomes one that can be quantised, and computes the same."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper, version_converter

from sr_bench.errors import BackendError
from sr_bench.files.onnx_file import opset
from sr_bench.precision import opsets
from sr_bench.precision.opsets import OPSETS, converted
from tests.precision.nets import images, residual_net, values


@pytest.mark.parametrize(("given", "expected"), [(9, 13), (12, 13), (13, 13), (23, 23), (24, 23)])
def test_a_network_of_any_opset_is_read_and_computes_the_same(
    tmp_path: Path, given: int, expected: int
) -> None:
    network = residual_net(tmp_path / "net.onnx", opset=given) if given > 10 else None
    if network is None:  # DepthToSpace had one mode only
        model = _plain(given)
        onnx.save(model, tmp_path / "net.onnx")
        assert opset(converted(model)) == expected
        return
    assert opset(network.model) == expected
    (image,) = images(1)
    same = residual_net(tmp_path / "same.onnx", opset=17)
    after, before = (values(net, image, ("y",))["y"] for net in (network, same))
    np.testing.assert_allclose(after, before, rtol=1e-6)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_an_old_resize_is_not_moved_by_half_a_pixel(mode: str) -> None:
    model = _plain(10, "Resize", mode=mode)
    model.graph.node[0].input.append("scales")
    scales = np.array([1, 1, 3, 3], np.float32)
    model.graph.initializer.append(numpy_helper.from_array(scales, "scales"))
    del model.graph.output[0].type.tensor_type.shape.dim[:]
    model.graph.output[0].type.tensor_type.ClearField("shape")
    assert opset(converted(model)) == 13, "what computes something else is refused"


def _plain(version: int, op_type: str = "Relu", **attributes: object) -> ModelProto:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 8, 8]) for name in "xy"]
    node = helper.make_node(op_type, ["x"], ["y"], **attributes)
    graph = helper.make_graph([node], "plain", ends[:1], ends[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=7)


def test_what_the_converter_does_not_know_is_refused_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_model: ModelProto, _version: int) -> ModelProto:
        msg = "No Adapter\n for Relu"
        raise RuntimeError(msg)

    monkeypatch.setattr(version_converter, "convert_version", fail)
    valid = f"{OPSETS.start} to {OPSETS.stop - 1}"
    with pytest.raises(
        BackendError, match=rf"from {valid}, got 11, .* to 13: No Adapter for Relu; export"
    ):
        converted(_plain(11))


def test_a_conversion_that_computes_something_else_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = _plain(13, "Neg")
    monkeypatch.setattr(opsets.version_converter, "convert_version", lambda _model, _to: wrong)
    with pytest.raises(BackendError, match="what it made computes something else; export"):
        converted(_plain(12))
