"""int8 by a device's rules: the bits of an independent model, whatever the optimiser does."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from sr_bench.core.backend import PRECISION_KEY
from sr_bench.core.device import DevicePlan, Profile
from sr_bench.errors import BackendError, CardError
from sr_bench.precision.emulated.device import emulate
from sr_bench.precision.fp16 import to_fp16
from sr_bench.precision.network import Network
from tests.precision.nets import exact_clips, images, residual_net

Array = NDArray[np.float32]
LEVELS = {Profile.TVM: 128, Profile.FINE: 127}
PLAIN = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
OPTIMISED = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return residual_net(tmp_path / "net.onnx")


def _thresholds(network: Network) -> dict[str, float]:
    """Return a little less than the largest magnitudes, so that some values are clipped."""
    clips = exact_clips(network, images(3))
    return {name: 0.9 * max(-clip.low, clip.high) for name, clip in clips.items()}


def _emulated(
    network: Network, profile: Profile, thresholds: dict[str, float] | None = None, **plan: object
) -> ModelProto:
    chosen = _thresholds(network) if thresholds is None else thresholds
    return emulate(network, chosen, profile, DevicePlan(**plan), notes={})  # type: ignore[arg-type]


def _outputs(model: ModelProto, level: object = OPTIMISED, *, inner: str = "", save: str = ""):
    """Return the model's output for each image; that of the tensor `inner` if it is given."""
    ours = ModelProto()
    ours.CopyFrom(model)
    if inner:
        ours.graph.output[0].CopyFrom(helper.make_tensor_value_info(inner, TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 3
    if save:
        options.optimized_model_filepath = save
    session = onnxruntime.InferenceSession(
        ours.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return [session.run(None, {ours.graph.input[0].name: x})[0] for x in images(3)]


def _fp16(x: Array) -> Array:
    return x.astype(np.float16).astype(np.float32)


def _nothing(x: Array) -> Array:
    return x


def _convolved(x: NDArray[np.int64], weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the sums of a convolution of 3 x 3 with zeros around the image."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, weights)


@dataclass(frozen=True)
class _Oracle:
    """The network of `residual_net` by the rules, in int64 and float32 of numpy."""

    constants: Mapping[str, Array]
    thresholds: Mapping[str, float]
    profile: Profile
    per_channel: bool

    def step(self, name: str) -> np.float32:
        return np.float32(self.thresholds[name] / LEVELS[self.profile])

    def integers(self, name: str, x: Array) -> NDArray[np.int64]:
        return np.clip(np.rint(x / self.step(name)), -127, 127).astype(np.int64)

    def layer(self, name: str, read: str, x: Array) -> Array:
        weight, levels = self.constants[f"{name}.weight"], np.float32(LEVELS[self.profile])
        axes = (1, 2, 3) if self.per_channel else None
        scale = np.abs(weight).max(axis=axes, keepdims=True) / levels
        whole = np.clip(np.rint(weight / scale), -127, 127).astype(np.int64)
        sums = _convolved(self.integers(read, x), whole).astype(np.float32)
        unit = scale.astype(np.float64).reshape(1, -1, 1, 1) * np.float64(self.step(read))
        return sums / (1 / unit).astype(np.float32) + self.constants[f"{name}.bias"][:, None, None]

    def __call__(self, x: Array) -> Array:
        tvm = self.profile is Profile.TVM
        half: Callable[[Array], Array] = _nothing if tvm else _fp16

        def given(name: str, value: Array) -> Array:
            """Return a tensor that layers read, as an operator that is not a layer reads it."""
            return np.float32(self.integers(name, value)) * self.step(name) if tvm else value

        head = half(self.layer("head", "x", _fp16(x)))
        relu = np.maximum(half(self.layer("body.0", "head", head)), 0)
        body = given("body.1", half(self.layer("body.1", "relu", relu)))
        after = np.maximum(half(body + given("head", head)), 0)
        up = half(self.layer("up", "after", after))
        n, c, h, w = up.shape
        wide = up.reshape(n, c // 4, 2, 2, h, w).transpose(0, 1, 4, 2, 5, 3)
        return _fp16(self.layer("tail", "up", wide.reshape(n, c // 4, 2 * h, 2 * w)))


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("profile", Profile)
def test_a_residual_net_computes_the_bits_of_a_model_in_int64(
    network: Network, profile: Profile, per_channel: bool
) -> None:
    thresholds = _thresholds(network)
    model = _emulated(network, profile, thresholds, per_channel=per_channel)
    onnx.checker.check_model(model, full_check=True)
    oracle = _Oracle(network.constants, thresholds, profile, per_channel)  # type: ignore[arg-type]
    for x, output in zip(images(3), _outputs(model), strict=True):
        np.testing.assert_array_equal(output, oracle(x))


def test_the_readings_differ_from_each_other_and_from_fp32(network: Network) -> None:
    thresholds = {name: value / 0.9 for name, value in _thresholds(network).items()}
    models = (*(_emulated(network, profile, thresholds) for profile in Profile), network.model)
    tvm, fine, full = (np.stack(_outputs(model)) for model in models)
    noise_db = [float(10 * np.log10(np.square(low - full).mean())) for low in (tvm, fine)]
    assert noise_db == pytest.approx([-42.3, -44.9], abs=1)


@pytest.mark.parametrize("profile", Profile)
def test_no_optimiser_touches_the_integers(
    network: Network, profile: Profile, tmp_path: Path
) -> None:
    model = _emulated(network, profile)
    saved = tmp_path / "optimised.onnx"
    optimised = _outputs(model, save=str(saved))
    np.testing.assert_array_equal(optimised, _outputs(model, PLAIN))
    graph = onnx.load(saved).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    layers = [node for node in graph.node if node.op_type.endswith("Conv")]
    assert len(layers) == 5
    for layer in layers:
        assert len(layer.input) == 2, "a bias was moved into the layer"
        weights = constants[layer.input[1]]
        assert np.abs(weights).max() == 127
        np.testing.assert_array_equal(weights, np.rint(weights))


@pytest.mark.parametrize(("profile", "halves", "integers"), [("tvm", 2, 6), ("fine", 7, 5)])
def test_no_node_is_idle(network: Network, profile: str, halves: int, integers: int) -> None:
    """A ReLU is the end of a clip where only int8 layers read it; fp16 is not rounded again."""
    nodes = _emulated(network, Profile(profile)).graph.node
    read = {name for node in nodes for name in node.input}
    assert {name for node in nodes for name in node.output} - read == {"y"}
    kinds = Counter(node.op_type for node in nodes)
    assert (kinds["Cast"], kinds["Round"], kinds["Relu"]) == (2 * halves, integers, 0)


@pytest.mark.parametrize(("profile", "part"), [(Profile.TVM, 127 / 128), (Profile.FINE, 1)])
def test_a_threshold_is_so_many_levels(network: Network, profile: Profile, part: float) -> None:
    thresholds = _thresholds(network) | {"x": 0.25}
    model = _emulated(network, profile, thresholds)
    integers = np.stack(_outputs(model, inner="x/int8"))
    assert integers.max() == 127
    values = integers * np.float32(0.25 / LEVELS[profile])
    assert values.max() == pytest.approx(0.25 * part, rel=1e-6)
    weights = next(part for part in model.graph.initializer if part.name == "head.weight/int8/0")
    first = network.constants["head.weight"][0]
    expected = np.rint(first / np.abs(first).max() * LEVELS[profile])
    weight = numpy_helper.to_array(weights)[0]
    np.testing.assert_array_equal(weight, np.clip(expected, -127, 127))


@pytest.mark.parametrize("profile", Profile)
def test_the_input_and_the_output_are_fp16(network: Network, profile: Profile) -> None:
    model = _emulated(network, profile, skip=("head",))
    outputs = np.stack(_outputs(model))
    np.testing.assert_array_equal(outputs, _fp16(outputs))
    read = np.stack(_outputs(model, inner="x/fp16"))
    np.testing.assert_array_equal(read, _fp16(np.stack(images(3))))
    assert (read != np.stack(images(3))).any()


def test_fine_with_every_layer_skipped_is_fp16(network: Network, tmp_path: Path) -> None:
    to_fp16(tmp_path / "net.onnx", tmp_path / "fp16.onnx")
    expected = _outputs(onnx.load(tmp_path / "fp16.onnx"))
    outputs = _outputs(_emulated(network, Profile.FINE, {}, skip=("*",)))
    np.testing.assert_array_equal(outputs, expected)


@pytest.mark.parametrize("profile", Profile)
def test_skipped_layers_compute_in_float_on_fp16_weights(
    network: Network, profile: Profile
) -> None:
    model = _emulated(network, profile, skip=("body.*", "tail"))
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert {name for name in constants if name.endswith("/int8/0")} == {
        "head.weight/int8/0",
        "up.weight/int8/0",
    }
    for name in ("body.0.weight", "body.1.bias", "tail.weight"):
        np.testing.assert_array_equal(constants[name], _fp16(network.constants[name]))
    value = np.stack(_outputs(model, inner="body.1"))
    np.testing.assert_array_equal(value, _fp16(value))
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    share = sum(layer.share for layer in network.layers if layer.name in ("head", "up"))
    assert float(metadata["sr_bench.int8_share"]) == pytest.approx(share, abs=1e-4)
    assert metadata["sr_bench.skip"] == "body.* tail"


def test_skipping_a_layer_brings_the_output_nearer(network: Network) -> None:
    full = np.stack(_outputs(network.model))
    errors = [
        np.square(np.stack(_outputs(_emulated(network, Profile.FINE, skip=skip))) - full).mean()
        for skip in ((), ("head",), ("*",))
    ]
    assert errors[0] > 1.05 * errors[1] > 100 * errors[2]


def test_the_file_says_what_it_is(network: Network) -> None:
    model = emulate(
        network, _thresholds(network), Profile.TVM, DevicePlan(), notes={"observer": "kl"}
    )
    assert {entry.key: entry.value for entry in model.metadata_props} == {
        PRECISION_KEY: "int8",
        "sr_bench.profile": "tvm",
        "sr_bench.skip": "",
        "sr_bench.int8_share": "1.0000",
        "sr_bench.float_operators": "",
        "sr_bench.observer": "kl",
    }


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), -1.0, 1e39])
def test_a_threshold_must_be_a_number(network: Network, threshold: float) -> None:
    thresholds = _thresholds(network) | {"relu": threshold}
    with pytest.raises(BackendError, match=r"'relu' is .*; expected a finite number from 0 on"):
        _emulated(network, Profile.FINE, thresholds)


@pytest.mark.parametrize("profile", Profile)
def test_a_missing_threshold_is_named(network: Network, profile: Profile) -> None:
    thresholds = _thresholds(network)
    del thresholds["relu"]
    with pytest.raises(BackendError, match="expected a threshold of the tensor 'relu'"):
        _emulated(network, profile, thresholds)


def test_a_layer_that_is_not_there_can_t_be_skipped(network: Network) -> None:
    with pytest.raises(CardError, match="'haed'"):
        _emulated(network, Profile.TVM, skip=("haed",))


@pytest.mark.parametrize("profile", Profile)
def test_what_was_always_zero_stays_finite(network: Network, profile: Profile) -> None:
    thresholds = _thresholds(network) | {"relu": 0.0}
    weight = network.constants["body.1.weight"].copy()
    weight[3] = 0
    network.constants["body.1.weight"] = weight  # type: ignore[index]
    value = np.stack(_outputs(_emulated(network, profile, thresholds), inner="body.1"))
    assert np.isfinite(value).all()
    bias = network.constants["body.1.bias"][3]
    assert value[:, 0, 3] == pytest.approx(bias, rel=1e-3)
