"""Whatever a file calls its values and nodes, what is made of it is the same network."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto

from sr_bench.core.backend import Artefact
from sr_bench.core.device import DevicePlan, Profile
from sr_bench.core.int8 import Int8Plan
from sr_bench.core.precision import Precision
from sr_bench.files.onnx_write import write_onnx
from sr_bench.precision.emulated.device import emulate
from sr_bench.precision.fp16 import to_fp16
from sr_bench.precision.network import Network, read_network
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.write import int8_share, quantise
from tests.precision.nets import exact_clips, images, residual_net

_PLAN = Int8Plan(rounding="nearest")
# All that the writers add, and what they add to that.
_OURS = (
    *("t", "t/scale", "t/zero_point", "t/int8", "t/rounded", "t/rounded/int8", "t//scale"),
    *("t/weight", "t/weight/int", "t/weight/scale", "t/bias", "t/bias/int", "t/sum", "t/wide"),
    *("t/step", "t/scaled", "t/w_zero", "t/fp16", "t/half", "t/unrounded", "t/steps", "t/whole"),
    *("t/divisor", "t/int8/0", "t/127", "t/-127", "t/", "t//", "/", "t/offset", "t/biased"),
)
_Rename = Callable[[str, int], str]


def _int8(network: Network, path: Path) -> None:
    clip = exact_clips(network, images(2))
    weights = integer_weights(network, {})
    write_onnx(quantise(network, clip, weights, _PLAN, (), notes={}), path)


def _emulated(network: Network, path: Path) -> None:
    clip = exact_clips(network, images(2))
    thresholds = {name: max(-item.low, item.high) for name, item in clip.items()}
    write_onnx(emulate(network, thresholds, Profile.TVM, DevicePlan(), notes={}), path)


def _renamed(path: Path, value: _Rename, node: _Rename) -> Path:
    model: ModelProto = onnx.load(path)
    names: dict[str, str] = {}

    def new(name: str) -> str:
        return names.setdefault(name, value(name, len(names)))

    for number, each in enumerate(model.graph.node):
        each.name = node(each.name, number)
        each.input[:], each.output[:] = map(new, each.input), map(new, each.output)
    for values in (model.graph.initializer, model.graph.input, model.graph.output):
        for each in values:
            each.name = new(each.name)
    onnx.save(model, path.with_name("renamed.onnx"))
    return path.with_name("renamed.onnx")


def _same(name: str, _number: int) -> str:
    return name


_NAMINGS: tuple[tuple[_Rename, _Rename], ...] = (
    (lambda _, number: _OURS[number], lambda _, number: _OURS[number]),
    (lambda _, number: _OURS[-1 - number], lambda _, number: _OURS[number]),
    (_same, lambda *_: ""),
    (_same, lambda *_: "one"),
    (_same, lambda name, _: "head" if name == "sum" else name),  # as ours, after its output
    (_same, lambda _, number: "" if number % 2 else f"Conv_{number + 1}"),  # ours of the next
    (lambda _, number: f"ц {number}.weight\n\"'", lambda _, number: f"a.b {number}\\"),
    (lambda _, number: "n" * 5000 + str(number), lambda _, number: "n" * 5000 + str(number)),
)


@pytest.mark.parametrize("naming", range(len(_NAMINGS)))
@pytest.mark.parametrize("precision", ["int8_max", "emulated", "fp16"])
def test_names_change_nothing(tmp_path: Path, naming: int, precision: str) -> None:
    from sr_bench.backends.onnxruntime import open_session

    residual_net(tmp_path / "plain.onnx")
    files = tmp_path / "plain.onnx", _renamed(tmp_path / "plain.onnx", *_NAMINGS[naming])
    (x,), outputs = images(1, seed=5), []
    for file in files:
        made = tmp_path / "made.onnx"
        if precision == "fp16":
            to_fp16(file, made)
        else:
            network = read_network(file)
            assert int8_share(network, ()) == pytest.approx(1)
            (_int8 if precision == "int8_max" else _emulated)(network, made)
        dtype = Precision("fp16" if precision == "fp16" else "int8_max")
        with open_session(Artefact(made, None, dtype, "")) as session:
            outputs.append(session.run(x))
    np.testing.assert_array_equal(*outputs)


def test_an_fp32_file_with_nodes_of_one_name_runs(tmp_path: Path) -> None:
    from sr_bench.backends.onnxruntime import open_session

    residual_net(tmp_path / "plain.onnx")
    files = tmp_path / "plain.onnx", _renamed(tmp_path / "plain.onnx", *_NAMINGS[3])
    (x,), outputs = images(1), []
    for file in files:
        with open_session(Artefact(file, None, Precision.FP32, "")) as session:
            outputs.append(session.run(x))
    np.testing.assert_array_equal(*outputs)
