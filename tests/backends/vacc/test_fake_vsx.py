"""The fake runtime refuses wrong use: or the worker's tests against it would prove nothing."""

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest

from sr_bench.backends.vacc.build.vdsp import vdsp_text
from sr_bench.backends.vacc.run.worker import tile

MakeModel = Callable[..., Path]
_SHAPE = (1, 3, 9, 20)


@pytest.fixture
def vsx() -> ModuleType:
    """Return the fake, freshly imported: it remembers its device."""
    path = Path(__file__).parent / "fake" / "vaststreamx.py"
    spec = importlib.util.spec_from_file_location("fake_vaststreamx", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def vsx_refuses(vsx: ModuleType) -> Callable[[str], Any]:
    return lambda words: pytest.raises(vsx._MisuseError, match=words)


@pytest.fixture
def image_stream(vsx: ModuleType, fake_model: MakeModel, tmp_path: Path) -> Iterator[Any]:
    """Return a stream ready to be built, fed with images."""
    return _stream(vsx, fake_model, tmp_path, _SHAPE)


def _stream(
    vsx: ModuleType, fake_model: MakeModel, tmp_path: Path, sizes: tuple[int, int, int, int]
) -> Any:
    (tmp_path / "vdsp.json").write_text(vdsp_text(sizes, 1.0))
    vsx.set_device(0)
    operators = vsx.Operator.load_ops_from_json_file(str(tmp_path / "vdsp.json"))
    return _registered(vsx, vsx.Model(str(fake_model(_SHAPE)), 1), operators)


def _registered(vsx: ModuleType, model: Any, operators: list[Any]) -> Any:
    last = vsx.ModelOperator(model)
    graph = vsx.Graph()
    graph.add_operators(*operators, last)
    stream = vsx.Stream(graph, vsx.StreamBalanceMode.RUN)
    stream.register_operator_output(last)
    return stream


@pytest.fixture
def tensor_stream(vsx: ModuleType, fake_model: MakeModel) -> Any:
    """Return a stream that is built, fed with tensors."""
    vsx.set_device(0)
    stream = _registered(vsx, vsx.Model(str(fake_model(_SHAPE)), 1), [])
    stream.build()
    return stream


def _image(vsx: ModuleType, width: int = 20, height: int = 9) -> Any:
    array = np.zeros((3, height, width), np.uint8)
    return vsx.create_image(array, vsx.ImageFormat.RGB_PLANAR, width, height, 0)


def test_all_that_it_shows_is_in_the_contract(vsx: ModuleType) -> None:
    contract = json.loads((Path(__file__).parent / "vsx_contract.json").read_text())
    known = {*contract["calls"], *contract["properties"], *contract["enums"]}
    known |= {name.partition(".")[0] for name in known}
    shown = {name for name in vars(vsx) if not name.startswith("_")}
    for name in ("Model", "ModelOperator", "Operator", "Graph", "Stream"):
        shown |= {f"{name}.{each}" for each in vars(vars(vsx)[name]) if not each.startswith("_")}
    assert shown <= known
    assert {"Stream.run_sync", "Model.input_shape", "create_image"} <= shown
    assert {member.name for member in vsx.ImageFormat} == set(contract["enums"]["ImageFormat"])


@pytest.mark.parametrize("name", ["Session", "load_model", "json", "np"])
def test_other_names_are_absent(vsx: ModuleType, name: str) -> None:
    with pytest.raises(AttributeError, match="no public caller"):
        getattr(vsx, name)


def test_other_argument_counts_and_keywords_are_refused(
    vsx: ModuleType, vsx_refuses: Callable[[str], Any]
) -> None:
    with vsx_refuses("set_device: no public caller passes 2"):
        vsx.set_device(0, 1)
    with vsx_refuses("set_device: no public caller passes 0"):
        vsx.set_device(device_id=0)
    with vsx_refuses(r"Graph: no public caller passes 0 \+ \['copy'\]"):
        vsx.Graph(copy=True)
    with vsx_refuses("not a tensor"):
        vsx.as_numpy(np.zeros(1))


def test_the_device_comes_first(
    vsx: ModuleType, vsx_refuses: Callable[[str], Any], fake_model: MakeModel
) -> None:
    with vsx_refuses("Model before set_device"):
        vsx.Model(str(fake_model(_SHAPE)), 1)
    with vsx_refuses(r"tensor for device 1, set was \[\]"):
        vsx.from_numpy(np.zeros(1), 1)


def test_a_model_of_missing_files_is_not_loaded(vsx: ModuleType, tmp_path: Path) -> None:
    vsx.set_device(0)
    with pytest.raises(RuntimeError, match="load model failed"):
        vsx.Model(str(tmp_path / "mod"), 1)


def test_the_stream_has_its_order(
    vsx: ModuleType, vsx_refuses: Callable[[str], Any], fake_model: MakeModel
) -> None:
    vsx.set_device(0)
    last = vsx.ModelOperator(vsx.Model(str(fake_model(_SHAPE)), 1))
    graph = vsx.Graph()
    with vsx_refuses("the graph has no operators yet"):
        vsx.Stream(graph, vsx.StreamBalanceMode.RUN)
    graph.add_operators(last)
    stream = vsx.Stream(graph, vsx.StreamBalanceMode.RUN)
    with vsx_refuses("build before register_operator_output"):
        stream.build()
    stream.register_operator_output(last)
    with vsx_refuses("run_sync before build"):
        stream.run_sync([_image(vsx)])
    stream.build()
    with vsx_refuses("build called twice"):
        stream.build()
    with vsx_refuses("register_operator_output after build"):
        stream.register_operator_output(last)


def test_the_models_operator_comes_last(
    vsx: ModuleType, vsx_refuses: Callable[[str], Any], fake_model: MakeModel
) -> None:
    vsx.set_device(0)
    last = vsx.ModelOperator(vsx.Model(str(fake_model(_SHAPE)), 1))
    with vsx_refuses("the last operator is not the model's"):
        vsx.Graph().add_operators(last, object())


@pytest.mark.parametrize(
    ("array", "size", "words"),
    [
        (np.zeros((3, 9, 20), np.uint8), (9, 20), r"CHW: \(3, 20, 9\), not \(3, 9, 20\)"),
        (np.zeros((9, 20, 3), np.uint8), (20, 9), "a planar image is CHW"),
        (np.zeros((3, 9, 20), np.float32), (20, 9), "an image is uint8, not float32"),
    ],
    ids=["height-before-width", "interleaved", "float"],
)
def test_wrong_images_are_refused(
    vsx: ModuleType,
    vsx_refuses: Callable[[str], Any],
    array: np.ndarray,
    size: tuple[int, int],
    words: str,
) -> None:
    vsx.set_device(0)
    with vsx_refuses(words):
        vsx.create_image(array, vsx.ImageFormat.RGB_PLANAR, *size, 0)


def test_an_image_of_another_size_would_be_resampled(
    vsx: ModuleType, vsx_refuses: Callable[[str], Any], image_stream: Any
) -> None:
    image_stream.build()
    with vsx_refuses("the image would be resampled"):
        image_stream.run_sync([_image(vsx, 20, 10)])


def test_a_file_of_other_sizes_would_resample(
    vsx: ModuleType, vsx_refuses: Callable[[str], Any], fake_model: MakeModel, tmp_path: Path
) -> None:
    stream = _stream(vsx, fake_model, tmp_path, (1, 3, 8, 20))
    stream.build()
    with vsx_refuses("the image would be resampled"):
        stream.run_sync([_image(vsx)])


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(_SHAPE, np.float16), "a tensor of .* is"),
        (tile(np.zeros((1, 3, 20, 9), np.float32)), "a tensor of .* is"),
        (tile(np.zeros(_SHAPE, np.float32)).astype(np.float32), "float16, not float32"),
        (np.ones((1, 3, 2, 1, 256), np.float16), "the padding is not zero"),
    ],
    ids=["not-tiled", "rows-first", "float32", "padding"],
)
def test_wrong_tensors_are_refused(
    vsx: ModuleType,
    vsx_refuses: Callable[[str], Any],
    tensor_stream: Any,
    array: np.ndarray,
    words: str,
) -> None:
    with vsx_refuses(words):
        tensor_stream.run_sync([[vsx.from_numpy(array, 0)]])


