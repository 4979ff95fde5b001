"""onnxruntime's telemetry is off in every process of ours, before it is imported; so is others'."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sr_bench import discovery
from tests.precision.nets import residual_net

ENTRANCES = (
    "sr_bench.cli",
    "sr_bench.plugin",
    "sr_bench.engine.elsewhere.child_main",
    "sr_bench.engine.elsewhere.cluster.remote",
    "sr_bench.backends.onnxruntime",
)
"""What a process of ours imports first: a command's, a session's, a model's, a Dask worker's."""

NETWORK = """
import numpy, onnx, sys
from onnx import TensorProto, helper
ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
graph = helper.make_graph([helper.make_node("Relu", "x", "y")], "net", ends[:1], ends[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
import sr_bench, onnxruntime
session = onnxruntime.InferenceSession(model.SerializeToString())
assert session.run(None, {"x": numpy.ones(1, numpy.float32)}) == [1]
"""


def run(code: str, home: Path, **more: str) -> str:
    """Run `code` where `home` is the home and nothing stops telemetry; return what it prints."""
    unset = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    env = {name: value for name, value in os.environ.items() if name not in unset}
    env |= {"HOME": str(home), **more}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_each_entrance_stops_it_before_onnxruntime_is_imported(
    entrance: str, tmp_path: Path
) -> None:
    code = (
        "import os, sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'onnxruntime': assert 'ORT_DISABLE_TELEMETRY' in os.environ\n"
        "sys.meta_path.insert(0, Watch())\n"
        f"import {entrance}\n"
        "print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    assert run(code, tmp_path) == "1\n"


def test_a_value_that_the_user_set_stays(tmp_path: Path) -> None:
    code = "import os, sr_bench; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    assert run(code, tmp_path, ORT_DISABLE_TELEMETRY="0") == "0\n"


def test_a_network_that_runs_leaves_nothing_in_the_home(tmp_path: Path) -> None:
    run(NETWORK, tmp_path)
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("name", ["mnn", "ncnn", "openvino", "tract"])
def test_a_runtime_of_others_leaves_nothing_there_either(name: str, tmp_path: Path) -> None:
    backend = discovery.load("sr_bench.backends", name)
    if not backend.precisions():
        pytest.skip(f"{name} is {backend.describe().version}: {backend.describe().note}")
    code = f"""
import sys
from pathlib import Path
from sr_bench.backends.{name} import open_session
from sr_bench.core.backend import Artefact
from sr_bench.core.precision import Precision
open_session(Artefact(Path({str(tmp_path / "net.onnx")!r}), None, Precision.FP32, ""))
reporters = {{"MNN.tools.utils.log", "openvino_telemetry"}}
print(sorted(name for name in reporters if sys.modules.get(name)))
"""
    residual_net(tmp_path / "net.onnx")
    home = tmp_path / "home"
    home.mkdir()
    assert run(code, home) == "[]\n"
    assert list(home.rglob("*")) == []
