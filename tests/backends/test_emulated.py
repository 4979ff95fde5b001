"""int8 by a device's rules: onnxruntime and torch give the same bits, and say by which rules."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper

from sr_bench.backends import onnxruntime as onnxruntime_backend
from sr_bench.backends import torch as torch_backend
from sr_bench.backends.torch.operators.integers import carried_convolution
from sr_bench.backends.torch.operators.node import Node
from sr_bench.core.backend import Artefact
from sr_bench.core.device import DevicePlan, Profile
from sr_bench.core.precision import Precision
from sr_bench.export.to_onnx import export_onnx
from sr_bench.precision.calibrate import collect
from sr_bench.precision.emulated import clip_thresholds, emulate
from sr_bench.precision.network import Network, read_network
from tests.cost.zoo_models import small

BACKENDS = {"onnxruntime": onnxruntime_backend, "torch": torch_backend}
IMAGE = np.random.default_rng(0).random((1, 3, 24, 20), dtype=np.float32)


def _network(name: str, folder: Path) -> Network:
    export_onnx(small(name), folder / "net.onnx")
    return read_network(folder / "net.onnx")


def _thresholds(network: Network) -> dict[str, float]:
    found = collect(
        network,
        {"image": partial(lambda x: x, IMAGE)},
        memory_bytes=2**30,
        moments=False,
        workers=1,
        progress=lambda *_: None,
    )
    return clip_thresholds(network, found.histograms, "max", DevicePlan())


def _runs(
    network: Network, profile: Profile, plan: DevicePlan, path: Path
) -> tuple[dict[str, np.ndarray], list[Mapping[str, str]]]:
    """Return what each backend gives for the image, and what each says."""
    onnx.save(emulate(network, _thresholds(network), profile, plan, notes={}), path)
    outputs, notes = {}, []
    for name, backend in BACKENDS.items():
        with backend.open_session(
            Artefact(path, None, Precision("int8_max"), digest="")
        ) as session:
            outputs[name] = session.run(IMAGE)
            notes.append(session.notes)
    return outputs, notes


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("name", ["edsr_basicsr_x3", "lesrcnn_x2", "rcan_official_x2"])
def test_both_runtimes_give_the_same_bits(name: str, profile: Profile, tmp_path: Path) -> None:
    network = _network(name, tmp_path)
    outputs, notes = _runs(network, profile, DevicePlan(), tmp_path / "int8.onnx")
    np.testing.assert_array_equal(outputs["torch"], outputs["onnxruntime"])
    assert notes == [{"int8_rules": str(profile)}] * 2


@pytest.mark.parametrize("profile", Profile)
def test_with_float_layers_they_agree_but_for_a_few_levels(
    profile: Profile, tmp_path: Path
) -> None:
    """Sums in float depend on their order, so that a value may round to another level."""
    network = _network("edsr_basicsr_x3", tmp_path)
    plan = DevicePlan(skip=(network.layers[0].name, network.layers[-1].name))
    outputs, _ = _runs(network, profile, plan, tmp_path / "int8.onnx")
    found, expected = outputs["torch"], outputs["onnxruntime"]
    noise = np.square(found - expected).mean() / np.ptp(expected) ** 2
    assert noise < 1e-6  # 60 dB; int8 itself is at 50


def test_a_convolution_for_a_gpu_is_exact_without_its_algorithms() -> None:
    rng = np.random.default_rng(1)
    weight, x = (rng.integers(-127, 128, (1, 4000, 1, 1)).astype(np.float32) for _ in range(2))
    proto = helper.make_node("Conv", ["x", "w"], ["y"])
    run = carried_convolution(Node(proto, 17, {"w": torch.from_numpy(weight)}))
    assert run is not None
    found = run(torch.from_numpy(x), torch.from_numpy(weight))
    assert found.dtype == torch.float32
    assert int(found) == int(np.float32((x.astype(np.int64) * weight.astype(np.int64)).sum()))


@pytest.mark.parametrize("inputs", [["x", "w"], ["x", "v", "b"]])
def test_a_layer_in_float_stays_in_float32(inputs: list[str]) -> None:
    constants = {"w": torch.full((1, 1, 1, 1), 0.5), "v": torch.ones(1, 1, 1, 1)}
    proto = helper.make_node("Conv", inputs, ["y"])
    assert carried_convolution(Node(proto, 17, constants | {"b": torch.ones(1)})) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("profile", Profile)
def test_a_gpu_gives_the_bits_of_the_cpu(profile: Profile, tmp_path: Path) -> None:
    network = _network("edsr_basicsr_x3", tmp_path)
    outputs, _ = _runs(network, profile, DevicePlan(), tmp_path / "int8.onnx")
    np.testing.assert_array_equal(outputs["torch"], outputs["onnxruntime"])
