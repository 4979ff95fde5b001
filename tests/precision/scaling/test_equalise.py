"""Scaled channels leave what a network computes, and less noise when it is rounded to 8 bits."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.precision.network import Network, read_network
from sr_bench.precision.noise.reach import Reach, reach
from sr_bench.precision.qdq.rounding import integer_weights
from sr_bench.precision.qdq.write import quantise
from sr_bench.precision.scaling.channel_profile import Profile, channel_profiles
from sr_bench.precision.scaling.channels import FIXED, Channels
from sr_bench.precision.scaling.equalise import Scaling, scaled, scaling, watched
from tests.precision.nets import exact_clips, images, residual_net

PLAN = Int8Plan(rounding="nearest")
XS = images(3)


def _dense_net(path: Path) -> Network:
    """Write and read a network with all that hands factors on.

    A dense block with LeakyReLU and a scaled residual, a gate over channels, a grouped layer, and
    a pixel shuffle.
    """
    rng = np.random.default_rng(5)
    constants = [numpy_helper.from_array(np.array(0.2, np.float32), "fifth")]

    def conv(
        name: str, source: str, outputs: int, inputs: int, size: int = 3, group: int = 1
    ) -> NodeProto:
        weight = rng.normal(0, 1 / np.sqrt(size * size * inputs), (outputs, inputs, size, size))
        constants.append(numpy_helper.from_array(weight.astype(np.float32), f"{name}.weight"))
        bias = numpy_helper.from_array(rng.normal(0, 0.1, outputs).astype(np.float32), f"{name}.b")
        constants.append(bias)
        read = [source, f"{name}.weight", f"{name}.b"]
        pads = [size // 2] * 4
        return helper.make_node("Conv", read, [name], name=f"/{name}", pads=pads, group=group)

    nodes = [
        conv("head", "x", 8, 3),
        conv("grow1", "head", 4, 8),
        helper.make_node("LeakyRelu", ["grow1"], ["l1"], alpha=0.2),
        helper.make_node("Concat", ["head", "l1"], ["c1"], axis=1),
        conv("grow2", "c1", 4, 12),
        helper.make_node("LeakyRelu", ["grow2"], ["l2"], alpha=0.2),
        helper.make_node("Concat", ["c1", "l2"], ["c2"], axis=1),
        conv("fuse", "c2", 8, 16),
        helper.make_node("LeakyRelu", ["fuse"], ["fused"], alpha=1.0),
        helper.make_node("Mul", ["fused", "fifth"], ["less"]),
        helper.make_node("Add", ["less", "head"], ["trunk"]),
        helper.make_node("GlobalAveragePool", ["trunk"], ["pooled"]),
        conv("gate", "pooled", 8, 8, 1),
        helper.make_node("Sigmoid", ["gate"], ["open"]),
        helper.make_node("Mul", ["trunk", "open"], ["gated"]),
        conv("groups", "gated", 16, 2, group=4),
        helper.make_node("Relu", ["groups"], ["active"]),
        helper.make_node("DepthToSpace", ["active"], ["wide"], blocksize=2, mode="CRD"),
        conv("tail", "wide", 3, 4),
    ]
    nodes[-1].output[0] = "y"
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, *sides])
        for name, sides in (("x", ("h", "w")), ("y", ("v", "u")))
    ]
    graph = helper.make_graph(nodes, "dense", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return read_network(path)


def _outputs(model: ModelProto) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return np.stack([session.run(None, {"x": x})[0] for x in XS])


def _loads() -> dict[str, Callable[[], np.ndarray]]:
    return {str(number): partial(np.asarray, x) for number, x in enumerate(XS)}


def _profiles(network: Network) -> dict[str, Profile]:
    return channel_profiles(network, watched(network), _loads(), workers=2)


def _scaling(network: Network, *, may_loosen: bool = False) -> Scaling:
    reached = reach(network, _loads())
    return scaling(network, _profiles(network), reached, may_loosen=may_loosen)


def _scaled(network: Network, *, may_loosen: bool = False) -> Network:
    return scaled(network, _scaling(network, may_loosen=may_loosen))


def _factors(network: Network, profiles: Mapping[str, Profile]) -> Mapping[str, np.ndarray]:
    return scaling(network, profiles, reach(network, _loads()), may_loosen=False).factors


def _unequal(network: Network) -> Network:
    """Return `network` with channels that differ in range by a factor of up to 8."""
    channels = Channels.of(network)
    by_class = np.exp2(np.random.default_rng(2).uniform(-3, 0, channels.count)).astype(np.float32)
    by_class[FIXED] = 1
    factors = {name: by_class[each] for name, each in channels.classes.items()}
    return scaled(network, Scaling(factors, is_loose=False))


def _noise(network: Network, reference: np.ndarray) -> float:
    clip: dict[str, ClipRange] = exact_clips(network, XS)
    model = quantise(network, clip, integer_weights(network, {}), PLAN, (), notes={})
    return float(np.square(_outputs(model) - reference).mean())


@pytest.mark.parametrize("make", [residual_net, _dense_net])
def test_a_scaled_network_computes_the_same(
    tmp_path: Path, make: Callable[[Path], Network]
) -> None:
    network = make(tmp_path / "net.onnx")
    other = _scaled(network)
    assert any(
        not np.array_equal(network.constants[layer.weight], other.constants[layer.weight])
        for layer in network.layers
    )
    expected = _outputs(network.model)
    assert np.abs(_outputs(other.model) - expected).max() < 1e-5 * np.abs(expected).max()


def test_every_layer_whose_channels_are_free_is_scaled(tmp_path: Path) -> None:
    network = _unequal(_dense_net(tmp_path / "net.onnx"))
    found = _factors(network, _profiles(network))
    assert {"head", "grow1", "grow2", "groups", "c2", "gated", "wide"} <= found.keys()
    assert not {"x", "gate", "y"} & found.keys()


@pytest.mark.parametrize("make", [residual_net, _dense_net])
def test_channels_of_unequal_range_lose_less_once_they_are_scaled(
    tmp_path: Path, make: Callable[[Path], Network]
) -> None:
    network = make(tmp_path / "net.onnx")
    unequal, reference = _unequal(network), _outputs(network.model)
    assert _noise(_scaled(unequal), reference) < 0.3 * _noise(unequal, reference)


def test_a_quiet_channel_is_taken_to_reach_a_part_of_its_tensor(tmp_path: Path) -> None:
    network = residual_net(tmp_path / "net.onnx")
    profiles = _profiles(network)
    quiet = profiles["relu"]
    high = quiet.high.copy()
    high[0] = 0
    found = _factors(network, {**profiles, "relu": replace(quiet, high=high)})["relu"]
    assert found[0] <= 16 * found[1:].max()


def test_values_that_are_no_numbers_are_left_to_calibration(tmp_path: Path) -> None:
    network = residual_net(tmp_path / "net.onnx")
    profiles = _profiles(network)
    bad = replace(profiles["relu"], power=np.full(8, np.nan))
    assert _factors(network, {**profiles, "relu": bad}) == {}


def test_what_is_not_known_of_channels_or_of_their_noise_leaves_them_as_they_are(
    tmp_path: Path,
) -> None:
    network = residual_net(tmp_path / "net.onnx")
    assert _factors(network, {}) == {}
    assert scaling(network, _profiles(network), Reach(), may_loosen=True).factors == {}


def test_a_profile_holds_the_extremes_and_the_power_of_the_middle_of_each_image(
    tmp_path: Path,
) -> None:
    network = residual_net(tmp_path / "net.onnx")
    large = images(1, 100)[0]
    profile = channel_profiles(network, {"x"}, {"large": lambda: large}, workers=1)["x"]
    middle = large[0, :, 18:82, 18:82].astype(np.float64)
    assert np.allclose(profile.high, middle.max(axis=(1, 2)))
    assert np.allclose(profile.power, np.square(middle).mean(axis=(1, 2)), rtol=1e-5)


def test_noise_at_the_output_is_estimated_within_a_tenth(tmp_path: Path) -> None:
    network = residual_net(tmp_path / "net.onnx")
    found = reach(network, _loads()).given
    expected = _outputs(network.model)
    noise = np.random.default_rng(3).normal(0, 1e-3, (1, 8, 24, 24)).astype(np.float32)
    for layer in ("head", "body.1"):
        model = ModelProto()
        model.CopyFrom(network.model)
        node = next(node for node in model.graph.node if node.output[0] == layer)
        node.output[0] = "clean"
        at = list(model.graph.node).index(node)
        model.graph.node.insert(at + 1, helper.make_node("Add", ["clean", "noise"], [layer]))
        model.graph.initializer.append(numpy_helper.from_array(noise, "noise"))
        moved = float(np.square(_outputs(model) - expected).sum()) / len(XS)
        estimate = found[layer].sum() * float(np.square(noise).mean()) / len(XS)
        assert 0.9 < moved / estimate < 1.1


def _long_skip_net(path: Path) -> Network:
    """Write and read three residual blocks that give each channel in another range than the last.

    So no scale of the skip serves all of them.
    """
    rng = np.random.default_rng(11)
    constants: list[TensorProto] = []

    def conv(name: str, source: str, outputs: int, inputs: int) -> NodeProto:
        weight = rng.normal(0, 1 / np.sqrt(9 * inputs), (outputs, inputs, 3, 3))
        if name.startswith("give"):
            weight *= np.exp2(rng.uniform(-4, 4, (outputs, 1, 1, 1)))
        constants.append(numpy_helper.from_array(weight.astype(np.float32), f"{name}.weight"))
        return helper.make_node("Conv", [source, f"{name}.weight"], [name], pads=[1] * 4)

    nodes, trunk = [conv("head", "x", 8, 3)], "head"
    for block in range(3):
        nodes += [
            conv(f"take{block}", trunk, 8, 8),
            helper.make_node("Relu", [f"take{block}"], [f"relu{block}"]),
            conv(f"give{block}", f"relu{block}", 8, 8),
            helper.make_node("Add", [f"give{block}", trunk], [f"sum{block}"]),
        ]
        trunk = f"sum{block}"
    nodes.append(conv("tail", trunk, 3, 8))
    nodes[-1].output[0] = "y"
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "h", "w"]) for name in "xy"
    ]
    graph = helper.make_graph(nodes, "skips", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return read_network(path)


def test_sums_get_multiplications_where_they_lower_the_noise_and_compute_the_same(
    tmp_path: Path,
) -> None:
    network = _long_skip_net(tmp_path / "net.onnx")
    reference, loose = _outputs(network.model), _scaled(network, may_loosen=True)
    count = sum(node.op_type == "Mul" for node in loose.model.graph.node)
    assert count == 7  # behind the head, and before and behind each sum
    assert np.abs(_outputs(loose.model) - reference).max() < 1e-5 * np.abs(reference).max()
    assert _noise(loose, reference) < 0.7 * _noise(_scaled(network), reference)


def test_sums_are_multiplied_by_numbers_of_three_bits(tmp_path: Path) -> None:
    loose = _scaled(_long_skip_net(tmp_path / "net.onnx"), may_loosen=True)
    factors = np.concatenate(
        [value.ravel() for name, value in loose.constants.items() if name.endswith(".scale")]
    )
    assert len({*factors}) > 3
    assert {*np.unique(np.frexp(factors)[0] * 8)} <= {4, 5, 6, 7}


def test_sums_that_gain_nothing_or_read_rounded_values_stay_as_they_are(tmp_path: Path) -> None:
    alike = residual_net(tmp_path / "alike.onnx")  # a ReLU is all that reads its sum
    assert not _scaling(alike, may_loosen=True).is_loose
    network = _long_skip_net(tmp_path / "skips.onnx")
    assert not _scaling(network).is_loose


def test_a_layer_stays_itself_where_its_sum_is_multiplied(tmp_path: Path) -> None:
    network = _long_skip_net(tmp_path / "net.onnx")
    loose = _scaled(network, may_loosen=True)
    assert loose.layers == network.layers
    read = [layer.input for layer in loose.layers]
    assert read != [layer.input for layer in network.layers]


def test_a_channel_that_an_image_that_stresses_takes_far_is_lowered(tmp_path: Path) -> None:
    network = _dense_net(tmp_path / "net.onnx")
    calm = _profiles(network)
    name = network.layers[1].input
    far = 2 * np.eye(len(calm[name].high))[2] * calm[name].high.max()
    stressed = {name: replace(calm[name], high=np.maximum(calm[name].high, far))}
    carried = reach(network, _loads())
    plain, lowered = (
        scaling(network, calm, carried, each, may_loosen=False).factors[name]
        for each in ({}, stressed)
    )
    most, widest = (far * lowered).max(), (calm[name].high * lowered).max()
    assert widest < most <= 1.3 * widest * 1.0001
    others = np.arange(len(plain)) != 2
    assert np.median(lowered[others] / plain[others]) > 0.7


def test_no_channel_is_lowered_where_that_makes_much_more_noise(tmp_path: Path) -> None:
    network = _dense_net(tmp_path / "net.onnx")
    calm = _profiles(network)
    stressed = {
        name: replace(profile, high=100 * profile.high * (np.arange(len(profile.high)) % 3))
        for name, profile in calm.items()
    }
    carried = reach(network, _loads())
    plain, lowered = (
        scaling(network, calm, carried, each, may_loosen=False).factors for each in ({}, stressed)
    )
    for name in plain:
        np.testing.assert_array_equal(plain[name], lowered[name])
