"""Count a network's multiply-accumulates node by node, on the shapes that onnxruntime meets.

The network is run once, on a small image, under onnxruntime's profiler: that tells the shapes of
everything, whatever they are computed from, of inner graphs and of operators of onnxruntime's own.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, ValueInfoProto, helper

from sr_bench.files.onnx_file import attributes, inputs
from sr_bench.files.onnx_names import graphs
from sr_bench.files.temporary import temporary_folder

_SIZES = (32, 64, 96, 120, 112, 192)
"""Heights and widths to try, the cheapest first: between them, multiples of what networks need."""

Dims = Sequence[int]


@dataclass(frozen=True)
class Macs:
    """The multiply-accumulates of one node."""

    node: str
    """Its name, or that of what it was optimised into."""
    count: int
    in_integers: bool


def count_macs(model: ModelProto, *, optimised: bool) -> tuple[Macs, ...]:
    """Return what each node of `model` that multiplies takes on one small image.

    If `optimised`, of the graph that onnxruntime makes of it; else of the graph as it is. Empty if
    the network runs on none of the sizes that are tried. `model` has one input.
    """
    for size in _SIZES:
        # onnxruntime's exceptions have no common base but Exception.
        with suppress(Exception):
            return tuple(_profiled(model, size, optimised=optimised))
    return ()


def integer_share(model: ModelProto) -> float | None:
    """Return the part of its multiplications that plain onnxruntime runs in integers, 0 to 1.

    None if it can't be told.
    """
    counts = count_macs(model, optimised=True)
    total = sum(macs.count for macs in counts)
    return sum(macs.count for macs in counts if macs.in_integers) / total if total else None


def run_in_integers(model: ModelProto, shares: Mapping[str, float]) -> float | None:
    """Return the sum of `shares`, by node, of what plain onnxruntime runs in integers, 0 to 1.

    Where `model` computes a layer more often than its fp32 network does, that counts once. None if
    it can't be told.
    """
    counts = count_macs(model, optimised=True)
    ran = {macs.node for macs in counts if macs.in_integers}
    return min(1.0, sum(shares[name] for name in ran & shares.keys())) if counts else None


def multiplies(node: NodeProto) -> bool:
    """Return whether `node` is an operator of a kind that is counted."""
    return node.op_type in _RULES


def _profiled(model: ModelProto, size: int, *, optimised: bool) -> list[Macs]:
    import onnxruntime

    renamed = ModelProto()
    renamed.CopyFrom(model)
    names: dict[str, str] = {}
    for node in (node for graph in graphs(renamed.graph) for node in graph.node):
        plain = f"n{len(names)}"  # the profiler escapes nothing
        names[plain], node.name = node.name, plain
    levels = onnxruntime.GraphOptimizationLevel
    options = onnxruntime.SessionOptions()
    # Above it the layout changes alone, and weights are padded.
    options.graph_optimization_level = (
        levels.ORT_ENABLE_EXTENDED if optimised else levels.ORT_DISABLE_ALL
    )
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.enable_profiling = True
    # Packed weights have no shape.
    options.add_session_config_entry("session.disable_prepacking", "1")
    with temporary_folder() as folder:
        options.profile_file_prefix = str(Path(folder, "profile"))
        options.optimized_model_filepath = str(Path(folder, "run.onnx"))
        session = onnxruntime.InferenceSession(
            renamed.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        (image,) = inputs(model)
        session.run(None, {image.name: _image(image, size)})
        events = json.loads(Path(session.end_profiling()).read_bytes())
        run = onnx.load(Path(folder, "run.onnx"), load_external_data=False)
    nodes = {f"{node.name}_kernel_time": node for graph in graphs(run.graph) for node in graph.node}
    ran = [(nodes[event["name"]], event["args"]) for event in events if event["name"] in nodes]
    counts = (_of(node, names.get(node.name, node.name), shapes) for node, shapes in ran)
    return [macs for macs in counts if macs]


def _image(value: ValueInfoProto, size: int) -> NDArray[Any]:
    """Return a gray image that the input `value` takes; free sizes become `size`."""
    kind = value.type.tensor_type
    free = (1, 3, size, size)
    dims = [dim.dim_value or other for dim, other in zip(kind.shape.dim, free, strict=True)]
    return np.full(dims, 1, helper.tensor_dtype_to_np_dtype(kind.elem_type))


def _of(node: NodeProto, name: str, event: Mapping[str, Any]) -> Macs | None:
    """Return what `node` took in one `event` of the profile; None if it doesn't multiply."""
    if node.op_type not in _RULES:
        return None
    inputs_, outputs = (
        [list(dims) for shape in event[key] for dims in shape.values()]
        for key in ("input_type_shape", "output_type_shape")
    )
    given = iter(inputs_)  # absent inputs have no shape
    read = [next(given) if name else [] for name in node.input]
    values = attributes(node)
    count = _RULES[node.op_type](read, outputs[0], values)
    return Macs(name, count, node.op_type in _INTEGER)


