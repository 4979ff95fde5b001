"""External data of ONNX files: read from beside the file, through links too, from nowhere else."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sr_bench.errors import BackendError
from sr_bench.files.onnx_data import data_file, dense
from sr_bench.files.onnx_file import load_onnx

WEIGHT = np.arange(81, dtype=np.float32).reshape(3, 3, 3, 3)


def _save(folder: Path) -> Path:
    """Write a network, and its weight to ``data``, which it calls ``net.onnx_data``."""
    folder.mkdir(parents=True, exist_ok=True)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 8, 8]) for name in "xy"]
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1] * 4)
    constants = [numpy_helper.from_array(WEIGHT, "w")]
    graph = helper.make_graph([node], "net", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save_model(
        model, folder / "net.onnx", save_as_external_data=True, location="data", size_threshold=0
    )
    model = onnx.load(folder / "net.onnx", load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        entry.value = "net.onnx_data" if entry.key == "location" else entry.value
    onnx.save(model, folder / "net.onnx")
    return folder / "net.onnx"


def _read(path: Path) -> np.ndarray:
    return numpy_helper.to_array(load_onnx(path).graph.initializer[0])


def test_files_linked_as_in_the_cache_of_hugging_face_are_read(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "rev"
    _save(blobs).rename(blobs / "5fe1")
    (blobs / "data").rename(blobs / "0ab2")
    snapshot.mkdir(parents=True)
    (snapshot / "net.onnx").symlink_to("../../blobs/5fe1")
    (snapshot / "net.onnx_data").symlink_to("../../blobs/0ab2")
    np.testing.assert_array_equal(_read(snapshot / "net.onnx"), WEIGHT)


def test_a_link_may_lead_below_the_network_s_folder(tmp_path: Path) -> None:
    path = _save(tmp_path)
    (tmp_path / "large").mkdir()
    (tmp_path / "data").rename(tmp_path / "large" / "w")
    (tmp_path / "net.onnx_data").symlink_to("large/w")
    np.testing.assert_array_equal(_read(path), WEIGHT)


def test_a_link_out_of_the_folder_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = _save(tmp_path / "zoo")
    (tmp_path / "secret").write_bytes(WEIGHT.tobytes())
    (tmp_path / "zoo" / "net.onnx_data").symlink_to("../secret")
    with pytest.raises(BackendError, match=r"leads to .*secret; copy that file there"):
        load_onnx(path)
    # Nor does a network that is itself a link give away what lies below its real folder.
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "key").write_bytes(WEIGHT.tobytes())
    path.rename(tmp_path / "net.onnx")
    path.symlink_to("../net.onnx")
    (tmp_path / "zoo" / "net.onnx_data").unlink()
    (tmp_path / "zoo" / "net.onnx_data").symlink_to("../below/key")
    with pytest.raises(ValueError, match="copy that file there"):
        data_file(path, "net.onnx_data")


def test_data_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"its data are in 'net\.onnx_data', .* put the file"):
        load_onnx(_save(tmp_path))


@pytest.mark.parametrize("pairs", [False, True])
def test_a_sparse_weight_is_read_as_a_whole_one(pairs: bool) -> None:
    whole = np.array([[0, 1, 0], [2, 0, 3]], np.float32)
    places = np.argwhere(whole) if pairs else np.flatnonzero(whole)
    values = numpy_helper.from_array(whole[whole != 0], "w")
    sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(places), whole.shape)
    tensor = dense(sparse)
    np.testing.assert_array_equal(numpy_helper.to_array(tensor), whole)
    assert tensor.name == "w"
    sparse.dims[:] = [1 << 20, 1 << 20]
    with pytest.raises(ValueError, match="'w' has 1,099,511,627,776 elements; at most"):
        dense(sparse)
