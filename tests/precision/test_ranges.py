"""Clip ranges of a network: white for the input, chosen by observers, exact in a file."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from sr_bench.core.int8 import ClipRange, Int8Plan, RangeChoice
from sr_bench.errors import BackendError, CardError, OptionError
from sr_bench.precision.acceptance import Widened
from sr_bench.precision.histogram import Histogram
from sr_bench.precision.network import Network
from sr_bench.precision.ranges import Ranges, clip_ranges, load_ranges, save_ranges
from tests.precision.nets import images, residual_net, values

UNIT = ClipRange(0.0, 1.0)
RANGES = Ranges(
    "kl",
    {
        "lr": ClipRange(0.0, 255.0),
        "/body.0/Conv": ClipRange(-0.1 - 2**-54, 1 / 3),
        "ünï": ClipRange(-5e-324, 1.7976931348623157e308),
        "zero": ClipRange(0.0, 0.0),
    },
    {"calibration_set": "photos_x2", "calibration_images": "16"},
)


def _node(kind: str, inputs: Sequence[str], output: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [output], name=output, **attributes)


def _network(nodes: list[onnx.NodeProto], outputs: str = "y") -> Network:
    shape = [1, 4, 8, 8]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(outputs, TensorProto.FLOAT, None)],
    )
    return Network(helper.make_model(graph), (), ())


def _histograms(**extremes: tuple[float, float]) -> dict[str, Histogram]:
    return {
        name: Histogram.of(np.float32([low, high]), where=name)
        for name, (low, high) in extremes.items()
    }


def test_a_whole_network_gets_a_range_for_each_tensor(tmp_path: Path) -> None:
    network = residual_net(tmp_path / "net.onnx")
    names = ("x", "head", "body.1", "sum", "after", "up", "wide")
    outputs = values(network, images(1)[0], names)
    histograms = {name: Histogram.of(outputs[name], where=name) for name in names}
    clip = clip_ranges(network, histograms, "max", Int8Plan(), input_range=ClipRange(0.0, 255.0))
    assert clip.keys() == histograms.keys()
    assert clip["x"] == ClipRange(0.0, 255.0)  # though the image reaches 1 only
    assert clip["head"].low == histograms["head"].low


def test_a_layer_may_have_an_observer_of_its_own_and_a_symmetric_range(tmp_path: Path) -> None:
    network, plan = residual_net(tmp_path / "net.onnx"), Int8Plan(percentile=90)
    names = ("x", "head", "relu", "body.1", "sum", "after", "up", "wide")
    outputs = values(network, images(1)[0], names)
    histograms = {name: Histogram.of(outputs[name], where=name) for name in names}

    def ranges(choices: dict[str, RangeChoice]) -> dict[str, ClipRange]:
        return clip_ranges(network, histograms, "max", plan, input_range=UNIT, choices=choices)

    usual = ranges({})
    clipped = clip_ranges(network, histograms, "percentile", plan, input_range=UNIT)
    choices = {"body.*": RangeChoice("percentile"), "tail": RangeChoice(symmetric=True)}
    changed = ranges(choices)
    # body.0 reads 'head', body.1 'relu'; the tail reads 'wide', whose values 'up' lends its range.
    assert {name for name in names if changed[name] != usual[name]} == {
        "head",
        "relu",
        "up",
        "wide",
    }
    assert (changed["head"], changed["relu"]) == (clipped["head"], clipped["relu"])
    reach = max(-usual["up"].low, usual["up"].high)
    assert changed["up"] == changed["wide"] == ClipRange(-reach, reach)
    with pytest.raises(CardError, match=r"observers = 'tial': .*did you mean 'tail'"):
        ranges({"tial": RangeChoice("kl")})


@pytest.mark.parametrize("observer", ["percentile", "kl", "mse"])
def test_the_observer_and_the_plan_decide(observer: str) -> None:
    array = np.abs(np.random.default_rng(0).laplace(size=2_000_000)).astype(np.float32)
    array[:8] = 200.0  # two of half a million that are counted
    histograms = {"a": Histogram.of(array, where="a"), "x": Histogram.of(array, where="x")}
    network, plan = _network([_node("Neg", ["x"], "a"), _node("Abs", ["a"], "y")]), Int8Plan()
    ranges = clip_ranges(network, histograms, observer, plan, input_range=UNIT)
    assert ranges["x"] == ClipRange(0, 1)
    assert 0 < ranges["a"].high < histograms["a"].high
    if observer == "percentile":
        less = clip_ranges(
            network,
            histograms,
            observer,
            replace(plan, percentile=99),
            input_range=UNIT,
        )
        assert less["a"].high < ranges["a"].high


def test_an_unknown_observer_lists_the_valid_ones() -> None:
    with pytest.raises(OptionError, match=r"'entropi' in observers.*kl, max, mse, percentile"):
        clip_ranges(
            _network([_node("Abs", ["x"], "y")]), {}, "entropi", Int8Plan(), input_range=UNIT
        )


def test_ranges_are_read_from_a_file_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "made" / "ranges.json"
    save_ranges(path, RANGES)
    ranges = load_ranges(path)
    assert ranges == RANGES
    assert list(ranges.clip) == list(RANGES.clip)
    assert [item.name for item in path.parent.iterdir()] == ["ranges.json"]


def test_what_was_widened_is_read_back_with_its_image(tmp_path: Path) -> None:
    change = Widened("page.png", ClipRange(-0.5, 1 / 3), ClipRange(-0.75, 0.5))
    ranges = replace(RANGES, widened={"/body.0/Conv": change})
    save_ranges(tmp_path / "ranges.json", ranges)
    assert load_ranges(tmp_path / "ranges.json") == ranges
    content = json.loads((tmp_path / "ranges.json").read_text())
    content["widened"]["/body.0/Conv"]["image"] = 3
    (tmp_path / "ranges.json").write_text(json.dumps(content))
    with pytest.raises(BackendError, match=r"widened\./body\.0/Conv\.image: .*valid string"):
        load_ranges(tmp_path / "ranges.json")


def test_a_file_from_before_ranges_were_widened_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ranges.json"
    save_ranges(path, RANGES)
    content = json.loads(path.read_text())
    assert content.pop("widened") == {}
    path.write_text(json.dumps(content))
    assert load_ranges(path) == RANGES


def _edited(path: Path, **changes: object) -> Path:
    save_ranges(path, RANGES)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changes))
    return path


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"schema_version": 2}, r"schema_version: expected 1 \(got 2\)"),
        ({"observer": "klm"}, "unknown observer 'klm'; did you mean 'kl'"),
        ({"observer": 3}, "observer: .*valid string"),
        ({"clip": {"a": {"low": 0.5, "high": 1}}}, r"clip\.a\.low: .*less than or equal to 0"),
        ({"clip": {"a": {"low": 0, "high": -1}}}, r"clip\.a\.high: .*greater than or equal to 0"),
        ({"clip": {"a": {"low": 0, "high": float("nan")}}}, r"clip\.a\.high: .*finite"),
        ({"clip": {"a": {"low": -float("inf"), "high": 1}}}, r"clip\.a\.low: .*finite"),
        ({"clip": {"a": {"low": 0, "high": 10**400}}}, r"clip\.a\.high"),
        ({"clip": {"a": {"low": "0", "high": 1}}}, r"clip\.a\.low: .*valid number"),
        ({"clip": {"a": {"low": 0}}}, r"clip\.a\.high: required, but absent"),
        ({"clip": {"a": [0, 1]}}, r"clip\.a: "),
        ({"clips": {}}, "clips: unknown key; did you mean 'clip'"),
        ({"provenance": {"a": 1}}, r"provenance\.a: .*valid string"),
    ],
)
def test_a_fault_in_a_file_is_named(changes: dict[str, object], fault: str, tmp_path: Path) -> None:
    path = _edited(tmp_path / "ranges.json", **changes)
    with pytest.raises(BackendError, match=fault) as caught:
        load_ranges(path)
    assert str(path) in str(caught.value)


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    path = _edited(tmp_path / "ranges.json", schema_version=0, clip={"a": {"low": 1, "high": -1}})
    with pytest.raises(BackendError, match=r"(?s)3 faults.*schema_version.*low.*high"):
        load_ranges(path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe{}", b"[1]", b"null", b"1"])
def test_a_file_of_another_kind_is_an_error_that_says_what_was_expected(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "ranges.json"
    path.write_bytes(content)
    with pytest.raises(BackendError, match=r"ranges\.json: .*expected clip ranges"):
        load_ranges(path)


def test_an_absent_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.json"):
        with pytest.raises(BackendError, match=r"can't be read .*expected clip ranges"):
            load_ranges(path)


def test_a_file_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ranges.json").write_bytes(b"[" * 100_000)
    with pytest.raises(BackendError, match="not valid JSON"):
        load_ranges(tmp_path / "ranges.json")
