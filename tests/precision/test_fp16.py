"""fp16 files: every value between two operators is an fp16 value, and nothing else changes."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from sr_bench.core.backend import PRECISION_KEY
from sr_bench.errors import BackendError
from sr_bench.export.to_onnx import export_onnx
from sr_bench.precision.fp16 import to_fp16
from tests.cost.zoo_models import SMALL, small
from tests.precision.nets import residual_net

LEVELS = (
    onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
    onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
)


def _session(path: Path, level: object = LEVELS[1], save: str = "") -> object:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = level
    options.log_severity_level = 3
    if save:
        options.optimized_model_filepath = save
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _save(path: Path, nodes: list[onnx.NodeProto], size: object, **weights: object) -> Path:
    constants = [numpy_helper.from_array(np.array(v), name) for name, v in weights.items()]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, "h", size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path / "in.onnx")
    return path / "in.onnx"


def _halves(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float16).astype(np.float32)


def _dyadic(shape: tuple[int, ...], step: float, seed: int) -> np.ndarray:
    """Return multiples of `step` whose sums of products float32 holds without rounding."""
    codes = np.random.default_rng(seed).integers(-900, 900, shape)
    return (codes * step).astype(np.float32)


@pytest.mark.parametrize("level", LEVELS)
def test_two_convolutions_compute_the_bits_of_a_numpy_model(level: object, tmp_path: Path) -> None:
    first, second = _dyadic((4, 1, 1, 1), 2**-7, 1), _dyadic((1, 4, 1, 1), 2**-7, 2)
    nodes = [
        helper.make_node("Conv", ["x", "first"], ["a"]),
        helper.make_node("LeakyRelu", ["a"], ["b"], alpha=0.25),
        helper.make_node("Conv", ["b", "second"], ["c"]),
        helper.make_node("Add", ["c", "x"], ["y"]),
    ]
    path = _save(tmp_path, nodes, "w", first=first, second=second)
    to_fp16(path, tmp_path / "out.onnx")
    x = _dyadic((1, 1, 40, 50), 2**-10, 3)
    a = _halves(np.einsum("oi,bihw->bohw", first[:, :, 0, 0], x))
    b = _halves(np.where(a < 0, a * np.float32(0.25), a))
    c = _halves(np.einsum("oi,bihw->bohw", second[:, :, 0, 0], b))
    (y,) = _session(tmp_path / "out.onnx", level).run(None, {"x": x})
    np.testing.assert_array_equal(y, _halves(c + x))
    assert (y != np.float32(c + x)).any()


@pytest.fixture(scope="module", params=SMALL)
def converted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the fp16 file of a small network."""
    folder = tmp_path_factory.mktemp(request.param)
    export_onnx(small(request.param), folder / "in.onnx")
    to_fp16(folder / "in.onnx", folder / "out.onnx")
    return folder / "out.onnx"


def test_the_optimised_graph_keeps_each_rounding(converted: Path, tmp_path: Path) -> None:
    _session(converted, save=str(tmp_path / "optimised.onnx"))
    assert _rounded_values(tmp_path / "optimised.onnx") == _rounded_values(converted)


def _rounded_values(path: Path) -> Counter[int]:
    """Count the Cast nodes that round or restore what is not a constant, by their type."""
    nodes = onnx.load(path).graph.node
    constants = {n.output[0] for n in nodes if n.op_type == "Constant"}
    halves = {f"{name}/half" for name in constants}
    casts = [n for n in nodes if n.op_type == "Cast" and n.input[0] not in constants | halves]
    types = (helper.get_attribute_value(n.attribute[0]) for n in casts)
    # Sizes are cast to integers too.
    return Counter(each for each in types if each in (TensorProto.FLOAT16, TensorProto.FLOAT))


def test_every_value_between_operators_is_an_fp16_value(converted: Path, tmp_path: Path) -> None:
    model = onnx.load(converted)
    known = {output.name for output in model.graph.output}
    for node in model.graph.node:
        new = [n for n in node.output if not n.endswith(("/half", "/unrounded")) and n not in known]
        model.graph.output.extend(helper.make_empty_tensor_value_info(n) for n in new)
    onnx.save(model, tmp_path / "all.onnx")
    lr = np.random.default_rng(0).random((1, 3, 16, 12), dtype=np.float32)
    results = _session(tmp_path / "all.onnx").run(None, {"lr": lr})
    values = [value for value in results if value.dtype == np.float32]  # sizes are integers
    assert len(values) >= 10
    for value in values:
        np.testing.assert_array_equal(value, _halves(value))