def test_the_two_feeds_are_not_mixed(
    vsx: ModuleType, vsx_refuses: Callable[[str], Any], tensor_stream: Any
) -> None:
    with vsx_refuses("a sample is a list of tensors"):
        tensor_stream.run_sync([_image(vsx)])
    with vsx_refuses("inputs: a list with one sample"):
        tensor_stream.run_sync(_image(vsx))


def test_a_closed_stream_raises_value_error(vsx: ModuleType, image_stream: Any) -> None:
    image_stream.build()
    image_stream.close_input()
    with pytest.raises(ValueError, match="closed"):
        image_stream.run_sync([_image(vsx)])


def test_the_onnx_file_of_a_model_is_run(
    vsx: ModuleType, fake_model: MakeModel, tmp_path: Path
) -> None:
    info = [onnx.helper.make_tensor_value_info(name, 1, _SHAPE) for name in "xy"]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Neg", ["x"], ["y"])], "g", info[:1], info[1:]
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    prefix = fake_model(_SHAPE)
    prefix.with_suffix(".params").write_bytes(model.SerializeToString())
    vsx.set_device(0)
    stream = _registered(vsx, vsx.Model(str(prefix), 1), [])
    stream.build()
    [[output]] = stream.run_sync([[vsx.from_numpy(tile(np.ones(_SHAPE, np.float32)), 0)]])
    np.testing.assert_array_equal(vsx.as_numpy(output), -np.ones(_SHAPE, np.float16))
