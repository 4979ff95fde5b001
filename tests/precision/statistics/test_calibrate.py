"""One pass over a calibration set: complete, bounded, and the same bits however it is run."""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from itertools import combinations
from pathlib import Path
from time import sleep

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sr_bench.core.int8 import ClipRange
from sr_bench.core.network_io import NetworkInput
from sr_bench.errors import BackendError, DatasetError
from sr_bench.precision.histogram import Counting, Histogram
from sr_bench.precision.network import Network, read_network
from sr_bench.precision.points import points
from sr_bench.precision.statistics.calibrate import Statistics, collect
from sr_bench.precision.statistics.tails import Tails
from sr_bench.precision.tiles import ANY_SIZE, LARGEST_TILE
from tests.precision.nets import images, residual_net, values

Loader = Callable[[], np.ndarray]
SIZES = ((24, 32), (40, 20), (9, 13), (33, 200), (24, 32), (17, 50))


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return residual_net(tmp_path / "net.onnx")


def _image(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((1, 3, height, width), dtype=np.float32) ** 2


def _inputs(sizes: tuple[tuple[int, int], ...] = SIZES) -> dict[str, Loader]:
    return {f"{i}.png": lambda i=i, size=size: _image(*size, i) for i, size in enumerate(sizes)}


def _collect(
    network: Network,
    inputs: Mapping[str, Loader],
    *,
    memory_mib: float = 1024,
    moments: bool = True,
    workers: int = 1,
    progress: Callable[[int, int, str], None] = lambda done, planned, name: None,
    given: NetworkInput = ANY_SIZE,
    stress: Collection[str] = (),
    largest: int = LARGEST_TILE,
) -> Statistics:
    return collect(
        network,
        inputs,
        memory_bytes=int(memory_mib * 2**20),
        moments=moments,
        workers=workers,
        progress=progress,
        given=given,
        stress=stress,
        largest=largest,
    )


def _assert_same_histogram(first: Histogram, second: Histogram) -> None:
    assert (first.low, first.high, first.exponent) == (second.low, second.high, second.exponent)
    np.testing.assert_array_equal(first.counts, second.counts)


def _assert_same(first: Statistics, second: Statistics) -> None:
    assert first.histograms.keys() == second.histograms.keys()
    for name, histogram in first.histograms.items():
        _assert_same_histogram(histogram, second.histograms[name])
    assert first.live.keys() == second.live.keys()
    for name, histogram in first.live.items():
        _assert_same_histogram(histogram, second.live[name])
    assert set(first.moments) == set(second.moments)
    for name, moment in first.moments.items():
        np.testing.assert_array_equal(moment, second.moments[name])


def test_the_histograms_are_those_of_the_network_s_tensors(network: Network) -> None:
    inputs = _inputs(SIZES[:3])
    stats = _collect(network, inputs)
    names = tuple(stats.histograms)
    every = [values(network, load(), names) for load in inputs.values()]
    for name, histogram in stats.histograms.items():
        tensors = [outputs[name] for outputs in every]
        assert histogram.low == pytest.approx(min(t.min() for t in tensors), abs=1e-5)
        assert histogram.high == pytest.approx(max(t.max() for t in tensors), abs=1e-5)
        assert histogram.counts.sum() == sum(-(-t.size // 4) for t in tensors)


def test_tails_are_kept_of_each_image_and_observers_see_no_image_that_stresses(
    network: Network,
) -> None:
    # 300 pixels are two tiles.
    dim, bright = (lambda: _image(40, 300, 1) / 2), (lambda: _image(150, 150, 2))
    plain = _collect(network, {"dim": dim})
    both = _collect(network, {"dim": dim, "bright": bright}, stress={"bright"})
    for name, histogram in both.histograms.items():
        _assert_same_histogram(histogram, plain.histograms[name])
    assert both.histograms["x"].high < 0.5 < both.tails["x"].extremes.high
    clipped = both.tails["x"].clipping(ClipRange(0.0, 0.5))
    assert clipped[1] == 0
    assert clipped[0] == np.inf  # more than a tail of the bright one lies outside
    clipped = both.tails["x"].clipping(ClipRange(0.0, 0.999))
    expected = np.mean(np.maximum(bright().reshape(-1)[::4] - 0.999, 0) ** 2)
    assert clipped[0] == pytest.approx(expected, rel=0.5)
    with pytest.raises(DatasetError, match="at least one image"):
        _collect(network, {"bright": bright}, stress={"bright"})


def test_only_values_that_matter_are_kept_of_what_is_added_before_a_relu(network: Network) -> None:
    stats = _collect(network, _inputs(SIZES[:2]))
    outputs = [values(network, load(), ("body.1", "head")) for load in _inputs(SIZES[:2]).values()]
    # 'head' is read by a convolution too.
    assert stats.live.keys() == {"body.1"}
    lows = [np.maximum(o["body.1"], np.minimum(-o["head"], 0)).min() for o in outputs]
    assert stats.live["body.1"].low == pytest.approx(min(lows), abs=1e-5)
    assert (stats.live["body.1"].counts != stats.histograms["body.1"].counts).any()
    assert stats.live["body.1"].high == stats.histograms["body.1"].high
    assert stats.tails["body.1"].extremes.low == stats.live["body.1"].low


@pytest.mark.parametrize(
    ("count", "memory_mib", "workers"), [(6, 64, 1), (6, 5, 2), (6, 64, 3), (6, 6.5, 4), (3, 64, 2)]
)
def test_neither_order_nor_workers_nor_memory_change_a_bit(
    network: Network, count: int, memory_mib: float, workers: int
) -> None:
    inputs = _inputs()
    names = list(inputs)
    turned = [*names[count:], *names[:count]][::-1]
    other = {name: inputs[name] for name in turned}
    first = _collect(network, inputs)
    second = _collect(network, other, memory_mib=memory_mib, workers=workers)
    _assert_same(first, second)
    for name, tails in first.tails.items():
        for field in fields(Tails):
            ours, theirs = (getattr(t, field.name) for t in (tails, second.tails[name]))
            np.testing.assert_array_equal(ours, theirs)


def test_moments_do_not_change_the_histograms(network: Network) -> None:
    inputs = _inputs(SIZES[:2])
    plain = _collect(network, inputs, moments=False)
    assert not plain.moments
    for name, histogram in _collect(network, inputs).histograms.items():
        _assert_same_histogram(histogram, plain.histograms[name])


def test_what_the_network_gives_is_kept_of_small_images(network: Network) -> None:
    inputs = _inputs()
    found = _collect(network, inputs).outputs
    assert found.keys() == inputs.keys() - {"3.png"}  # 200 pixels wide
    for name, (seen, output) in found.items():
        np.testing.assert_array_equal(seen, inputs[name]())
        expected = values(network, seen, (network.output,))[network.output]
        np.testing.assert_allclose(output, expected, atol=1e-5)
    tiles = _collect(network, {"0.png": inputs["0.png"]}, largest=16).outputs
    assert not tiles  # the image is none of them alone


def test_two_halves_add_up_to_the_whole(network: Network) -> None:
    inputs = _inputs()
    names = list(inputs)
    halves = [
        _collect(network, {name: inputs[name] for name in part}, moments=False)
        for part in (names[:2], names[2:])
    ]
    for name, histogram in _collect(network, inputs, moments=False).histograms.items():
        merged = halves[0].histograms[name].merged(halves[1].histograms[name])
        _assert_same_histogram(histogram, merged)


def test_there_is_a_histogram_for_every_tensor_of_every_plan(network: Network) -> None:
    stats = _collect(network, _inputs(SIZES[:1]), moments=False)
    for count in range(len(network.layers)):
        for kept in combinations(network.layers, count):
            assert points(network, kept).tensors <= stats.histograms.keys()
    assert "body.1" in stats.histograms
    assert network.output in stats.histograms


def test_what_follows_from_another_tensor_has_its_counts(network: Network) -> None:
    histograms = _collect(network, _inputs(SIZES[:2]), moments=False).histograms
    _assert_same_histogram(histograms["wide"], histograms["up"])


def test_a_relu_of_an_observed_tensor_is_not_observed_again(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "w"], ["c"]),
        helper.make_node("Conv", ["a", "w"], ["d"]),
        helper.make_node("Concat", ["c", "d"], ["y"], axis=1),
    ]
    mixed = (np.eye(3, dtype=np.float32) - 0.4).reshape(3, 3, 1, 1)
    network = _network(tmp_path, nodes, w=mixed)
    stats = _collect(network, _inputs(SIZES[:2]))
    _assert_same_histogram(stats.histograms["b"], stats.histograms["a"].relu())
    assert stats.histograms["a"].low < 0 == stats.histograms["b"].low
    image = _image(*SIZES[0], 0)
    behind = np.maximum(np.einsum("oi,bihw->bohw", mixed[:, :, 0, 0], image), 0)
    assert stats.histograms["b"].high >= behind.max() * 0.999


def test_moments_are_those_of_what_the_layers_read(network: Network) -> None:
    inputs = {str(i): lambda image=image: image for i, image in enumerate(images(9, 40))}
    moments = _collect(network, inputs).moments
    assert set(moments) == {layer.weight for layer in network.layers}
    for layer in network.layers:
        names = (layer.input, network.output)
        tensors = [values(network, load(), names)[layer.input] for load in inputs.values()]
        patches = []
        for tensor in tensors:
            padded = np.pad(tensor[0], ((0, 0), (1, 1), (1, 1)))
            seen = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
            patches.append(seen.transpose(0, 3, 4, 1, 2).reshape(9 * len(padded), -1))
        every = np.concatenate(patches, axis=1)
        true = every @ every.T / every.shape[1]
        error = np.linalg.norm(moments[layer.weight] - true) / np.linalg.norm(true)
        assert error < 0.1, layer.name  # as many random positions: 0.03 to 0.08
        assert np.trace(moments[layer.weight]) == pytest.approx(np.trace(true), rel=0.02)


@pytest.mark.parametrize("size", [1, 15, 192, 193, 257, 384, 385, 500, 1000, 1080, 1920, 7937])
def test_large_images_are_cut_into_equal_tiles(tmp_path: Path, size: int) -> None:
    network = _network(tmp_path, [helper.make_node("Conv", ["x", "w"], ["y"])])
    columns = np.arange(size, dtype=np.float32)
    image = np.broadcast_to(columns, (1, 3, 2, size))
    seen: list[np.ndarray] = []
    original = Histogram.of

    def spy(array: np.ndarray, *, where: str, counting: Counting) -> Histogram:
        if where == "x":
            seen.append(array)
        return original(array, where=where, counting=counting)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Histogram, "of", spy)
        _collect(network, {"wide": lambda: image}, moments=False)
    seen.sort(key=lambda tile: tile[0, 0, 0, 0])
    np.testing.assert_array_equal(np.concatenate(seen, axis=3), image)
    widths = [tile.shape[3] for tile in seen]
    assert len(widths) == -(-size // LARGEST_TILE)
    assert max(widths) <= LARGEST_TILE
    assert max(widths) - min(widths) < 32
    assert all(width % 16 == 0 for width in widths[:-1])


def test_a_large_image_counts_as_its_tiles(network: Network) -> None:
    image = _image(200, 210, 0)
    whole = _collect(network, {"whole": lambda: image}, workers=2)
    parts = [
        image[:, :, y, x]
        for y in (slice(96), slice(96, 200))
        for x in (slice(112), slice(112, 210))
    ]
    tiles = {str(i): lambda part=part: part.copy() for i, part in enumerate(parts)}
    _assert_same(whole, _collect(network, tiles))


def test_an_image_is_whole_up_to_the_largest_side_that_is_asked_for(network: Network) -> None:
    image = _image(200, 210, 0)
    whole = _collect(network, {"a": lambda: image}, moments=False, largest=224)
    tiles = _collect(network, {"a": lambda: image}, moments=False)
    counts = [each.histograms[network.output].counts for each in (whole, tiles)]
    assert not np.array_equal(*counts)  # tiles see zeros around them


def test_progress_is_reported_after_each_image(network: Network) -> None:
    calls: list[tuple[int, int, str]] = []
    _collect(
        network,
        _inputs(SIZES[:4]),
        moments=False,
        workers=3,
        progress=lambda *call: calls.append(call),
    )
    assert calls == [(i + 1, 4, f"{i}.png") for i in range(4)]


def test_an_empty_set_is_an_error(network: Network) -> None:
    with pytest.raises(DatasetError, match="calibration set is empty"):
        _collect(network, {})


def test_a_constant_image_is_calibrated_with(network: Network) -> None:
    stats = _collect(network, {"black": lambda: np.zeros((1, 3, 20, 20), np.float32)})
    assert (stats.histograms["x"].low, stats.histograms["x"].high) == (0, 0)
    assert not stats.moments["head.weight"].any()
    assert np.isfinite(stats.moments["tail.weight"]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_names_image_and_tensor(network: Network, bad: float) -> None:
    image = _image(20, 20, 0)
    image[0, 1, 5, 5] = bad
    inputs = {"good.png": lambda: _image(20, 20, 1), "bad.png": lambda: image}
    with pytest.raises(BackendError, match=r"bad\.png: the tensor 'x' holds"):
        _collect(network, inputs, workers=2)


def test_a_tensor_that_overflows_is_named(tmp_path: Path) -> None:
    huge = np.full((3, 3, 1, 1), 1e38, np.float32)
    network = _network(tmp_path, [helper.make_node("Conv", ["x", "w"], ["y"])], w=huge)
    with pytest.raises(BackendError, match=r"large\.png: the tensor 'y' holds .* inf"):
        _collect(network, {"large.png": lambda: np.full((1, 3, 4, 4), 255, np.float32)})


def test_too_little_memory_says_how_much_is_needed(network: Network) -> None:
    with pytest.raises(
        BackendError, match=r"9\.png: .* 150 x 180 .* 0\.5 MiB are allowed"
    ) as error:
        _collect(network, {"9.png": lambda: _image(150, 180, 0)}, memory_mib=0.5)
    assert "raise sr_calibration_memory" in str(error.value)
    needed = int(str(error.value).partition(" MiB")[0].rpartition(" ")[2])
    assert needed > 2
    stats = _collect(network, {"9.png": lambda: _image(150, 180, 0)}, memory_mib=needed, workers=3)
    assert stats.histograms


def _most_at_a_time(
    network: Network, memory_mib: float, patch: pytest.MonkeyPatch, *, patience_s: float = 0.05
) -> int:
    """Return how many of 8 tiles were begun and not yet done, at most, with 4 workers.

    A tile that is alone waits for a second one, `patience_s` seconds at most.
    """
    busy: set[int] = set()
    met = threading.Event()
    most = 0
    lock = threading.Lock()
    original = Histogram.of

    def spy(array: np.ndarray, *, where: str, counting: Counting) -> Histogram:
        nonlocal most
        with lock:
            if where == network.input:
                busy.add(threading.get_ident())
            most = max(most, len(busy))
        if most > 1:
            met.set()
        if where == network.input:
            met.wait(patience_s)
        histogram = original(array, where=where, counting=counting)
        if where == network.output:
            busy.discard(threading.get_ident())
        return histogram

    inputs = {str(i): lambda i=i: _image(64, 64, i) for i in range(8)}
    patch.setattr(Histogram, "of", spy)
    _collect(network, inputs, memory_mib=memory_mib, workers=4, moments=False)
    patch.undo()
    return most


def test_tight_memory_lets_fewer_tiles_run_at_a_time(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BackendError) as error:
        _most_at_a_time(network, 0.01, monkeypatch)
    monkeypatch.undo()
    needed = int(str(error.value).partition(" MiB")[0].rpartition(" ")[2])
    assert _most_at_a_time(network, needed, monkeypatch) == 1
    assert _most_at_a_time(network, 1024, monkeypatch, patience_s=60) > 1


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((1, 4, 8, 8), np.float32), "1 x 4 x 8 x 8; give it one image of its own"),
        (np.zeros((1, 3, 8, 8)), "float64 of 1 x 3 x 8 x 8"),
        (np.zeros((3, 8, 8), np.float32), "float32 of 3 x 8 x 8"),
        (np.zeros((2, 3, 8, 8), np.float32), "float32 of 2 x 3 x 8 x 8"),
        (np.zeros((1, 3, 0, 8), np.float32), "float32 of 1 x 3 x 0 x 8"),
    ],
)
def test_an_image_that_does_not_fit_is_named(
    network: Network, image: np.ndarray, message: str
) -> None:
    with pytest.raises(BackendError, match=rf"a\.png: .*, got {message}"):
        _collect(network, {"a.png": lambda: image})


