"""Each operator that is written in ncnn's format computes there what onnxruntime computes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from sr_bench.backends.ncnn import open_session
from sr_bench.core.backend import Artefact
from sr_bench.core.precision import Precision
from sr_bench.errors import NotRunError

RNG = np.random.default_rng(0)


def number(*shape: int, low: float = -0.5, high: float = 0.5) -> np.ndarray:
    return RNG.uniform(low, high, shape).astype(np.float32)


CONSTANTS: Mapping[str, np.ndarray] = {
    "w": number(4, 4, 3, 3),
    "w_groups": number(4, 2, 3, 5),
    "w_up": number(4, 6, 4, 4),
    "w_up_groups": number(4, 3, 2, 2),
    "b": number(4),
    "b_up": number(6),
    "slopes": number(4, 1, 1),
    "scales": number(4),
    "number": np.float32(0.3),
    "positive": np.float32(1.7),
    "planes": number(1, 4, 1, 1, low=0.5),
    "pixels": number(1, 4, 16, 20),
    "mean": number(4),
    "variance": number(4, low=0.5, high=2.0),
    "two": np.float32(2),
    "three": np.float32(3),
    "low": np.float32(0.2),
    "high": np.float32(0.7),
    "twice": np.array([1, 1, 2, 3], np.float32),
    "pads": np.array([0, 0, 1, 2, 0, 0, 3, 0]),
    "two_each": np.array([2, 2]),
}


def node(kind: str, *inputs: str, outputs: tuple[str, ...] = ("y",), **values: Any) -> NodeProto:
    return helper.make_node(kind, ["x", *inputs], outputs, **values)


def turned(kind: str, first: str) -> NodeProto:
    return helper.make_node(kind, [first, "x"], ["y"])


WRITTEN = {
    "conv": [node("Conv", "w", "b", pads=[1, 0, 2, 1], strides=[2, 1], dilations=[1, 2])],
    "conv_groups": [node("Conv", "w_groups", group=2, pads=[0, 2, 0, 2])],
    "transposed": [node("ConvTranspose", "w_up", "b_up", strides=[2, 2], pads=[1, 1, 1, 1])],
    "transposed_more": [node("ConvTranspose", "w_up", strides=[3, 3], output_padding=[1, 0])],
    "transposed_groups": [node("ConvTranspose", "w_up_groups", group=2, strides=[2, 2])],
    "shuffle": [node("DepthToSpace", blocksize=2, mode="CRD")],
    "depth_first": [node("DepthToSpace", blocksize=2, mode="DCR")],
    "leaky": [node("LeakyRelu", alpha=0.2)],
    "prelu": [node("PRelu", "slopes")],
    "clip": [node("Clip", "low", "high")],
    "relu6_like": [node("Clip", "", "high")],
    "sub": [node("Sub", "number")],
    "sub_from": [turned("Sub", "number")],
    "div_by": [node("Div", "planes")],
    "divided": [turned("Div", "planes")],
    "power": [node("Pow", "positive")],
    "square": [node("Sub", "high", outputs=("n",)), helper.make_node("Pow", ["n", "two"], ["y"])],
    "power_of": [turned("Pow", "positive")],
    "largest": [node("Max", "number")],
    "itself": [node("Mul", "x")],
    "sigmoid": [node("Sigmoid")],
    "tanh": [node("Tanh")],
    "root": [node("Sqrt")],
    "exp": [node("Exp")],
    "neg_abs": [node("Neg", outputs=("n",)), helper.make_node("Abs", ["n"], ["y"])],
    "nearest": [
        node("Resize", "", "twice", mode="nearest", coordinate_transformation_mode="asymmetric",
             nearest_mode="floor")
    ],
    "linear": [node("Resize", "", "twice", mode="linear")],
    "cubic": [node("Resize", "", "twice", mode="cubic")],
    "constant_pad": [node("Pad", "pads", "number")],
    "edge_pad": [node("Pad", "pads", mode="edge")],
    "reflect_pad": [node("Pad", "pads", mode="reflect")],
    "max_pool": [node("MaxPool", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 0])],
    "mean_pool": [
        node("AveragePool", kernel_shape=[2, 3], strides=[1, 2], pads=[0, 1, 0, 1])
    ],
    "attention": [
        node("GlobalAveragePool", outputs=("mean_of_x",)),
        helper.make_node("Mul", ["x", "mean_of_x"], ["y"]),
    ],
    "variance_of_planes": [
        node("ReduceMean", outputs=("m",), axes=[2, 3]),
        helper.make_node("Sub", ["x", "m"], ["n"]),
        helper.make_node("Pow", ["n", "two"], ["s"]),
        helper.make_node("ReduceMean", ["s"], ["v"], axes=[-1, -2], keepdims=1),
        helper.make_node("Add", ["x", "v"], ["y"]),
    ],
    "instance_norm": [node("InstanceNormalization", "scales", "b")],
    "batch_norm": [
        node("Sigmoid", outputs=("s",)),  # or it would be folded
        helper.make_node("BatchNormalization", ["s", "scales", "b", "mean", "variance"], ["y"]),
    ],
    "split": [
        node("Split", "two_each", outputs=("first", "second"), axis=1),
        helper.make_node("Concat", ["second", "x", "first"], ["y"], axis=1),
    ],
    "rows": [
        node("Split", outputs=("above", "below"), axis=2),
        helper.make_node("Concat", ["below", "above"], ["y"], axis=-2),
    ],
}  # fmt: skip

REFUSED = {
    "Transpose": [node("Transpose", perm=[0, 1, 3, 2])],
    "along the images": [helper.make_node("Concat", ["x", "x"], ["y"], axis=0)],
    "rounded up": [node("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)],
    "cubic_coeff_a": [node("Resize", "", "twice", mode="cubic", cubic_coeff_a=-0.5)],
    "ncnn has squares": [node("Pow", "three")],
    "height and width, which are kept": [node("ReduceMean", axes=[1])],
    "no number for each channel": [node("Add", "pixels")],
    "one of its inputs is constant": [node("Concat", "pixels", axis=1)],
    "pads that are given": [node("Conv", "w", auto_pad="SAME_UPPER")],
    "pads of height and width": [node("Pad", "pads", mode="wrap")],
}


def artefact(path: Path, nodes: list[NodeProto]) -> Artefact:
    """Return a network of `nodes` on images of 4 channels, which are between 0.2 and 1."""
    used = {name for each in nodes for name in each.input}
    stored = {name: value for name, value in CONSTANTS.items() if name in used}
    graph = helper.make_graph(
        nodes,
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 16, 20])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, "c", "h", "w"])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in stored.items()],
    )
    opset = 19 if any("wrap" in str(each) for each in nodes) else 17
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.save(model, path)
    return Artefact(path, None, Precision.FP32, digest="")


@pytest.mark.parametrize("name", WRITTEN)
def test_an_operator_computes_what_onnxruntime_computes(name: str, tmp_path: Path) -> None:
    pytest.importorskip("ncnn", reason="ncnn is not installed: pip install sr-bench[ncnn]")
    with open_session(artefact(tmp_path / "net.onnx", WRITTEN[name])) as session:
        agreement = session.notes["agreement"]
    assert agreement.startswith("inf") or float(agreement.split()[0]) >= 90


@pytest.mark.parametrize("why", REFUSED)
def test_what_ncnn_has_no_layer_for_is_not_run_and_named(why: str, tmp_path: Path) -> None:
    pytest.importorskip("ncnn", reason="ncnn is not installed: pip install sr-bench[ncnn]")
    with pytest.raises(NotRunError, match=rf"can't run .*{why}") as raised:
        open_session(artefact(tmp_path / "net.onnx", REFUSED[why]))
    assert "\n" not in str(raised.value)
