"""Any file becomes float32 N x C x H x W, and computes what it computed before."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from sr_bench.core.network_io import NetworkColour, NetworkInput, NetworkOutput
from sr_bench.cost.onnx_graph import count_onnx
from sr_bench.errors import BackendError
from sr_bench.files.onnx_canonical import canonical, is_canonical, write_canonical
from sr_bench.files.onnx_card import Declared
from sr_bench.files.onnx_dtype import arithmetic
from sr_bench.files.onnx_open import open_on_cpu
from tests.files.image_nets import image_net

ORDERS = ("nchw", "nhwc", "chw", "hwc", "hw")
_NUMPY = {"float32": np.float32, "float16": np.float16, "uint8": np.uint8}


def _ends(dtype: str, gives: str, channels: int) -> Declared:
    colour: NetworkColour = "rgb" if channels == 3 else "y_full"
    whites = [255.0 if kind == "uint8" else 1.0 for kind in (dtype, gives)]
    return Declared(NetworkInput(colour, (0.0, whites[0])), NetworkOutput(colour, (0.0, whites[1])))


def _copy(model: ModelProto) -> ModelProto:
    return onnx.ModelProto.FromString(model.SerializeToString())


def _run(model: ModelProto, image: NDArray[np.generic]) -> NDArray[np.generic]:
    name = model.graph.input[0].name
    result: NDArray[np.generic] = open_on_cpu(model.SerializeToString()).run(None, {name: image})[0]
    return result


def _in_order(planes: NDArray[np.generic], order: str) -> NDArray[np.generic]:
    turned = planes.transpose(0, 2, 3, 1) if order.endswith("c") else planes
    return turned.reshape(turned.shape[4 - len(order) :])


def _in_planes(image: NDArray[np.generic], order: str) -> NDArray[np.generic]:
    whole = image.reshape((1,) * (4 - len(order)) + image.shape)
    return whole.transpose(0, 3, 1, 2) if order.endswith("c") else whole


def _check(model: ModelProto, order: str, dtype: str, gives: str, ends: Declared) -> None:
    """Compare what `model` gives with what it gives once it is canonical, bit for bit."""
    made = canonical(_copy(model), ends)
    onnx.checker.check_model(made, full_check=True)
    channels = ends.reads.channels
    levels = np.random.default_rng(0).random((1, channels, 12, 20), np.float32)
    planes = levels * np.float32(ends.reads.range[1])
    image = np.rint(planes) if dtype == "uint8" else planes
    expected = _run(model, _in_order(image.astype(_NUMPY[dtype]), order))
    got = _run(made, planes)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, _in_planes(expected, gives).astype(np.float32))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
@pytest.mark.parametrize("opset", [9, 12, 17, 23])
def test_a_canonical_file_computes_the_same_to_the_bit(order: str, dtype: str, opset: int) -> None:
    channels = 1 if order == "hw" else 3
    ends = _ends(dtype, dtype, channels)
    model = image_net(order, dtype, channels=channels, opset=opset)
    _check(model, order, dtype, order, ends)


@pytest.mark.parametrize(
    ("order", "dtype", "gives", "gives_dtype"),
    [
        ("nchw", "uint8", "nhwc", "float32"),
        ("nhwc", "float32", "nchw", "uint8"),
        ("hwc", "uint8", "nhwc", "uint8"),
        ("nchw", "float32", "chw", "float16"),
        ("chw", "float16", "hwc", "uint8"),
    ],
)
def test_both_ends_may_be_of_other_kinds(
    order: str, dtype: str, gives: str, gives_dtype: str
) -> None:
    model = image_net(order, dtype, gives=gives, gives_dtype=gives_dtype)
    _check(model, order, dtype, gives, _ends(dtype, gives_dtype, 3))


def test_levels_outside_of_a_byte_are_clipped_and_halves_rounded_to_even() -> None:
    identity = helper.make_node("Identity", ["x"], ["y"])
    ends = [helper.make_tensor_value_info(name, TensorProto.UINT8, [1, 1, 6, 8]) for name in "xy"]
    graph = helper.make_graph([identity], "net", ends[:1], ends[1:])
    opsets = [helper.make_opsetid("", 17)]
    model = canonical(
        helper.make_model(graph, opset_imports=opsets, ir_version=8), _ends("uint8", "uint8", 1)
    )
    image = np.zeros((1, 1, 6, 8), np.float32)
    image[0, 0, 0, :6] = -3.0, 300.0, 0.5, 1.5, 2.5, 254.6
    assert _run(model, image)[0, 0, 0, :6].tolist() == [0, 255, 0, 2, 2, 255]


def test_both_ends_of_a_float16_network_are_rounded_to_float16() -> None:
    rng = np.random.default_rng(1)
    kind, sides = TensorProto.FLOAT16, [1, 3, "h", "w"]
    weights = numpy_helper.from_array(rng.normal(size=(3, 3, 3, 3)).astype(np.float16), "w")
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], "conv", pads=[1] * 4)],
        "net",
        [helper.make_tensor_value_info("x", kind, sides)],
        [helper.make_tensor_value_info("y", kind, sides)],
        [weights],
    )
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    lr = rng.random((1, 3, 9, 11), np.float32)
    own = _run(model, lr.astype(np.float16)).astype(np.float32)
    assert np.array_equal(_run(canonical(model, _ends("float16", "float16", 3)), lr), own)


def test_what_is_added_costs_nothing_and_changes_no_dtype() -> None:
    plain = count_onnx(image_net(), (3, 8, 8))
    for order, dtype in (("nhwc", "uint8"), ("hwc", "float16"), ("chw", "float32")):
        made = canonical(image_net(order, dtype), _ends(dtype, dtype, 3))
        assert count_onnx(made, (3, 8, 8)) == plain
        assert arithmetic(made).dtype == "fp32"


def test_a_network_of_several_images_takes_one_unless_a_layer_holds_their_number() -> None:
    made = canonical(image_net(batch=4), _ends("float32", "float32", 3))
    assert [dim.dim_value for dim in made.graph.input[0].type.tensor_type.shape.dim][:2] == [1, 3]
    one = np.random.default_rng(1).random((1, 3, 12, 20), np.float32)
    several = _run(image_net(batch=4), np.repeat(one, 4, axis=0))
    np.testing.assert_array_equal(_run(made, one), several[:1])
    fixed = image_net(batch=4)
    fixed.graph.node[-1].CopyFrom(helper.make_node("Reshape", ["large", "sizes"], ["y"]))
    sizes = helper.make_tensor("sizes", TensorProto.INT64, [4], [4, 3, -1, 40])
    fixed.graph.initializer.append(sizes)
    fixed.graph.input[0].type.tensor_type.shape.dim[3].dim_value = 20
    with pytest.raises(BackendError, match=r"float32 4 x 3 x h x 20\), several images: export it"):
        canonical(fixed, _ends("float32", "float32", 3))


def test_a_plain_file_stays_as_it_is_and_others_are_written_beside_no_one(tmp_path: Path) -> None:
    ends = _ends("float32", "float32", 3)
    plain, turned, made = (tmp_path / name for name in ("plain.onnx", "turned.onnx", "made.onnx"))
    onnx.save(image_net(), plain)
    onnx.save(image_net("nhwc", dims=[1, 32, 48, 3]), turned)
    assert is_canonical(plain, ends)
    assert not is_canonical(turned, ends)
    write_canonical(turned, ends, made)
    assert is_canonical(made, ends)


def test_weights_beside_the_file_are_found(tmp_path: Path) -> None:
    path = tmp_path / "in" / "net.onnx"
    path.parent.mkdir()
    options = {"all_tensors_to_one_file": True, "location": "w.bin", "size_threshold": 0}
    onnx.save(image_net("nhwc"), path, save_as_external_data=True, **options)
    ends = _ends("float32", "float32", 3)
    write_canonical(path, ends, tmp_path / "made.onnx")
    image = np.random.default_rng(2).random((1, 3, 12, 20), np.float32)
    expected = _run(canonical(image_net("nhwc"), ends), image)
    np.testing.assert_array_equal(_run(onnx.load(tmp_path / "made.onnx"), image), expected)


def _damaged(content: bytes) -> Sequence[bytes]:
    """Return `content` with bytes changed, cut off, or doubled."""
    rng = np.random.default_rng(5)
    files = [b"", b"\x00", content[: len(content) // 2], content * 2]
    for _ in range(60):
        changed = bytearray(content)
        for place in rng.integers(0, len(changed), rng.integers(1, 6)):
            changed[place] = rng.integers(0, 256)
        files.append(bytes(changed))
    return files


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path, content = tmp_path / "net.onnx", image_net("nhwc").SerializeToString()
    path.write_bytes(content.replace(b"features", b"featu\xffes"))
    with pytest.raises(BackendError, match=r"net.onnx: the name b'featu.xffes' is not UTF-8"):
        write_canonical(path, _ends("float32", "float32", 3), tmp_path / "made.onnx")


def test_a_damaged_file_is_refused_in_one_line_or_read(tmp_path: Path) -> None:
    model = image_net("nhwc", "uint8")
    del model.graph.initializer[0]  # so that most of the file is structure
    path, ends, said = tmp_path / "net.onnx", _ends("uint8", "uint8", 3), list[str]()
    for content in _damaged(model.SerializeToString()):
        path.write_bytes(content)
        try:
            is_canonical(path, ends)
            write_canonical(path, ends, tmp_path / "made.onnx")
        except BackendError as error:
            said.append(str(error))
    assert len(said) > 20
    assert all(str(path) in text and "\n" not in text for text in said)
