"""int8 on onnxruntime: test whether this machine's kernels are exact, and note which are used.

A CPU without VNNI multiplies uint8 by int8 with an instruction that saturates the sum of two
products at 16 bits: results are silently wrong. Weights as uint8 around 128 take another
way, which is exact, at about two thirds of the speed. The CUDA provider convolves no integers: it
would hand them to the CPU.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

from sr_bench.files.onnx_open import open_on_cpu

if TYPE_CHECKING:
    from onnxruntime import SessionOptions

_TAPS = 64  # products in one sum of the probe
_MIDDLE = 128


@cache  # a process keeps its processor
def exact_kernel(weight_type: int) -> bool:
    """Return whether this machine convolves uint8 with weights of the ONNX type exactly.

    The probe's sums of two products are the largest there are.
    """
    session = open_on_cpu(_probe(weight_type).SerializeToString())
    x = np.full((1, _TAPS, 4, 4), 255, np.uint8)
    (output,) = session.run(None, {"x": x})
    return bool((output == 254).all())


def _probe(weight_type: int) -> ModelProto:
    """Return a convolution of 255s with weights of 127 whose output is 254 if it is exact."""
    total = 255 * 127 * _TAPS
    zero = _MIDDLE if weight_type == TensorProto.UINT8 else 0
    kind = helper.tensor_dtype_to_np_dtype(weight_type)
    constants = {
        "one": np.float32(1),
        "zero": np.uint8(0),
        "w": np.full((1, _TAPS, 1, 1), 127 + zero, kind),
        "w_zero": np.array(zero, kind),
        "step": np.float32(total / 254),
    }
    inputs = ["x", "one", "zero", "w", "one", "w_zero", "step", "zero"]
    shape = [1, _TAPS, 4, 4]
    graph = helper.make_graph(
        [helper.make_node("QLinearConv", inputs, ["y"])],
        "probe",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, [1, 1, 4, 4])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def set_up(model: ModelProto, options: "SessionOptions", *, on_gpu: bool) -> tuple[bytes, str]:
    """Return the QDQ network `model` as this machine computes it exactly, and a note of how.

    `options` are those of the session to open; they are changed where no kernel is exact.
    """
    # Left as float: integers would run in the CPU's kernels (microsoft/onnxruntime#24807).
    if on_gpu:
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        return model.SerializeToString(), "float on rounded values, on the GPU"
    if exact_kernel(TensorProto.INT8):
        kernel = "uint8 x int8"
    elif exact_kernel(TensorProto.UINT8):
        model = _with_unsigned_weights(model)
        kernel = "uint8 x uint8, as uint8 x int8 saturates on this CPU"
    else:
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        return model.SerializeToString(), "float on rounded values: no int8 kernel here is exact"
    return model.SerializeToString(), kernel


def kernel_of_given() -> str:
    """Return a note on how this machine computes a file that was not made here: as it is."""
    if exact_kernel(TensorProto.INT8):
        return "by onnxruntime as it is"
    return "by onnxruntime as it is, whose uint8 x int8 saturates on this CPU: others may differ"


def layers_run(model: ModelProto, optimised: Path) -> str:
    """Return how many int8 layers of `model` the graph in the file `optimised` runs as int8."""
    graph = onnx.load(optimised, load_external_data=False).graph
    return told_layers(sum(n.op_type == "QLinearConv" for n in graph.node), model)


def told_layers(done: int, model: ModelProto) -> str:
    """Return that `done` of the int8 layers of `model` run as int8."""
    nodes = model.graph.node
    rounded = {node.output[0] for node in nodes if node.op_type == "DequantizeLinear"}
    layers = sum(node.op_type == "Conv" and node.input[1] in rounded for node in nodes)
    return f"{done} of {layers} int8 layers run in integers"


def _with_unsigned_weights(model: ModelProto) -> ModelProto:
    """Return `model` with its int8 weights as uint8 around 128: the same values."""
    copy = ModelProto()
    copy.CopyFrom(model)
    tensors = {tensor.name: tensor for tensor in copy.graph.initializer}
    for node in copy.graph.node:
        names = node.input if node.op_type == "DequantizeLinear" else ()
        for tensor in (tensors[name] for name in names if name in tensors):
            if tensor.data_type == TensorProto.INT8:
                wide = numpy_helper.to_array(tensor).astype(np.int16) + _MIDDLE
                tensor.CopyFrom(numpy_helper.from_array(wide.astype(np.uint8), tensor.name))
    return copy
