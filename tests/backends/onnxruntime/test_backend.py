"""The onnxruntime backend: it refuses files that it would compute in another precision."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sr_bench.backends.onnxruntime import open_session
from sr_bench.core.backend import Artefact
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, NotRunError
from sr_bench.export.to_onnx import export_onnx
from tests.cost.zoo_models import small


def test_a_plain_file_is_not_taken_for_fp16(tmp_path: Path) -> None:
    export_onnx(small("edsr_basicsr_x1"), tmp_path / "net.onnx")
    artefact = Artefact(tmp_path / "net.onnx", None, Precision.FP16, digest="")
    with pytest.raises(BackendError, match=r"expected a file of fp16, got one of fp32"):
        open_session(artefact)


def test_a_network_without_a_file_is_not_run() -> None:
    artefact = Artefact(None, lambda: small("edsr_basicsr_x1"), Precision.FP32, digest="")
    with pytest.raises(NotRunError, match="use --backend=torch"):
        open_session(artefact)


def test_a_graph_of_two_outputs_is_refused(tmp_path: Path) -> None:
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3, 4, 4]) for n in "xyz"]
    nodes = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Neg", ["x"], ["z"])]
    graph = helper.make_graph(nodes, "net", values[:1], values[1:])
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "net.onnx")
    with pytest.raises(
        BackendError,
        match=r"net\.onnx: .* one output, got 1 and 2; it reads 'x' \(float32 1 x 3 x 4 x 4\)",
    ):
        open_session(Artefact(tmp_path / "net.onnx", None, Precision.FP32, digest=""))


def test_a_size_that_the_network_does_not_run_on_names_those_that_it_does(tmp_path: Path) -> None:
    """Of a U-Net: what goes down by 4 and up again has to fit what did not."""
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3, "h", "w"]) for n in "xy"]
    nodes = [
        helper.make_node("AveragePool", ["x"], ["low"], kernel_shape=[4] * 2, strides=[4] * 2),
        helper.make_node("Resize", ["low", "", "scales"], ["up"], mode="nearest"),
        helper.make_node("Add", ["x", "up"], ["y"]),
    ]
    scales = numpy_helper.from_array(np.array([1, 1, 4, 4], np.float32), "scales")
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], [scales])
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "net.onnx")
    artefact = Artefact(tmp_path / "net.onnx", None, Precision.FP32, digest="")
    artefact = replace(artefact, origin=Path("my.onnx"))  # as if made from it
    fault = r"can't run my\.onnx on .*\(1, 3, 18, 16\); it takes multiples of 4 pixels.*Add node"
    with open_session(artefact) as session, pytest.raises(BackendError, match=fault) as error:
        session.run(np.zeros((1, 3, 18, 16), np.float32))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("library", ["onnxruntime", "torch"])
def test_the_module_does_not_hide_the_library_of_its_name(library: str) -> None:
    code = (
        f"import sr_bench.backends.{library} as backend, {library} as library\n"
        "assert library is not backend and library.__version__"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
