"""Inputs of the compiler in tests: a small network, and photos of noise."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper


def photo(seed: int, height: int = 9, width: int = 7) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def network(path: Path, *, seed: int = 0, inputs: int = 1, external: bool = False) -> Path:
    """Write a network that doubles an image's size; its input is called ``lr``."""
    weights = np.random.default_rng(seed).random((12, 3, 3, 3), dtype=np.float32)
    size = ["n", 3, "h", "w"]
    ends = [
        helper.make_tensor_value_info(f"lr{i or ''}", TensorProto.FLOAT, size)
        for i in range(inputs)
    ]
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["lr", "w"], ["wide"], pads=[1, 1, 1, 1]),
            helper.make_node("DepthToSpace", ["wide"], ["sr"], blocksize=2),
        ],
        "net",
        ends,
        [helper.make_tensor_value_info("sr", TensorProto.FLOAT, ["n", 3, "H", "W"])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, path, save_as_external_data=external, location="w.bin", size_threshold=0)
    return path
