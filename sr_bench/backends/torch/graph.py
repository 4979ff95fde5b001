"""Read an ONNX file and run it in torch, operator by operator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper
from torch import Tensor

from sr_bench.backends.onnxruntime.file import check_onnx, int8_rules
from sr_bench.backends.torch.operators import OPERATORS
from sr_bench.backends.torch.operators.integers import (
    IntegerConvolution,
    carried_convolution,
    integer_convolution,
)
from sr_bench.backends.torch.operators.levels import Dequantised, read_dequantised
from sr_bench.backends.torch.operators.node import Node, Run
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError, NotRunError
from sr_bench.files.onnx_file import inputs, load_onnx, metadata, opset

OLDEST_OPSET = 11
"""Before it, operators had other attributes."""

RUN_ERRORS = (RuntimeError, IndexError, ValueError, TypeError, KeyError)
"""What torch raises for values that an operator does not take."""


@dataclass(frozen=True)
class _Step:
    """One operator, ready to run."""

    name: str
    run: Run
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    frees: tuple[str, ...] = ()
    """Values that nobody reads after it."""


class Graph:
    """An ONNX file as a function of a float32 tensor; any number of threads may call it."""

    def __init__(self, path: Path, precision: Precision, device: torch.device) -> None:
        """Open the file at `path`, made for `precision`, with its constants on `device`.

        Raises:
            BackendError: The file can't be read, is not made for `precision`, or is no image
                network of one input and one output.
            NotRunError: It holds operators or attributes that are not supported; all are named.
        """
        model = _read(path, precision)
        graph, self._rules = model.graph, int8_rules(metadata(model))
        try:
            with torch.inference_mode():
                builder = _Builder(model, path, device)
        except BackendError as error:
            msg = f"torch can't open {path}: {error}"
            raise BackendError(msg) from error
        self._input, self._output = builder.input, builder.output
        self._constants, self._steps = builder.needed()
        self._layers = builder.layers
        declared = next(value for value in graph.input if value.name == self._input)
        self._dims = [dim.dim_value for dim in declared.type.tensor_type.shape.dim]

    @property
    def notes(self) -> Mapping[str, str]:
        """What there is to say about how it computes; nothing if no layer is int8."""
        if self._rules:
            return {"int8_rules": self._rules}
        done = sum(isinstance(step.run, IntegerConvolution) for step in self._steps)
        if not self._layers:
            return {}
        return {
            "int8_kernel": "exact integers in floats",
            "int8_layers": f"{done} of {self._layers} int8 layers run in integers",
        }

    @property
    def fixed_batch(self) -> bool:
        """Whether the file declares how many images it takes at once."""
        return not self._dims or self._dims[0] != 0

    def __call__(self, x: Tensor) -> Tensor:
        """Return the network's output for `x`.

        Raises:
            BackendError: It is not of the declared shape, or an operator does not take its input;
                the message says what was expected or names the node.
        """
        self._check(x)
        values: dict[str, Tensor | None] = {"": None, **self._constants, self._input: x}
        for step in self._steps:
            results = _results(step, [values[name] for name in step.inputs])
            values.update(zip(step.outputs, results, strict=False))
            values[""] = None  # also where an output is left out
            for name in step.frees:
                values.pop(name, None)
        output = values[self._output]
        assert output is not None
        return output

    def _check(self, x: Tensor) -> None:
        # Otherwise a grey image would pass as three channels wherever it is added to a constant.
        fits = len(self._dims) == x.ndim
        if fits and all(size in (0, came) for size, came in zip(self._dims, x.shape, strict=True)):
            return
        expected = " x ".join(str(size or "any") for size in self._dims)
        msg = f"expected an input of {expected}"
        raise BackendError(msg)


class _Builder:
    """The steps of a graph; what depends on constants alone is computed at once."""

    def __init__(self, model: ModelProto, path: Path, device: torch.device) -> None:
        graph, version = model.graph, opset(model)
        self._path, self._device = path, device
        self._widens = device.type != "cpu" and bool(int8_rules(metadata(model)))
        self.constants = {t.name: self._placed(_tensor(t, path)) for t in graph.initializer}
        self.input = next(v.name for v in graph.input if v.name not in self.constants)
        self.output = graph.output[0].name
        self.layers = 0
        """Convolutions with quantised weights."""
        self._steps: list[_Step] = []
        self._dequantised: dict[str, Dequantised] = {}
        self._faults: dict[str, str] = {}
        nodes = [Node(proto, version, self.constants) for proto in _constants_first(graph.node)]
        self._readers: dict[str, list[Node]] = {}
        for node in nodes:
            for name in node.inputs:
                self._readers.setdefault(name, []).append(node)
        self._readers.pop(self.output, None)
        done: set[Node] = set()
        for node in nodes:
            if node not in done:
                done.update(self._add(node))
        if self._faults:
            self._refuse()

    def needed(self) -> tuple[Mapping[str, Tensor], Sequence[_Step]]:
        """Return the constants and steps that the output depends on."""
        read = {self.output}
        steps: list[_Step] = []
        for step in reversed(self._steps):
            if read.intersection(step.outputs):
                last = {*step.inputs, *step.outputs} - read - self.constants.keys() - {""}
                steps.append(replace(step, frees=tuple(sorted(last))))
                read.update(step.inputs)
        kept = {name: value for name, value in self.constants.items() if name in read}
        return kept, tuple(reversed(steps))

    def _add(self, node: Node) -> tuple[Node, ...]:
        """Add the step of `node`; return the nodes that it stands for."""
        self.layers += node.op == "Conv" and node.inputs[1] in self._dequantised
        try:
            if fused := integer_convolution(node, self._dequantised, self._readers):
                self._check_read(node)
                step = _Step(node.name, fused.run, (fused.input,), (fused.output,))
                self._steps.append(step)
                return fused.nodes
            self._add_plain(node)
        except NotRunError as fault:
            self._faults.setdefault(str(fault), node.name)
        return (node,)

    def _add_plain(self, node: Node) -> None:
        if node.op not in OPERATORS:
            msg = f"the operator {node.op} is not supported"
            raise NotRunError(msg)
        run = OPERATORS[node.op](node)
        if self._widens:
            run = carried_convolution(node) or run
        self._check_read(node)
        step = _Step(node.name, run, node.inputs, node.outputs)
        if found := read_dequantised(node):
            self._dequantised[node.outputs[0]] = found
        if not all(name in self.constants for name in node.inputs if name):
            self._steps.append(step)
            return
        results = _results(step, [self.constants.get(name) for name in node.inputs])
        for name, value in zip(node.outputs, results, strict=False):
            if name:
                self.constants[name] = self._placed(value)

    def _check_read(self, node: Node) -> None:
        if unread := node.unread():
            msg = f"the attribute {unread[0]} is not supported"
            raise NotRunError(msg)

    def _refuse(self) -> None:
        faults = "; ".join(f"{name}: {fault}" for fault, name in self._faults.items())
        msg = f"torch can't run {self._path}: {faults}; use --backend=onnxruntime"
        raise NotRunError(msg)

    def _placed(self, value: Tensor) -> Tensor:
        """Return a constant where it is used: on the device, but sizes and axes on the CPU."""
        if value.dtype in (torch.int64, torch.bool):
            return value
        value = value.to(self._device)
        return value.contiguous(memory_format=torch.channels_last) if value.ndim == 4 else value


def _results(step: _Step, inputs: list[Tensor | None]) -> Sequence[Tensor]:
    try:
        results = step.run(*inputs)
    except torch.OutOfMemoryError:
        raise  # no fault of the node
    except RUN_ERRORS as error:
        msg = f"{step.name}: {error}"
        raise BackendError(msg) from error
    return (results,) if isinstance(results, Tensor) else results


def _read(path: Path, precision: Precision) -> ModelProto:
    """Return the network in the file at `path`, which must be made for `precision`."""
    model = load_onnx(path, fault="torch can't open")
    read, made = inputs(model), len(model.graph.output)
    check_onnx(path, precision, inputs=len(read), outputs=made, metadata=metadata(model))
    kind = read[0].type.tensor_type.elem_type
    if kind != TensorProto.FLOAT:
        msg = f"{path}: expected a float32 input, it is {TensorProto.DataType.Name(kind)}"
        raise BackendError(msg)
    if (came := opset(model)) < OLDEST_OPSET:
        msg = f"{path}: expected opset {OLDEST_OPSET} or later, got {came}; export it again"
        raise BackendError(msg)
    return model


def _constants_first(nodes: Sequence[NodeProto]) -> list[NodeProto]:
    """Return `nodes` so that a convolution can look ahead to the levels of its output."""
    return sorted(nodes, key=lambda node: node.op_type != "Constant")


def _tensor(tensor: TensorProto, path: Path) -> Tensor:
    try:
        return torch.from_numpy(numpy_helper.to_array(tensor).copy())
    except TypeError as error:
        kind = TensorProto.DataType.Name(tensor.data_type)
        msg = f"torch can't run {path}: the constant {tensor.name!r} is of type {kind}"
        raise NotRunError(msg) from error
