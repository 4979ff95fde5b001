"""An ONNX file appears only if onnx and onnxruntime accept it."""

from pathlib import Path

import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from sr_bench.errors import BackendError
from sr_bench.files.onnx_write import write_onnx


def _model(*, names: tuple[str, str] = ("a", "b"), last: str = "y", op: str = "Relu") -> ModelProto:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]) for name in "xy"]
    nodes = [
        helper.make_node("Relu", ["x"], ["m"], name=names[0]),
        helper.make_node(op, ["m"], [last], name=names[1]),
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_valid_network_is_written_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "net.onnx"
    write_onnx(_model(), path)
    assert onnx.load(path) == _model()
    assert [each.name for each in path.parent.iterdir()] == ["net.onnx"]


@pytest.mark.parametrize(
    ("model", "judge"),
    [
        (_model(last="m"), "onnx refuses"),  # a value that is defined twice
        (_model(op="NoSuchOperator"), "onnx refuses"),
        (_model(names=("a", "a")), "onnxruntime refuses .* two nodes with same node name"),
    ],
)
def test_what_others_refuse_is_not_written(tmp_path: Path, model: ModelProto, judge: str) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"before")
    with pytest.raises(BackendError, match=f"net.onnx is not written, as {judge}"):
        write_onnx(model, path)
    assert path.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["net.onnx"]


def test_what_onnxruntime_has_run_is_not_opened_again(tmp_path: Path) -> None:
    refused_if_opened = _model(names=("a", "a"))
    write_onnx(refused_if_opened, tmp_path / "net.onnx", is_run=True)
    assert onnx.load(tmp_path / "net.onnx") == refused_if_opened