_Rule = Callable[[Sequence[Dims], Dims, Mapping[str, Any]], int]
"""Counts from the shapes of the inputs, of the output, and the attributes."""


def _conv(weight: int) -> _Rule:
    return lambda x, y, _values: prod(y) * prod(x[weight][1:])


def _transposed(x: Sequence[Dims], _y: Dims, _values: Mapping[str, Any]) -> int:
    return prod(x[0]) * prod(x[1][1:])


def _product(x: Sequence[Dims], y: Dims, values: Mapping[str, Any]) -> int:
    rows = -2 if values.get("transA") and len(x[0]) > 1 else -1
    return prod(y) * x[0][rows]


def _einsum(x: Sequence[Dims], _y: Dims, values: Mapping[str, Any]) -> int:
    if len(x) < 2:
        return 0  # it only moves or adds
    terms = values["equation"].decode().replace(" ", "").split("->")[0].split(",")
    sizes: dict[str, int] = {}
    for term, dims in zip(terms, x, strict=True):
        before, dots, after = term.partition("...")
        inner = len(dims) - len(after)
        # Axes under an ellipsis are matched from the last on.
        hidden = [f".{inner - i}" for i in range(len(before), inner)] if dots else []
        for axis, size in zip((*before, *hidden, *after), dims, strict=True):
            sizes[axis] = max(size, sizes.get(axis, 1))
    return prod(sizes.values())


def _recurrent(x: Sequence[Dims], _y: Dims, _values: Mapping[str, Any]) -> int:
    steps = x[0][0] * x[0][1]
    return steps * (prod(x[1]) + prod(x[2]))


def _attention(x: Sequence[Dims], y: Dims, _values: Mapping[str, Any]) -> int:
    """Count queries by keys, and what they weigh; without an operator's own projection."""
    key = x[1]
    return 2 * prod(y) * key[-2]


_RULES: Mapping[str, _Rule] = {
    **dict.fromkeys(("Conv", "FusedConv", "ConvInteger", "DeformConv"), _conv(1)),
    "QLinearConv": _conv(3),
    "ConvTranspose": _transposed,
    **dict.fromkeys(("MatMul", "FusedMatMul", "TransposeMatMul", "Gemm", "FusedGemm"), _product),
    **dict.fromkeys(("MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul"), _product),
    **dict.fromkeys(("QLinearMatMul", "QGemm", "MatMulNBits", "GemmFastGelu"), _product),
    "Einsum": _einsum,
    **dict.fromkeys(("LSTM", "GRU", "RNN", "DynamicQuantizeLSTM"), _recurrent),
    **dict.fromkeys(("Attention", "MultiHeadAttention"), _attention),
}

_INTEGER = frozenset(
    (
        *("ConvInteger", "QLinearConv", "MatMulInteger", "MatMulIntegerToFloat"),
        *("DynamicQuantizeMatMul", "QLinearMatMul", "QGemm", "DynamicQuantizeLSTM"),
    )
)
