"""A card's ONNX file of any kind is measured in every precision, as the plain one is."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from sr_bench.core.precision import Precision
from sr_bench.core.record import Record, Status
from sr_bench.engine.bench import Bench
from sr_bench.engine.plan.cases import plan
from sr_bench.engine.plan.options import Selection
from sr_bench.engine.plan.suite import load_suite
from tests.files.image_nets import image_net
from tests.int8_zoo import Int8Zoo, make_int8_zoo

PRECISIONS = ("fp32", "fp16", "int8_max")


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Int8Zoo:
    return make_int8_zoo(tmp_path_factory.mktemp("own") / "my_zoo")


def _measure(zoo: Int8Zoo, model: ModelProto, tables: str, *metrics: str) -> list[Record]:
    """Return the records of `metrics` in each precision, for psnr, and fp32 for the others."""
    onnx.save(model, zoo.suite / "net.onnx")
    zoo.write_card()
    path = zoo.suite / "card.toml"
    text = path.read_text().partition("[model.gate]")[0]
    head, _, tail = text.replace(', shape = "3x8x8"', "").partition("[model.int8]")
    path.write_text(f"{head}{tables}\n[model.int8]{tail}")
    precisions = tuple(map(Precision, PRECISIONS))
    chosen = Selection(data=zoo.data, precisions=precisions, backend="onnxruntime")
    cases = plan(load_suite(path), chosen)
    bench = Bench(chosen)
    wanted = [case for case in cases if case.metric in metrics]
    return [bench.evaluate(case, case.id, lambda *_: None) for case in wanted]


def _values(records: list[Record]) -> list[float]:
    assert [record.precision for record in records] == [*PRECISIONS]
    assert all(record.measurement for record in records), records[-1].verdict.sentence
    return [record.measurement.value for record in records if record.measurement]


@pytest.fixture(scope="module")
def plain(zoo: Int8Zoo) -> list[float]:
    return _values(_measure(zoo, image_net(), "", "psnr"))


@pytest.mark.parametrize(
    ("model", "tables"),
    [
        (image_net("nhwc"), ""),
        (image_net("hwc", gives="chw"), ""),
        (image_net(batch=4), ""),
        (image_net("nhwc", dims=[*"abcd"], gives_dims=[*"efgh"]), '[model.input]\nlayout = "nhwc"'),
    ],
)
def test_any_layout_is_measured_as_the_plain_file(
    zoo: Int8Zoo, plain: list[float], model: ModelProto, tables: str
) -> None:
    assert _values(_measure(zoo, model, tables, "psnr")) == plain


def test_half_precision_and_whole_levels_at_the_ends_cost_their_rounding_alone(
    zoo: Int8Zoo, plain: list[float]
) -> None:
    half = _values(_measure(zoo, image_net(dtype="float16"), "", "psnr"))
    assert half == pytest.approx(plain, abs=0.02)
    levels = _measure(zoo, image_net("nhwc", "uint8"), '[model.input]\ndtype = "uint8"', "psnr")
    # It cuts off fractions.
    assert _values(levels) == pytest.approx(plain, abs=0.3)


def test_luma_is_measured_once_the_card_says_which(zoo: Int8Zoo) -> None:
    model = image_net("hw", channels=1)
    for record in _measure(zoo, model, "", "psnr"):
        assert record.verdict.status is Status.ERROR
        assert "say which luma that is, colour = 'y_float'" in record.verdict.sentence
    said = '[model.input]\ncolour = "y_full"'
    assert len(_values(_measure(zoo, model, said, "psnr"))) == 3


def test_the_output_that_the_card_names_is_measured(zoo: Int8Zoo, plain: list[float]) -> None:
    model = image_net()
    model.graph.node.append(helper.make_node("Neg", ["large"], ["z"]))
    model.graph.output.append(
        helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 3, "H", "W"])
    )
    named = {name: f'[model.output]\nname = "{name}"' for name in "yz"}
    first = _values(_measure(zoo, model, named["y"], "psnr"))
    assert first == plain
    assert _values(_measure(zoo, model, named["z"], "psnr")) != first


def _in_levels(model: ModelProto) -> ModelProto:
    """Let `model`, from 0 to 1, read and give whole levels as uint8."""
    values = {"levels of white": 255.0, "least": 0.0}
    graph = model.graph
    for value, name in ((graph.input[0], "levels"), (graph.output[0], "result")):
        value.CopyFrom(
            helper.make_tensor_value_info(name, TensorProto.UINT8, [1, 3, *value.name * 2])
        )
    graph.initializer.extend(
        numpy_helper.from_array(np.float32(each), name) for name, each in values.items()
    )
    before = [
        helper.make_node("Cast", ["levels"], ["given"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["given", "levels of white"], ["x"]),
    ]
    behind = [
        helper.make_node("Mul", ["y", "levels of white"], ["whole"]),
        helper.make_node("Round", ["whole"], ["rounded"]),
        helper.make_node("Clip", ["rounded", "least", "levels of white"], ["clipped"]),
        helper.make_node("Cast", ["clipped"], ["result"], to=TensorProto.UINT8),
    ]
    nodes = [*before, *graph.node, *behind]
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def test_a_given_file_may_hold_levels_where_the_float32_file_has_another_range(
    zoo: Int8Zoo,
) -> None:
    model = image_net()
    weights = model.graph.initializer[0]
    quantised = np.rint(numpy_helper.to_array(weights) * 100).astype(np.int8)
    weights.CopyFrom(numpy_helper.from_array(quantised, "integers"))
    step = numpy_helper.from_array(np.float32(0.01), "step")
    model.graph.initializer.append(step)
    model.graph.node.insert(
        0, helper.make_node("DequantizeLinear", ["integers", "step"], ["conv.weight"])
    )
    tables = '[model.onnx_by_precision]\nint8_max = "low.onnx"'
    onnx.save(model, zoo.suite / "low.onnx")
    float_ends = _values(_measure(zoo, image_net(), tables, "psnr"))
    onnx.save(_in_levels(model), zoo.suite / "low.onnx")
    assert _values(_measure(zoo, image_net(), tables, "psnr")) == float_ends


def test_size_and_digest_are_those_of_the_users_file(zoo: Int8Zoo, cache: Path) -> None:
    refused = _measure(zoo, image_net(batch=1, dims=[1, "h", "w", 5]), "", "psnr")
    for record in refused:
        assert str(zoo.suite / "net.onnx") in record.verdict.sentence
        assert str(cache) not in record.verdict.sentence
