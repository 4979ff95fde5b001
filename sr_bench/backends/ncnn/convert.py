"""Write a float network in ncnn's format, for which its wheel has no converter.

onnxruntime folds what is constant first, and leaves standard operators. Whether a layer of ncnn
computes what the operator says is found out whenever a file is opened.

Source: Tencent/ncnn, wiki "param and model file structure".
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import onnx
import onnxruntime
from onnx import ModelProto

from sr_bench.backends.ncnn.layers import Layer, Node, layers_of
from sr_bench.files.onnx_file import inputs
from sr_bench.files.temporary import temporary_folder

INPUT, OUTPUT = "in", "out"
_MAGIC = "7767517"


def converted(path: Path) -> tuple[str, bytes]:
    """Return the ``.param`` and the ``.bin`` of the network at `path`, from `INPUT` to `OUTPUT`.

    Raises:
        ValueError: It has an operator that is not converted; the message names it.
    """
    model = _folded(path)
    start, end = inputs(model)[0].name, model.graph.output[0].name
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    layers = [Layer("Input", (), (start,))]
    for node in model.graph.node:
        layers += layers_of(Node(node, constants))
    layers = [*_read_once([*layers, Layer("Noop", (end,), (OUTPUT,))])]
    blobs = dict.fromkeys(blob for layer in layers for blob in layer.outputs)
    # Theirs may hold blanks, and two may be equal but for them.
    names = {blob: f"b{number}" for number, blob in enumerate(blobs)}
    names |= {start: INPUT, OUTPUT: OUTPUT}
    lines = [layer.line(f"l{number}", names) for number, layer in enumerate(layers)]
    text = "\n".join([_MAGIC, f"{len(layers)} {len(blobs)}", *lines, ""])
    return text, b"".join(layer.numbers for layer in layers)


def _folded(path: Path) -> ModelProto:
    """Return the network at `path` as onnxruntime simplifies it, in standard operators."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with temporary_folder() as folder:
        options.optimized_model_filepath = str(Path(folder, "folded.onnx"))
        onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


def _read_once(layers: Sequence[Layer]) -> Iterator[Layer]:
    """Yield `layers` with a Split behind each blob that several read: ncnn wants one reader."""
    readers = Counter(blob for layer in layers for blob in layer.inputs)
    copies = {blob: [f"{blob}\n{i}" for i in range(n)] for blob, n in readers.items() if n > 1}
    for layer in layers:
        splits = [Layer("Split", (b,), tuple(copies[b])) for b in layer.outputs if b in copies]
        yield replace(layer, inputs=[copies[b].pop() if b in copies else b for b in layer.inputs])
        yield from splits
