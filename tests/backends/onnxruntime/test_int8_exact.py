"""int8 on onnxruntime computes, on every CPU, the integers of a convolution in int64."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import ArrayLike, NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from sr_bench.backends import onnxruntime
from sr_bench.backends.onnxruntime import int8
from sr_bench.core.backend import PRECISION_KEY, Artefact
from sr_bench.core.precision import Precision

X_STEP, X_ZERO = np.float32(1 / 255), np.uint8(77)
Y_STEP = np.float32(0.037)
STEPS = np.linspace(0.001, 0.02, 6, dtype=np.float32)
BIAS = np.random.default_rng(2).integers(-5000, 5000, 6).astype(np.int32)
X = np.random.default_rng(3).normal(0, 0.4, (2, 4, 9, 8)).astype(np.float32)


def _node(op: str, inputs: str, output: str, **attributes: object) -> NodeProto:
    return helper.make_node(op, inputs.split(), [output], name=output, **attributes)


def _saved(
    nodes: list[NodeProto], constants: Mapping[str, ArrayLike], output: str, folder: Path
) -> Artefact:
    shapes = {"x": X.shape, output: None}
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()]
    tensors = [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    model.metadata_props.add(key=PRECISION_KEY, value="int8")
    onnx.save(model, folder / "net.onnx")
    return Artefact(folder / "net.onnx", None, Precision("int8_max"), digest="")


def _sums(weight: NDArray[np.int8], *, strides=(1, 1), pads=(0, 0, 0, 0), group=1):
    """Return the sums of a convolution in int64."""
    levels = np.clip(np.rint(X / X_STEP) + int(X_ZERO), 0, 255).astype(np.int64)
    ends = ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3]))
    x = np.pad(levels - int(X_ZERO), ends)
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
    windows = windows[:, :, :: strides[0], :: strides[1]]
    parts = zip(np.split(windows, group, 1), np.split(weight.astype(np.int64), group), strict=True)
    sums = [np.einsum("nchwij,ocij->nohw", part, kernel) for part, kernel in parts]
    return np.concatenate(sums, 1) + BIAS.reshape(-1, 1, 1)


@pytest.mark.parametrize(
    "attributes",
    [{"pads": (1, 1, 1, 1)}, {"pads": (2, 0, 1, 3), "strides": (2, 1)}, {"group": 2}],
    ids=str,
)
@pytest.mark.parametrize("then", ["rounded", "rectified"])
@pytest.mark.parametrize("unsigned", [False, True], ids=["as is", "around 128"])
def test_a_convolution_is_the_one_of_int64(
    attributes: dict[str, object],
    then: str,
    unsigned: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if unsigned:
        monkeypatch.setattr(int8, "exact_kernel", lambda kind: kind == TensorProto.UINT8)
    shape = (6, 4 // attributes.get("group", 1), 3, 3)
    weight = np.random.default_rng(1).integers(-127, 128, shape).astype(np.int8)
    y_zero = np.uint8(0 if then == "rectified" else 101)
    constants = {"xs": X_STEP, "xz": X_ZERO, "ys": Y_STEP, "yz": y_zero}
    constants |= {"w": weight, "ws": STEPS, "wz": np.zeros(6, np.int8)}
    constants |= {"b": BIAS, "bs": X_STEP * STEPS, "bz": np.zeros(6, np.int32)}
    nodes = [
        _node("QuantizeLinear", "x xs xz", "xq"),
        _node("DequantizeLinear", "xq xs xz", "xd"),
        _node("DequantizeLinear", "w ws wz", "wd", axis=0),
        _node("DequantizeLinear", "b bs bz", "bd", axis=0),
        _node("Conv", "xd wd bd", "c", **attributes),
        _node("Relu", "c", "r"),
        _node("QuantizeLinear", "r ys yz" if then == "rectified" else "c ys yz", "yq"),
        _node("DequantizeLinear", "yq ys yz", "y"),
    ]
    kept = nodes if then == "rectified" else [*nodes[:5], *nodes[6:]]
    artefact = _saved(kept, constants, "y", tmp_path)
    with onnxruntime.open_session(artefact) as session:
        result = session.run(X)
        assert session.notes["int8_layers"] == "1 of 1 int8 layers run in integers"

    sums = _sums(weight, **attributes)
    levels = np.rint(sums.astype(np.float32) * (X_STEP * STEPS / Y_STEP)[:, None, None])
    whole = np.clip(levels + int(y_zero), 0, 255)
    np.testing.assert_array_equal(np.rint(result / Y_STEP) + int(y_zero), whole)
    assert len(np.unique(whole)) > 40
