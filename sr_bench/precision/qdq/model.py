"""Make a model of the nodes that turn a network into int8."""

from collections.abc import Mapping, Sequence
from typing import Any

from onnx import ModelProto, NodeProto, TensorProto, helper

from sr_bench.core.backend import PRECISION_KEY
from sr_bench.files.onnx_file import metadata
from sr_bench.files.onnx_names import name_nodes
from sr_bench.precision.network import Network


def rewritten(
    network: Network,
    nodes: Sequence[NodeProto],
    constants: Mapping[str, TensorProto],
    notes: Mapping[str, str],
) -> ModelProto:
    """Return the model of `network` with other `nodes`, which make it int8.

    Its constants stay and `constants` are added, as far as they are used; `notes` are written into
    the file's metadata, each key after ``sr_bench.``.
    """
    model = ModelProto()
    model.CopyFrom(network.model)
    graph = model.graph
    del graph.node[:], graph.value_info[:]  # the latter are of the float network
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in (*graph.initializer, *constants.values()) if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    name_nodes(model)  # what is added is called like its output, as a node may be
    entries = {f"sr_bench.{key}": text for key, text in notes.items()}
    helper.set_model_props(model, metadata(model) | entries | {PRECISION_KEY: "int8"})
    return model


def named_node(op_type: str, inputs: list[str], output: str, **attributes: Any) -> NodeProto:
    """Return a node of one output, named after that."""
    return helper.make_node(op_type, inputs, [output], name=output, **attributes)
