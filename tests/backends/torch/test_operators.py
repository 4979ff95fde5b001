"""Every ONNX operator that torch runs gives what onnxruntime gives."""

from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from onnx import ModelProto, TensorProto, helper

from sr_bench.backends.torch.operators import OPERATORS
from sr_bench.errors import BackendError, NotRunError
from tests.backends.graphs import by_onnxruntime, by_torch, model, node, opened
from tests.backends.torch.operator_cases import CASES, Case

_BEFORE = {
    "Flatten": ["x"],
    "Less": ["x", "half"],
    "QuantizeLinear": ["x", "half"],
    "Shape": ["x"],
    "Size": ["x"],
}


def _input(case: Case) -> np.ndarray:
    # Multiples of an eighth: many ties for what rounds.
    x = np.round(np.random.default_rng(0).standard_normal(case.shape) * 8) / 8
    return (np.abs(x) + 0.125 if case.positive else x).astype(np.float32)


def _model(case: Case) -> ModelProto:
    constants = {"half": np.float32(0.5)}
    inputs = ["b" if case.before else "x"]
    for number, value in enumerate(case.others):
        inputs.append("" if value is None else f"c{number}")
        if value is not None:
            constants[f"c{number}"] = value
    nodes = [node(case.before, _BEFORE[case.before], "b")] if case.before else []
    last = node(case.op, inputs, "y", **case.attributes)
    if case.op == "Split":
        parts = 3 if "num_outputs" in case.attributes else 2
        last.output.extend([f"part{i}" for i in range(1, parts)])
    nodes.append(last)
    return model(nodes, constants, rank=case.rank, kind=case.kind, opset=case.opset)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_operator_gives_what_onnxruntime_gives(case: Case, tmp_path: Path) -> None:
    network, x = _model(case), _input(case)
    expected, found = by_onnxruntime(network, x), by_torch(network, x, tmp_path)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    if expected.dtype == np.float32:
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)
    else:
        np.testing.assert_array_equal(found, expected)


def test_every_operator_is_tested() -> None:
    assert {case.op for case in CASES} | {"Constant"} == OPERATORS.keys()


@pytest.mark.parametrize(
    ("op", "attributes", "fault"),
    [
        ("Mod", {}, "the operator Mod is not supported"),
        ("Resize", {"antialias": 1, "mode": "linear"}, "antialias = 1 is not supported"),
        ("Resize", {"coordinate_transformation_mode": "tf_crop_and_resize"}, "tf_crop_and_resize"),
        ("Resize", {"keep_aspect_ratio_policy": "not_larger"}, "keep_aspect_ratio_policy"),
        ("Conv", {"auto_pad": "SAME"}, "auto_pad = 'SAME'"),
        ("ConvTranspose", {"output_shape": [9, 9]}, "the attribute output_shape is not"),
        ("ConvTranspose", {"auto_pad": "SAME_UPPER"}, "auto_pad = 'SAME_UPPER'"),
        ("MaxPool", {"kernel_shape": [2, 2], "storage_order": 1}, "storage_order = 1"),
        ("MaxPool", {"kernel_shape": [2, 2], "ceil_mode": 1, "pads": [0, 0, 1, 1]}, "ceil_mode"),
        ("AveragePool", {"kernel_shape": [2, 2], "dilations": [2, 2]}, "dilations"),
        ("Cast", {"to": TensorProto.BFLOAT16}, "to = BFLOAT16"),
        ("Pad", {"mode": "mirror"}, "mode = 'mirror'"),
        ("QuantizeLinear", {"block_size": 2}, "block_size = 2"),
        ("Softmax", {"made_up": 3}, "the attribute made_up is not"),
    ],
)
def test_what_is_not_supported_is_named_when_the_file_is_opened(
    op: str, attributes: dict[str, object], fault: str, tmp_path: Path
) -> None:
    network = model(
        [node(op, ["x", "w"], "y", **attributes)],
        {"w": np.ones((6, 4, 3, 3), np.float32)},
        opset=21,
    )
    with (
        mock.patch("onnx.checker.check_model"),  # some of these are not valid either
        pytest.raises(NotRunError, match=rf"net\.onnx: node 'y_node' \({op}\): .*{fault}"),
    ):
        opened(network, tmp_path)


def test_a_second_output_is_refused(tmp_path: Path) -> None:
    pool = helper.make_node("MaxPool", ["x"], ["y", "places"], kernel_shape=[2, 2])
    with pytest.raises(NotRunError, match=r"\(MaxPool\): its output 'places' is not supported"):
        opened(model([pool], {}), tmp_path)


def test_resize_without_a_size_says_so(tmp_path: Path) -> None:
    graph = opened(model([node("Resize", ["x", "", ""], "y")], {}), tmp_path)
    with pytest.raises(BackendError, match=r"\(Resize\): expected scales or sizes, got neither"):
        graph(torch.zeros(1, 1, 2, 2))
