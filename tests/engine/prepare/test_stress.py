"""Images that stress a network may make its steps coarser only where it does badly on them."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from sr_bench.core.card import ModelCard
from sr_bench.core.int8 import ClipRange, Int8Plan
from sr_bench.data.source import ImageSet
from sr_bench.engine.prepare import int8
from sr_bench.engine.prepare.calibration import LEAST_EFFORT, calibration_set
from sr_bench.engine.prepare.int8 import Int8Maker, int8_maker
from sr_bench.engine.prepare.stress import stress_weight
from sr_bench.files.kept import Kept
from sr_bench.precision.acceptance import STRESS_WEIGHT
from sr_bench.precision.emulated.device import COUNTING
from sr_bench.precision.histogram import USUAL, Counting
from sr_bench.precision.network import read_network
from sr_bench.precision.statistics.calibrate import Statistics, collect
from sr_bench.precision.tiles import ANY_SIZE
from tests.ends import CARD
from tests.precision.nets import images, residual_net


def _model(gain: float, most: float) -> ModelProto:
    """Return a network that multiplies by `gain` and clips at `most`."""
    constants = {"w": np.full((1, 1, 1, 1), gain, np.float32), "low": np.float32(0)}
    constants |= {"high": np.float32(most)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="c"),
        helper.make_node("Clip", ["c", "low", "high"], ["y"], name="y"),
    ]
    shape = [1, 1, "h", "w"]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy"]
    stored = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _images() -> Any:
    flat = {"photo": 0.4, "page": 1.0}
    return SimpleNamespace(
        names=tuple(flat),
        stress=frozenset({"page"}),
        inputs=lambda: [partial(np.full, (1, 1, 20, 20), v, np.float32) for v in flat.values()],
        input_range=ClipRange(0.0, 1.0),
        card=SimpleNamespace(input=ANY_SIZE),
    )


# By the gain both images lose alike; what lies beyond `most`, only the page loses.
@pytest.mark.parametrize(("most", "weight"), [(1.0, 0.0), (0.98, 0.0), (0.8, STRESS_WEIGHT)])
def test_steps_become_coarser_only_where_drawn_images_fall_far_behind(
    tmp_path: Path, most: float, weight: float
) -> None:
    onnx.save(_model(1.0, 1.0), tmp_path / "net.onnx")
    network = read_network(tmp_path / "net.onnx")
    assert stress_weight(network, _model(0.97, most), _images(), {}, workers=2) == weight


def test_of_other_images_only_so_many_are_run_as_it_takes(tmp_path: Path) -> None:
    onnx.save(_model(1.0, 1.0), tmp_path / "net.onnx")
    network, loaded = read_network(tmp_path / "net.onnx"), []

    def given(name: str, level: float) -> np.ndarray:
        loaded.append(name)
        return np.full((1, 1, 20, 20), level, np.float32)

    shown = _images()
    shown.names = ("page", "bright", "dark", "dim")
    levels = (1.0, 1.0, 0.01, 0.4)
    shown.inputs = lambda: [partial(given, *each) for each in zip(shown.names, levels, strict=True)]
    assert stress_weight(network, _model(0.97, 0.8), shown, {}, workers=1) == 0.0
    assert loaded == ["page", "bright"]


def test_outputs_that_are_known_are_not_computed_again(tmp_path: Path) -> None:
    onnx.save(_model(1.0, 1.0), tmp_path / "net.onnx")
    network, low = read_network(tmp_path / "net.onnx"), _model(0.97, 1.0)
    page = np.full((1, 1, 20, 20), 1.0, np.float32)
    known = {"page": (page, page * np.float32(0.5))}
    assert stress_weight(network, low, _images(), known, workers=1) == STRESS_WEIGHT
    of_others = {"page": (page[:, :, 1:], page * np.float32(0.5))}
    assert stress_weight(network, low, _images(), of_others, workers=1) == 0.0


@dataclass(frozen=True)
class _Item:
    name: str
    stress: bool

    def load(self) -> tuple[np.ndarray, None]:
        (image,) = images(1, 8)
        return np.rint(image[0].transpose(1, 2, 0) * 255).astype(np.uint8), None

    def digest(self) -> str:
        return self.name


def _maker(folder: Path, *, is_qdq: bool, card: ModelCard = CARD) -> Int8Maker:
    """Return what makes int8 networks of a small one, calibrated with one image that stresses."""
    residual_net(folder / "net.onnx")
    items = (_Item("photo", stress=False), _Item("page", stress=True))
    given = calibration_set(card, ImageSet("set", 2, "calibration", items), [])
    how = (given, Kept(folder), "calibration/a.npz", LEAST_EFFORT)
    return int8_maker(folder / "net.onnx", *how, is_qdq=is_qdq)


@pytest.mark.parametrize("is_qdq", [True, False])
def test_a_device_widens_no_range_so_nothing_is_decided_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_qdq: bool
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(int8, "stress_weight", lambda *given, **_how: asked.append(given) or 0.0)
    _maker(tmp_path, is_qdq=is_qdq)
    assert bool(asked) == is_qdq


@pytest.mark.parametrize(("is_qdq", "counting"), [(True, USUAL), (False, COUNTING)])
def test_for_a_device_all_values_are_counted_also_when_read_again(
    tmp_path: Path, is_qdq: bool, counting: Counting
) -> None:
    for _ in range(2):
        counts = _maker(tmp_path, is_qdq=is_qdq).calibrated.histograms["x"].counts
        assert (len(counts), counts.sum()) == (counting.bins, 3 * 8 * 8 // counting.stride)


@pytest.mark.parametrize(
    ("is_qdq", "scale", "side"),
    [(True, 1, 192), (False, 1, 512), (False, 2, 256), (False, 3, 192), (False, 4, 192)],
)
def test_a_device_s_compiler_sees_larger_images_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_qdq: bool, scale: int, side: int
) -> None:
    given: list[int] = []

    def spy(*args: Any, largest: int, **how: Any) -> Statistics:
        given.append(largest)
        return collect(*args, largest=largest, **how)

    monkeypatch.setattr(int8, "collect", spy)
    _maker(tmp_path, is_qdq=is_qdq, card=replace(CARD, scale=scale))
    assert given == [side]


def test_drawn_images_only_lower_channels(tmp_path: Path) -> None:
    network = residual_net(tmp_path / "net.onnx")
    photos = {f"photo{i}": x for i, x in enumerate(images(2))}
    page = np.where(images(1)[0] > 0.5, np.float32(2), np.float32(-1))
    card = SimpleNamespace(input=ANY_SIZE, int8=Int8Plan())

    def factors(shown: dict[str, np.ndarray], stress: set[str]) -> Any:
        inputs = [partial(np.asarray, x) for x in shown.values()]
        named = SimpleNamespace(names=tuple(shown), stress=stress, card=card, inputs=lambda: inputs)
        found: Any = int8._scaling(network, named, LEAST_EFFORT).factors
        return found

    def changes(stress: set[str]) -> np.ndarray:
        each = factors({"page": page, **photos}, stress)
        return np.concatenate([each[name] / alone[name] for name in sorted(alone)])

    alone = factors(photos, set())
    assert changes({"page"}).max() <= 1
    assert changes({"page"}).min() < 1
    assert changes(set()).max() > 1
