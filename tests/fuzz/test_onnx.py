"""ONNX files that are broken or made to harm: a network or our error."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper

from sr_bench.backends.onnxruntime import Graph
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError
from sr_bench.files.onnx_file import load_onnx
from sr_bench.precision.network import read_network
from tests.fuzz.bytes_inputs import broken, fresh, fuzzed

IMAGE = [1, 3, "h", "w"]


def network(*added: TensorProto) -> ModelProto:
    """Return a small network of every kind of part; `added` constants are among its own."""
    constants = [
        numpy_helper.from_array(np.ones((3, 3, 3, 3), np.float32), "c.weight"),
        numpy_helper.from_array(np.ones(3, np.float32), "c.bias"),
        numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "sizes"),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "c.weight", "c.bias"], ["y"], pads=[1, 1, 1, 1]),
        helper.make_node("Twice", ["y"], ["z"], domain="own"),
        helper.make_node("Resize", ["z", "", "sizes"], ["o"], mode="nearest"),
    ]
    x, o = (helper.make_tensor_value_info(name, TensorProto.FLOAT, IMAGE) for name in "xo")
    graph = helper.make_graph(nodes, "net", [x], [o], [*constants, *added])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    body = [helper.make_node("Add", ["a", "a"], ["b"])]
    twice = helper.make_function("own", "Twice", ["a"], ["b"], body, opsets[:1])
    return helper.make_model(graph, functions=[twice], opset_imports=opsets, ir_version=9)


VALID = network().SerializeToString()


def read_all(path: Path) -> None:
    """Read `path` in each way; any error but ours fails."""
    for read in (load_onnx, read_network):
        with suppress(BackendError):
            read(path)
    with suppress(BackendError):
        Graph(path, Precision.FP32, 1)(np.zeros((1, 3, 4, 4), np.float32))


@fuzzed
@given(data=broken(VALID))
def test_a_broken_onnx_file_is_read_or_is_our_error(data: bytes, tmp_path: Path) -> None:
    read_all(fresh(tmp_path, "a.onnx", data))


@fuzzed
@given(
    location=st.sampled_from(
        ("a.bin", "../a.bin", "/etc/hostname", "link", "", ".", "a\0b", "x/y")
    ),
    offset=st.sampled_from(("0", "-1", "4096", str(2**63), "x", "")),
    length=st.sampled_from(("16", "-1", "0", str(2**63), "x", "")),
    dims=st.lists(st.sampled_from((0, 1, 4, -1, 2**31, 2**62)), max_size=4),
    kind=st.integers(0, 24),
)
def test_data_beside_the_file_is_read_or_is_our_error(
    location: str, offset: str, length: str, dims: list[int], kind: int, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    if not folder.exists():
        folder.mkdir()
        (folder / "a.bin").write_bytes(bytes(16))
        (tmp_path / "a.bin").write_bytes(bytes(16))
        (folder / "link").symlink_to(tmp_path / "a.bin")
    tensor = TensorProto(name="t", data_type=kind, dims=dims, data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        if value:
            tensor.external_data.add(key=key, value=value)
    path = fresh(folder, "a.onnx", network(tensor).SerializeToString())
    read_all(path)
    if location in ("../a.bin", "/etc/hostname", "link"):
        with pytest.raises(BackendError):
            load_onnx(path)
