"""ONNX files made to harm: refused by name, before they take memory or time."""

from pathlib import Path

import onnx
import pytest
from onnx import NodeProto, TensorProto, helper

from sr_bench.errors import BackendError
from sr_bench.files.onnx_file import load_onnx

X, Y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "h", "w"]) for name in "xo")
OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]


def calls(name: str, source: str, target: str) -> NodeProto:
    return helper.make_node(name, [source], [target], domain="own")


def save(path: Path, first: NodeProto, *functions: onnx.FunctionProto) -> Path:
    graph = helper.make_graph([first], "net", [X], [Y])
    model = helper.make_model(graph, functions=functions, opset_imports=OPSETS, ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


def function(name: str, *nodes: NodeProto) -> onnx.FunctionProto:
    return helper.make_function("own", name, ["a"], ["b"], nodes, OPSETS)


def doubling(count: int) -> list[onnx.FunctionProto]:
    """Return functions of which each calls the next one twice."""
    chain = [
        function(f"F{at}", calls(f"F{at + 1}", "a", "t"), calls(f"F{at + 1}", "t", "b"))
        for at in range(count)
    ]
    return [*chain, function(f"F{count}", helper.make_node("Relu", ["a"], ["b"]))]


def test_functions_are_inlined(tmp_path: Path) -> None:
    model = load_onnx(save(tmp_path / "a.onnx", calls("F0", "x", "o"), *doubling(3)))
    assert [node.op_type for node in model.graph.node] == ["Relu"] * 8


def test_functions_that_double_thirty_times_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.onnx", calls("F0", "x", "o"), *doubling(30))
    with pytest.raises(BackendError, match=r"a\.onnx: its functions make 1,073,741,824 operators"):
        load_onnx(path)


def test_functions_within_a_branch_count_too(tmp_path: Path) -> None:
    inner = helper.make_graph([calls("F0", "a", "b")], "branch", [], [Y])
    inner.output[0].name = "b"
    fork = helper.make_node("If", ["c"], ["b"], then_branch=inner, else_branch=inner)
    true = helper.make_node("Constant", [], ["c"], value=helper.make_tensor("t", 9, [], [True]))
    path = save(tmp_path / "a.onnx", calls("Fork", "x", "o"), function("Fork", true, fork))
    model = onnx.load(path)
    model.functions.extend(doubling(30))
    onnx.save(model, path)
    with pytest.raises(BackendError, match="its functions make 2,147,483,6"):
        load_onnx(path)


def test_functions_in_a_circle_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.onnx", calls("F", "x", "o"), function("F", calls("F", "a", "b")))
    with pytest.raises(BackendError, match="Cycle detected"):
        load_onnx(path)


def test_a_name_that_is_not_utf8_is_our_error(tmp_path: Path) -> None:
    path = save(tmp_path / "a.onnx", helper.make_node("NAME", ["x"], ["o"]))
    path.write_bytes(path.read_bytes().replace(b"NAME", b"N\xff\xffE"))
    with pytest.raises(BackendError, match=r"can't read the ONNX file .*a\.onnx"):
        load_onnx(path)


@pytest.mark.parametrize("location", ["../secret.bin", "link.bin", "/etc/hostname"])
def test_data_outside_of_the_folder_is_not_read(tmp_path: Path, location: str) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(16))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    path = save(folder / "a.onnx", helper.make_node("Add", ["x", "t"], ["o"]))
    model = onnx.load(path)
    tensor = TensorProto(name="t", data_type=1, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    model.graph.initializer.append(tensor)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(BackendError, match=r"a\.onnx"):
        load_onnx(path)
