"""Read an ONNX file as a network to quantise: folded, checked, every node and layer named."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, numpy_helper

from sr_bench.errors import BackendError, CardError
from sr_bench.files.onnx_dtype import arithmetic
from sr_bench.files.onnx_file import control_flow, foreign, inferred, load_onnx
from sr_bench.files.onnx_image import ends, no_image_network
from sr_bench.files.onnx_names import name_nodes, separator
from sr_bench.files.temporary import temporary_folder
from sr_bench.files.validation import nearest
from sr_bench.precision.macs import count_macs, multiplies
from sr_bench.precision.opsets import converted

MAX_FOLDED_BYTES = 256 << 20
"""Largest constant that is computed in advance: a file of some bytes can ask for terabytes."""

# Known to newer releases of onnxruntime; older ones ignore it.
_FOLDED_LIMIT = "optimization.constant_folding_max_output_size_in_bytes"

# What onnxruntime puts before the name of weights that it folds a factor into.
_FUSED = re.compile(r"^(?:Conv(?:Mul|Bn)Fusion_W_)+")


@dataclass(frozen=True)
class Layer:
    """A convolution with constant weights: what can be quantised."""

    name: str
    """Of its weights where they have one (``body.0.conv``), else of its node. Layers that share
    weights share the name."""
    node: str
    """Name of its node."""
    input: str = field(compare=False)
    """A layer stays itself where what it reads is scaled first."""
    output: str
    weight: str
    bias: str
    """Empty if it has none."""
    share: float
    """Its part of the network's multiply-accumulates, 0 to 1; 0 too where they can't be counted."""


@dataclass(frozen=True)
class Network:
    """A float32 network of one input and one output, NCHW."""

    model: ModelProto
    """Constants folded, functions inlined; sorted so that a value is made before it is used."""
    layers: tuple[Layer, ...]
    """In the graph's order."""
    floats: tuple[str, ...]
    """What multiplies much and can't be quantised: ``MatMul 'attn.qk'``."""

    @property
    def input(self) -> str:
        """Name of the network's input."""
        return str(self.model.graph.input[0].name)

    @property
    def output(self) -> str:
        """Name of the network's output."""
        return str(self.model.graph.output[0].name)

    def matching(self, patterns: Collection[str], *, key: str = "keep") -> tuple[Layer, ...]:
        """Return the layers that `patterns`, listed as `key` in a card, name or match.

        Raises:
            CardError: A pattern matches no layer; the message names the nearest ones.
        """
        names = {layer.name for layer in self.layers}
        found: set[str] = set()
        for pattern in patterns:
            # A name is itself: a bracket in it is no pattern.
            of = {pattern} & names or {name for name in names if fnmatchcase(name, pattern)}
            if not of:
                told = nearest(pattern, tuple(layer.name for layer in self.layers))
                msg = f"{key} = {pattern!r}: the network has no such layer; {told}"
                raise CardError(msg)
            found |= of
        return tuple(layer for layer in self.layers if layer.name in found)

    def added(self, name: str, part: str) -> str:
        """Return the name of `part`, which is added to what the network calls `name`."""
        return f"{name}{self.separator}{part}"

    @cached_property
    def separator(self) -> str:
        """What parts a name of the file from what is added to it; see `onnx_names.separator`."""
        return separator(self.model)

    @cached_property
    def constants(self) -> Mapping[str, NDArray[np.generic]]:
        """Value of each constant."""
        return {t.name: numpy_helper.to_array(t) for t in self.model.graph.initializer}

    @cached_property
    def types(self) -> Mapping[str, int]:
        """Element type of each value, where onnx can tell."""
        return {name: kind.elem_type for name, kind in inferred(self.model).items()}

    @cached_property
    def producers(self) -> Mapping[str, NodeProto]:
        """The node that makes each value."""
        return {output: node for node in self.model.graph.node for output in node.output}

    @cached_property
    def consumers(self) -> Mapping[str, tuple[NodeProto, ...]]:
        """The nodes that read each value; empty for those that none reads."""
        consumers: dict[str, list[NodeProto]] = {self.output: []}
        for node in self.model.graph.node:
            for name in node.output:
                consumers.setdefault(name, [])
            for name in dict.fromkeys(node.input):
                consumers.setdefault(name, []).append(node)
        return {name: tuple(nodes) for name, nodes in consumers.items()}