def test_a_batch_of_images_is_refused(tmp_path: Path) -> None:
    network = _network(tmp_path, [helper.make_node("Conv", ["x", "w"], ["y"])])
    with pytest.raises(BackendError, match="got float32 of 2 x 3 x 8 x 8"):
        _collect(network, {"a": lambda: np.zeros((2, 3, 8, 8), np.float32)})


def test_a_network_of_a_fixed_size_gets_whole_images_of_that_size(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Reshape", ["a", "size"], ["y"]),
    ]
    size = np.array([1, 3, 200, 208])
    network = _network(tmp_path, nodes, shape=[1, 3, 200, 208], size=size)
    stats = _collect(network, {"a": lambda: _image(200, 208, 0)})
    assert stats.histograms["x"].counts.sum() == 3 * 200 * 208 // 4
    fault = r"b: .* 1 x 3 x 200 x 208, got 1 x 3 x 8 x 8; .*input_shape = \[200, 208\]"
    with pytest.raises(BackendError, match=fault):
        _collect(network, {"b": lambda: _image(8, 8, 0)})


def test_a_network_of_a_fixed_size_gets_tiles_of_that_size_that_cover_an_image(
    tmp_path: Path,
) -> None:
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"])]
    network = _network(tmp_path, nodes, shape=[1, 3, 16, 20])
    image = np.zeros((1, 3, 24, 41), np.float32)
    image[..., -1, -1] = 1
    stats = _collect(network, {"a": lambda: image})
    assert stats.histograms["x"].counts.sum() == 2 * 3 * 3 * 16 * 20 // 4
    assert stats.histograms["x"].high == 1