def test_ranges_end_as_in_fp16_hardware(tmp_path: Path) -> None:
    path = _save(tmp_path, [helper.make_node("Mul", ["x", "k"], ["y"])], "w", k=np.float32(2))
    to_fp16(path, tmp_path / "out.onnx")
    x = np.array([32752, 32768, -4e4, 2**-25, 2**-26, 0.1], np.float32).reshape(1, 1, 1, 6)
    (y,) = _session(tmp_path / "out.onnx").run(None, {"x": x})
    # The two smallest are rounded as inputs already: 2**-25 lies half way, to the even 0.
    assert y.ravel().tolist()[:5] == [65504.0, np.inf, -np.inf, 0.0, 0.0]
    assert y.ravel()[5] == 2 * np.float32(np.float16(0.1))


def test_a_weight_that_is_too_large_becomes_infinite(tmp_path: Path) -> None:
    path = _save(tmp_path, [helper.make_node("Mul", ["x", "k"], ["y"])], "w", k=np.float32(1e5))
    to_fp16(path, tmp_path / "out.onnx")
    assert np.isinf(numpy_helper.to_array(onnx.load(tmp_path / "out.onnx").graph.initializer[0]))


def test_sizes_and_scale_factors_are_not_rounded(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["size"]),
        helper.make_node("Cast", ["size"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["floats", "factors"], ["longer"]),
        helper.make_node("Cast", ["longer"], ["sizes"], to=TensorProto.INT64),
        helper.make_node("Resize", ["x", "", "", "sizes"], ["big"], mode="nearest"),
        helper.make_node("Resize", ["big", "", "third"], ["y"], mode="nearest"),
    ]
    third = np.array([1, 1, 1, 1 / 3], np.float32)
    factors = np.array([1, 1, 1, 1.0], np.float32)
    path = _save(tmp_path, nodes, "w", factors=factors, third=third)
    to_fp16(path, tmp_path / "out.onnx")
    x = np.zeros((1, 1, 1, 6153), np.float32)
    outputs = [_session(p).run(None, {"x": x})[0] for p in (path, tmp_path / "out.onnx")]
    assert outputs[0].shape == outputs[1].shape == (1, 1, 1, 2051)


def test_the_file_names_its_precision(tmp_path: Path) -> None:
    path = _save(tmp_path, [helper.make_node("Relu", ["x"], ["y"])], "w")
    to_fp16(path, tmp_path / "out.onnx")
    (entry,) = onnx.load(tmp_path / "out.onnx").metadata_props
    assert (entry.key, entry.value) == (PRECISION_KEY, "fp16")


@pytest.mark.parametrize("content", [None, b"no network", bytes(range(256))])
def test_a_file_that_is_not_onnx_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "in.onnx").write_bytes(content)
    with pytest.raises(BackendError, match=r"can't read the ONNX file .*in\.onnx"):
        to_fp16(tmp_path / "in.onnx", tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_a_float16_network_is_refused(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], to=TensorProto.FLOAT16),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Cast", ["r"], ["y"], to=TensorProto.FLOAT),
    ]
    with pytest.raises(
        BackendError, match="expected the fp32 file, got one of fp16: the node 'h' casts"
    ):
        to_fp16(_save(tmp_path, nodes, "w"), tmp_path / "out.onnx")


def test_operators_of_other_domains_are_refused(tmp_path: Path) -> None:
    odd = helper.make_node("FusedConv", ["x"], ["a"], domain="own")
    path = _save(tmp_path, [odd, helper.make_node("Relu", ["a"], ["y"])], "w")
    model = onnx.load(path)
    model.opset_import.append(helper.make_opsetid("own", 1))
    onnx.save(model, path)
    with pytest.raises(BackendError, match="FusedConv"):
        to_fp16(path, tmp_path / "out.onnx")


def test_nodes_that_are_called_like_their_outputs_keep_the_file_valid(tmp_path: Path) -> None:
    residual_net(tmp_path / "net.onnx")
    to_fp16(tmp_path / "net.onnx", tmp_path / "half.onnx")
    names = [node.name for node in onnx.load(tmp_path / "half.onnx").graph.node]
    assert len(set(names)) == len(names)
    _session(tmp_path / "half.onnx")
