"""int8 on onnxruntime: results are exact on every CPU, and the session says how it computes."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from sr_bench.backends import onnxruntime
from sr_bench.backends.onnxruntime import int8
from sr_bench.core.backend import Artefact
from sr_bench.core.device import DevicePlan, Profile
from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.core.precision import Precision
from sr_bench.precision.emulated.device import emulate
from sr_bench.precision.network import read_network
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.write import quantise
from sr_bench.precision.statistics.observed import rounded_by_any_plan
from tests.precision.nets import residual_net


@pytest.fixture
def artefact(tmp_path: Path) -> Artefact:
    """Return a network whose sums of products are as large as they get: saturation would show."""
    network = residual_net(tmp_path / "net.onnx")
    ones = {layer.weight: np.ones_like(network.constants[layer.weight]) for layer in network.layers}
    network.constants.update(ones)
    names = {out for node in network.model.graph.node for out in node.output} | {"x"}
    clip = dict.fromkeys(names, ClipRange(0.0, 1e6)) | {"x": ClipRange(0.0, 1.0)}
    weights = integer_weights(network, {})
    model = quantise(network, clip, weights, Int8Plan(), (), notes={})
    onnx.save(model, tmp_path / "int8.onnx")
    return Artefact(tmp_path / "int8.onnx", None, Precision("int8_max"), "")


def _run(artefact: Artefact) -> tuple[np.ndarray, dict[str, str]]:
    with onnxruntime.open_session(artefact) as session:
        output = session.run(np.ones((1, 3, 12, 12), np.float32))
        return output, dict(session.notes)


def _force(monkeypatch: pytest.MonkeyPatch, *exact: int) -> None:
    monkeypatch.setattr(int8, "exact_kernel", lambda kind: kind in exact)


def test_the_probe_finds_a_kernel_that_is_exact() -> None:
    assert int8.exact_kernel(TensorProto.UINT8) in (True, False)
    assert int8.exact_kernel(TensorProto.UINT8) or int8.exact_kernel(TensorProto.INT8)


def test_integers_and_floats_agree_on_the_largest_sums(
    artefact: Artefact, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, notes = _run(artefact)
    assert notes["int8_layers"] == "5 of 5 int8 layers run in integers"
    _force(monkeypatch)
    floats, notes = _run(artefact)
    assert notes == {
        "int8_kernel": "float on rounded values: no int8 kernel here is exact",
        "int8_layers": "0 of 5 int8 layers run in integers",
    }
    np.testing.assert_allclose(chosen, floats, rtol=1e-5)


def test_unsigned_weights_are_the_same_network(
    artefact: Artefact, monkeypatch: pytest.MonkeyPatch
) -> None:
    _force(monkeypatch)
    floats, _ = _run(artefact)
    _force(monkeypatch, TensorProto.UINT8)
    unsigned, notes = _run(artefact)
    assert notes["int8_kernel"].startswith("uint8 x uint8")
    np.testing.assert_allclose(unsigned, floats, rtol=1e-5)


def test_a_machine_with_vnni_gets_the_file_as_it_is(
    artefact: Artefact, monkeypatch: pytest.MonkeyPatch
) -> None:
    _force(monkeypatch, TensorProto.INT8, TensorProto.UINT8)
    _, notes = _run(artefact)
    assert notes["int8_kernel"] == "uint8 x int8"


def test_a_file_by_a_devices_rules_says_which(artefact: Artefact) -> None:
    network = read_network(artefact.onnx.with_name("net.onnx"))
    clips = dict.fromkeys(rounded_by_any_plan(network), 1.0)
    onnx.save(emulate(network, clips, Profile.FINE, DevicePlan(), notes={}), artefact.onnx)
    assert _run(artefact)[1] == {"int8_rules": "fine"}


def test_other_precisions_have_nothing_to_say(artefact: Artefact) -> None:
    plain = Artefact(artefact.onnx.with_name("net.onnx"), None, Precision.FP32, "")
    with onnxruntime.open_session(plain) as session:
        assert session.notes == {}