@pytest.mark.parametrize("size", [(9, 7), (250, 200)])
def test_a_network_that_needs_multiples_gets_padded_tiles(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    """Of a U-Net: what goes down by 12 and up again has to fit what did not."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("AveragePool", ["a"], ["low"], kernel_shape=[12] * 2, strides=[12] * 2),
        helper.make_node("Resize", ["low", "", "scales"], ["up"], mode="nearest"),
        helper.make_node("Add", ["a", "up"], ["y"]),
    ]
    network = _network(tmp_path, nodes, scales=np.array([1, 1, 12, 12], np.float32))
    stats = _collect(network, {"odd.png": lambda: _image(*size, 0) + 1})
    padded = 3 * np.prod([-(-side // 12) * 12 for side in size])
    assert stats.histograms["x"].counts.sum() == padded // 4
    assert stats.histograms["x"].low >= 1, "padded by the image itself, not by zeros"


def test_the_cards_sizes_are_taken_where_the_network_runs_on_any(network: Network) -> None:
    def pixels(given: NetworkInput, height: int, width: int) -> int:
        stats = _collect(network, {"a": lambda: _image(height, width, 0) + 1}, given=given)
        assert stats.histograms["x"].low >= 1, "padded by the image itself, not by zeros"
        return stats.histograms["x"].counts.sum() * 4 // 3

    assert pixels(NetworkInput(multiple_of=24), 30, 200) == 48 * 216
    tiles = NetworkInput(size=(20, 24), overlap=4)
    assert pixels(tiles, 36, 44) == 2 * 2 * 20 * 24
    assert pixels(tiles, 9, 11) == 20 * 24
    rigid = NetworkInput(size=(20, 24))
    assert pixels(rigid, 20, 48) == 20 * 48
    with pytest.raises(BackendError, match=r"a: .*got 1 x 3 x 9 x 11.*input_shape = \[20, 24\]"):
        pixels(rigid, 9, 11)


def test_an_image_that_the_network_cannot_run_is_named(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Reshape", ["a", "eights"], ["y"]),
    ]
    network = _network(tmp_path, nodes, eights=np.array([1, 3, 8, 8]))
    with pytest.raises(BackendError, match=r"odd\.png: the network can't run on 9 x 7 pixels"):
        _collect(network, {"odd.png": lambda: _image(9, 7, 0)})


def test_an_interruption_stops_all_threads(network: Network) -> None:
    loaded: list[int] = []

    def load(i: int) -> np.ndarray:
        loaded.append(i)
        return _image(100, 100, i)

    def interrupt(done: int, planned: int, name: str) -> None:
        raise KeyboardInterrupt

    inputs = {str(i): lambda i=i: load(i) for i in range(500)}
    with pytest.raises(KeyboardInterrupt):
        _collect(network, inputs, workers=2, progress=interrupt)
    assert len(loaded) < 10
    assert not [t for t in threading.enumerate() if t.name.startswith("calibrate")]


def test_an_interruption_does_not_wait_for_the_tiles_at_work(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted = threading.Event()
    late: list[str] = []
    original = Histogram.of

    def slow(array: np.ndarray, *, where: str, counting: Counting) -> Histogram:
        sleep(0.01)
        if interrupted.is_set():
            late.append(where)
            sleep(0.5)  # long enough for a busy machine to bring the interruption here
        return original(array, where=where, counting=counting)

    def interrupt(done: int, planned: int, name: str) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    monkeypatch.setattr(Histogram, "of", slow)
    with pytest.raises(KeyboardInterrupt):
        _collect(network, _inputs(), workers=4, progress=interrupt)
    assert len(late) <= 4  # at most one of each tile


def test_an_error_in_loading_stops_all_threads(network: Network) -> None:
    def load() -> np.ndarray:
        msg = "gone"
        raise OSError(msg)

    with pytest.raises(OSError, match="gone"):
        _collect(network, {**_inputs(), "last": load}, workers=2)
    assert not [t for t in threading.enumerate() if t.name.startswith("calibrate")]


def _network(
    folder: Path, nodes: list[onnx.NodeProto], *, shape: object = None, **constants: np.ndarray
) -> Network:
    """Return a network of `nodes` from x to y; ``w`` is a 1x1 convolution of 3 channels."""
    weights = {"w": np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1)} | constants
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape or ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "net.onnx")
    return read_network(folder / "net.onnx")
