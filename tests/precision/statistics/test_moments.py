"""Second moments are those of the patches that a convolution really reads, exact in any order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from sr_bench.precision.network import Layer, Network, read_network
from sr_bench.precision.statistics.moments import (
    POSITIONS,
    Codes,
    Moments,
    Positions,
    Sample,
    TilePatches,
    Window,
    read_patches,
    windows,
)
from tests.precision.nets import residual_net

PLAIN = Window("x", 1, 36, (3, 3), (1, 1), (1, 1), (1, 1, 1, 1), "NOTSET")

AT = Positions.of(np.zeros((1, 3, 8, 8), np.float32))


def _integers(*shape: int, seed: int = 0) -> np.ndarray:
    """Return integers that 8 bits hold, the largest of which is in the top octave."""
    values = np.random.default_rng(seed).integers(-120, 121, shape).astype(np.float32)
    values.flat[0] = 127
    return values


GEOMETRIES = {
    "same": PLAIN,
    "one by one": replace(PLAIN, rows=4, kernel=(1, 1), pads=(0, 0, 0, 0)),
    "uneven": replace(PLAIN, rows=4 * 15, kernel=(3, 5), pads=(0, 4, 2, 1)),
    "strided": replace(PLAIN, strides=(2, 3)),
    "dilated": replace(PLAIN, dilations=(2, 3), pads=(2, 3, 2, 3)),
    "grouped": replace(PLAIN, group=2),
}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_patches_are_what_a_convolution_multiplies(name: str) -> None:
    window = GEOMETRIES[name]
    x = _integers(1, 4, 19, 26)
    codes = read_patches(x, window, 127.0, Positions.of(x))
    assert codes.exponent == 7
    assert codes.values.shape == (window.rows, POSITIONS)
    inside = window.rows // window.group
    kernel = np.random.default_rng(1).integers(-99, 100, (2 * window.group, inside))
    top, left, bottom, right = window.pads
    reference = torch.conv2d(
        torch.nn.functional.pad(torch.from_numpy(x), (left, right, top, bottom)).double(),
        torch.from_numpy(kernel.reshape(2 * window.group, -1, *window.kernel)).double(),
        stride=window.strides,
        dilation=window.dilations,
        groups=window.group,
    )[0].numpy()
    parts = codes.values.reshape(window.group, inside, POSITIONS).astype(np.int64)
    products = np.einsum("gok,gkp->gop", kernel.reshape(window.group, 2, inside), parts)
    places = {tuple(reference[:, y, x]): (y, x) for y, x in np.ndindex(reference.shape[1:])}
    at = np.array([places[tuple(column)] for column in products.reshape(-1, POSITIONS).T])
    # The positions differ from each other, fill the plane and are of both parities.
    assert len(np.unique(at, axis=0)) > min(0.7 * POSITIONS, 0.6 * len(places))
    for axis, size in enumerate(reference.shape[1:]):
        assert np.bincount(at[:, axis] * 4 // size).min() > POSITIONS / 6
        assert 0.4 < (at[:, axis] % 2).mean() < 0.6


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_automatic_padding_is_that_of_onnxruntime(auto_pad: str) -> None:
    import onnxruntime

    x, kernel = _integers(1, 4, 20, 23), np.arange(1, 4 * 4 * 9 + 1).reshape(4, 4, 3, 3) % 89
    node = helper.make_node("Conv", ["x", "w"], ["y"], auto_pad=auto_pad, strides=[2, 2])
    graph = helper.make_graph(
        [node],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, None, None])],
        [numpy_helper.from_array(kernel.astype(np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (expected,) = session.run(None, {"x": x})
    window = replace(PLAIN, strides=(2, 2), pads=(0, 0, 0, 0), auto_pad=auto_pad)
    codes = read_patches(x, window, 127.0, Positions.of(x))
    products = kernel.reshape(4, -1) @ codes.values.astype(np.int64)
    outputs = {tuple(column) for column in expected[0].reshape(4, -1).T.astype(np.int64)}
    assert {tuple(column) for column in products.T} <= outputs


def test_patches_come_from_every_image_of_a_batch() -> None:
    x = np.stack([np.full((4, 9, 9), value, np.float32) for value in (64, 100, 127)])
    codes = read_patches(
        x, replace(PLAIN, kernel=(1, 1), rows=4, pads=(0,) * 4), 127.0, Positions.of(x)
    )
    assert set(np.unique(codes.values)) == {64, 100, 127}


def test_values_are_rounded_to_a_hundred_and_twenty_eighth_of_a_power_of_two() -> None:
    x = np.random.default_rng(0).normal(0, 3, (1, 4, 30, 30)).astype(np.float32)
    largest = float(np.abs(x).max())
    codes = read_patches(x, replace(PLAIN, kernel=(1, 1), rows=4, pads=(0,) * 4), largest, AT)
    real = codes.values * 2.0 ** (codes.exponent - 7)
    error = np.abs(real[:, :, None] - x.reshape(4, 1, -1)).min(axis=2)
    assert 2.0 ** (codes.exponent - 1) <= largest < 2.0**codes.exponent
    assert error.max() <= 2.0 ** (codes.exponent - 8)


def test_zeros_and_the_largest_value_are_no_exception() -> None:
    zeros = read_patches(np.zeros((1, 4, 5, 5), np.float32), PLAIN, 0.0, AT)
    assert not zeros.values.any()
    nearly = np.full((1, 4, 5, 5), np.nextafter(np.float32(2), np.float32(0)))
    assert read_patches(nearly, PLAIN, float(nearly[0, 0, 0, 0]), AT).values.max() == 127


def _layer(name: str, weight: str = "") -> Layer:
    return Layer(name, name, "x", f"{name}.y", weight or f"{name}.weight", "", 0.1)


def _tile(seed: int, window: Window = PLAIN, *, scale: float = 1) -> TilePatches:
    image = _integers(1, 4, 20, 20, seed=seed) * np.float32(scale)
    at = Positions.of(image)
    codes = read_patches(image, window, float(np.abs(image).max()), at)
    return TilePatches(at.scores, {window: codes})


def _real(tiles: Sequence[TilePatches], window: Window) -> np.ndarray:
    codes = [tile.codes[window] for tile in tiles]
    return np.concatenate([code.values * 2.0 ** (code.exponent - 7) for code in codes], axis=1)


def _moments(tiles: Sequence[TilePatches], layers: Mapping[Layer, Window]) -> Moments:
    sample = Sample(layers)
    for tile in tiles:
        sample.add(tile)
    return Moments(sample)


def test_moments_are_the_mean_products() -> None:
    # Sums of so different scales are rounded, and would depend on the order.
    scales = (1, 3e-6, 7.1, 3e-9, 0.9, 4e-8)
    tiles = [_tile(i, scale=scale) for i, scale in enumerate(scales)]
    moments = _moments(tiles, {_layer("a"): PLAIN})["a.weight"]
    real = _real(tiles, PLAIN)
    np.testing.assert_allclose(moments, real @ real.T / real.shape[1], rtol=1e-12, atol=1e-12)
    again = _moments(tiles[::-1], {_layer("a"): PLAIN})["a.weight"]
    np.testing.assert_array_equal(moments, again)


def test_sums_too_long_for_float32_are_exact() -> None:
    full = Codes(np.full((36, 4000), 127, np.int8), 7)
    full.values[0, ::3] = -126
    sample = Sample({_layer("a"): PLAIN})
    sample.add(TilePatches(np.arange(4000, dtype=np.uint64), {PLAIN: full}))
    wide = full.values.astype(np.int64)
    np.testing.assert_array_equal(Moments(sample)["a.weight"], wide @ wide.T / 4000)


def test_a_grouped_layer_has_moments_for_each_group() -> None:
    window = replace(PLAIN, group=2)
    tiles = [_tile(i, window) for i in range(3)]
    moments = _moments(tiles, {_layer("a"): window})["a.weight"]
    halves = _real(tiles, window).reshape(2, 18, -1)
    np.testing.assert_allclose(moments, halves @ halves.transpose(0, 2, 1) / halves.shape[2])


def test_layers_that_share_weights_add_theirs_up() -> None:
    other = replace(PLAIN, input="z")
    tiles = [
        TilePatches(first.scores, {PLAIN: first.codes[PLAIN], other: second.codes[PLAIN]})
        for first, second in ((_tile(1), _tile(2)), (_tile(3), _tile(4)))
    ]
    shared = {_layer("a", "shared"): PLAIN, _layer("b", "shared"): other, _layer("c"): other}
    moments = _moments(tiles, shared)
    assert set(moments) == {"shared", "c.weight"}
    assert len(moments) == 2
    alone = _moments(tiles, {_layer("a"): PLAIN, _layer("b"): other})
    np.testing.assert_array_equal(moments["shared"], alone["a.weight"] + alone["b.weight"])
    np.testing.assert_array_equal(moments["c.weight"], alone["b.weight"])


def test_a_large_sample_keeps_the_lowest_scores_in_any_order() -> None:
    tiles = [_tile(i) for i in range(50)]
    sample = Sample({_layer("a"): PLAIN})
    most = 0
    for tile in tiles:
        sample.add(tile)
        most = max(most, sum(step.codes[PLAIN].values.nbytes for step in sample.tiles))
    assert most <= sample.largest_bytes
    moments = Moments(sample)["a.weight"]
    assert sum(len(tile.scores) for tile in sample.tiles) == sample.limit == 4096
    every = np.concatenate([tile.scores for tile in tiles])
    chosen = _real(tiles, PLAIN)[:, every <= np.sort(every)[4095]]
    np.testing.assert_allclose(moments, chosen @ chosen.T / 4096, rtol=1e-12)
    shuffled = [tiles[i] for i in np.random.default_rng(0).permutation(50)]
    np.testing.assert_array_equal(moments, _moments(shuffled, {_layer("a"): PLAIN})["a.weight"])


def test_large_networks_keep_fewer_patches_of_each_layer() -> None:
    layers = {_layer(str(i)): replace(PLAIN, input=str(i), rows=2304) for i in range(100)}
    sample = Sample(layers)
    assert 1000 < sample.limit < 1200
    assert sample.largest_bytes < 400 * 2**20
    assert Sample({_layer("a"): replace(PLAIN, rows=2**30)}).limit == POSITIONS


def test_positions_depend_on_the_pixels_alone() -> None:
    first, second = (Positions.of(_integers(1, 3, 9, 9, seed=seed)) for seed in (1, 2))
    again = Positions.of(_integers(1, 3, 9, 9, seed=1))
    np.testing.assert_array_equal(first.scores, again.scores)
    np.testing.assert_array_equal(first.places, again.places)
    assert len(np.intersect1d(first.scores, second.scores)) == 0
    assert len(np.unique(first.scores)) == POSITIONS
    assert np.abs(first.places - second.places).min() > 1e-3
    assert first.places.min() >= 0
    assert first.places.max() < 1


def test_windows_are_read_from_the_nodes(tmp_path: Path) -> None:
    network = residual_net(tmp_path / "net.onnx")
    by_name = {layer.name: window for layer, window in windows(network).items()}
    assert by_name["head"] == Window("x", 1, 27, (3, 3), (1, 1), (1, 1), (1, 1, 1, 1), "NOTSET")
    assert set(by_name) == {"head", "body.0", "body.1", "up", "tail"}


def _conv_network(path: Path, **attributes: object) -> Network:
    weight = np.ones((4, 2, 1, 3), np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w.weight"], ["y"], **attributes)],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, None, None])],
        [numpy_helper.from_array(weight, "w.weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return read_network(path)


def test_a_window_has_all_that_the_node_says(tmp_path: Path) -> None:
    network = _conv_network(
        tmp_path / "a.onnx", group=2, strides=[1, 2], dilations=[3, 1], pads=[0, 1, 0, 2]
    )
    (window,) = windows(network).values()
    assert window == Window("x", 2, 12, (1, 3), (1, 2), (3, 1), (0, 1, 0, 2), "NOTSET")
    network = _conv_network(tmp_path / "b.onnx", group=2, auto_pad="SAME_UPPER")
    (window,) = windows(network).values()
    assert window.auto_pad == "SAME_UPPER"
