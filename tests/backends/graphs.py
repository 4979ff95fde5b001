"""Small ONNX graphs, and what onnxruntime computes for them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import ArrayLike
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from sr_bench.backends.torch.graph import Graph
from sr_bench.core.backend import PRECISION_KEY
from sr_bench.core.precision import Precision

Array = np.ndarray


def node(op: str, inputs: Sequence[str], output: str, **attributes: object) -> NodeProto:
    return helper.make_node(op, inputs, [output], name=f"{output}_node", **attributes)


def model(
    nodes: Sequence[NodeProto],
    constants: Mapping[str, ArrayLike],
    *,
    rank: int = 4,
    kind: int = TensorProto.FLOAT,
    opset: int = 17,
    made_for: str = "",
) -> ModelProto:
    """Return a network from ``x`` to ``y``; `rank` and `kind` are of the output."""
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", "c", "h", "w"]),
        helper.make_tensor_value_info("y", kind, [f"d{i}" for i in range(rank)]),
    ]
    tensors = [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    if made_for:
        made.metadata_props.add(key=PRECISION_KEY, value=made_for)
    return made


def saved(network: ModelProto, folder: Path) -> Path:
    onnx.save(network, folder / "net.onnx")
    return folder / "net.onnx"


def opened(network: ModelProto, folder: Path) -> Graph:
    made_for = {entry.key: entry.value for entry in network.metadata_props}.get(PRECISION_KEY, "")
    precision = Precision("int8_max") if made_for == "int8" else Precision.parse(made_for or "fp32")
    return Graph(saved(network, folder), precision, torch.device("cpu"))


def by_torch(network: ModelProto, x: Array, folder: Path) -> Array:
    graph = opened(network, folder)
    with torch.inference_mode():
        return graph(torch.from_numpy(x).contiguous(memory_format=torch.channels_last)).numpy()


def by_onnxruntime(network: ModelProto, x: Array) -> Array:
    """Return what onnxruntime gives, operator by operator, in float."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        network.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    result: Array = session.run(None, {session.get_inputs()[0].name: x})[0]
    return result