def read_network(path: Path, *, told: Path | None = None) -> Network:
    """Return the network in the ONNX file at `path`; external data beside it is read too.

    Errors name the file `told`; None: `path`.

    Raises:
        BackendError: It can't be read, is no float32 image network of one input and one output,
            holds control flow, can't be brought to an opset of `OPSETS`, or is quantised already.
    """
    model, named = load_onnx(path), told or path
    if fault := _fault(model):
        msg = f"{named}: {fault}"
        raise BackendError(msg)
    name_nodes(model)  # files may lack names, or give one twice
    try:
        model = converted(model)
    except BackendError as error:
        raise error.about(str(named)) from error
    # A clip range on what are really weights, behind an Identity, cost 24 dB.
    model = _folded(model, named)
    if flows := next(filter(None, map(control_flow, model.graph.node)), ""):
        msg = f"{named}: {flows}"  # what a constant decides is gone by now
        raise BackendError(msg)
    name_nodes(model)
    shares = _shares(model)
    axes = {tensor.name: len(tensor.dims) for tensor in model.graph.initializer}
    layers = tuple(
        _layer(node, shares.get(node.name, 0.0))
        for node in model.graph.node
        if node.op_type == "Conv" and axes.get(node.input[1]) == 4 and axes.keys() >= _bias(node)
    )
    taken = {layer.node for layer in layers}
    floats = tuple(
        f"{_kind(node, axes)} {node.name!r}"
        for node in model.graph.node
        if node.name not in taken and multiplies(node)
    )
    return Network(model, layers, floats)


def _bias(node: NodeProto) -> set[str]:
    return set(node.input[2:]) - {""}


def _kind(node: NodeProto, axes: Mapping[str, int]) -> str:
    """Return what `node` is called where it stays in float: ``Conv1d`` by the axes of weights."""
    if node.op_type != "Conv" or axes.get(node.input[1], 4) == 4:
        return str(node.op_type)
    return f"Conv{axes[node.input[1]] - 2}d"


def _fault(model: ModelProto) -> str:
    """Return why `model` can't be quantised; empty if it can."""
    found = arithmetic(model)
    if found.dtype != "fp32":
        return f"expected the fp32 file, got one of {found.dtype}: {found.sign}"
    if fault := no_image_network(*ends(model)):
        return fault
    return next(filter(None, map(foreign, model.graph.node)), "")


def _folded(model: ModelProto, path: Path) -> ModelProto:
    """Return `model` with constants folded and exporters' Identity nodes gone."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # The levels above write operators that only onnxruntime knows.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.add_session_config_entry(_FOLDED_LIMIT, str(MAX_FOLDED_BYTES))
    with temporary_folder() as folder:
        target = Path(folder, "folded.onnx")
        options.optimized_model_filepath = str(target)
        try:
            onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        # onnxruntime's exceptions have no common base but Exception.
        except Exception as error:
            msg = f"onnxruntime can't open {path}: {' '.join(str(error).split())}"
            raise BackendError(msg) from error
        folded = onnx.load(target)
    # onnxruntime declares all its domains, of which other runtimes refuse those they don't know.
    used = {node.domain for node in folded.graph.node}
    imports = [item for item in folded.opset_import if item.domain in used | {"", "ai.onnx"}]
    del folded.opset_import[:]
    folded.opset_import.extend(imports)
    return folded


def _layer(node: NodeProto, share: float) -> Layer:
    image, weight, bias = (*node.input, "")[:3]
    own = _FUSED.sub("", weight)
    name = own.removesuffix(".weight") if own.endswith(".weight") else node.name
    return Layer(name, node.name, image, node.output[0], weight, bias, share)


def _shares(model: ModelProto) -> Mapping[str, float]:
    """Return each node's part of the network's multiply-accumulates, by node name."""
    counts = count_macs(model, optimised=False)
    total = sum(macs.count for macs in counts) or 1
    shares: dict[str, float] = {}
    for macs in counts:  # a loop runs a node more than once
        shares[macs.node] = shares.get(macs.node, 0.0) + macs.count / total
    return shares
