"""Weights in ncnn's format: a text of layers (``.param``), and their numbers in order (``.bin``).

Source: Tencent/ncnn, wiki "param and model file structure" and "operators".
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sr_bench.core.card import ModelCard
from sr_bench.errors import CheckpointError
from sr_bench.files.weight_files import weight_files
from sr_bench.text.printable import some
from sr_bench.zoo.call_order import Call, calls_of
from sr_bench.zoo.checkpoints_fit import ROUNDED, wanted_by

_MAGIC = "7767517"
_FP16 = 0x01306B47
_FP32 = (0, 0x0002C056)
_SHOWN = 4  # values of a constant
_GIVEN_SCALE = -233  # a Scale has no numbers, but a second input
_OUTPUTS, _WIDTH, _BIAS, _COUNT, _GROUPS, _HEIGHT = "0", "1", "5", "6", "7", "11"

# By layer, what the network calls instead.
_CALLED = {
    "Convolution": "conv2d",
    "ConvolutionDepthWise": "conv2d",
    "Deconvolution": "conv_transpose2d",
    "DeconvolutionDepthWise": "conv_transpose2d",
    "InnerProduct": "linear",
    "PReLU": "prelu",
    "BatchNorm": "batch_norm",
}
_CONSTANT = "MemoryData"
"""A layer that holds a number of the network's code; parameters may be stored so too."""

_UNREAD = frozenset(
    (
        *("Convolution1D", "ConvolutionDepthWise1D", "Convolution3D", "ConvolutionDepthWise3D"),
        *("Deconvolution1D", "DeconvolutionDepthWise1D", "Deconvolution3D", "DeformableConv2D"),
        *("DeconvolutionDepthWise3D", "Bias", "Embed", "GroupNorm", "GRU", "InstanceNorm", "LSTM"),
        *("LayerNorm", "MultiHeadAttention", "Normalize", "RMSNorm", "RNN", "Scale"),
        *("Quantize", "Dequantize", "Requantize"),
    )
)
"""Further layers that hold numbers, and those of int8."""


@dataclass(frozen=True)
class _Layer:
    """One layer: a line of the ``.param``."""

    kind: str
    name: str
    options: Mapping[str, str]

    def number(self, key: str, default: int = 0) -> int:
        return int(self.options.get(key, default))


@dataclass(frozen=True)
class _Weights:
    """A layer with its numbers, each an array in the shape that the network's has."""

    layer: _Layer
    tensors: tuple[Tensor, ...]
    """Weight and bias, or of BatchNorm weight, running mean and variance, and bias."""

    def __str__(self) -> str:
        shapes = " and ".join("x".join(map(str, tensor.shape)) for tensor in self.tensors)
        return f"{self.layer.kind} {self.layer.name} ({shapes})"


def read_ncnn(
    card: ModelCard, module: nn.Module, path: Path
) -> tuple[dict[str, Tensor], Mapping[str, str]]:
    """Return the weights for `module` from the ncnn file at `path`, and notes on them.

    ncnn knows no names of parameters: its layers are taken in the order in which the network calls
    its own, and must fit in kind and shape.

    Raises:
        CheckpointError: They don't, the files are absent or damaged, or hold something else.
    """
    layers, (text, numbers) = _layers(path), weight_files(path)
    try:
        data = numbers.read_bytes()
    except OSError as error:
        msg = f"{path}: expected its weights beside it in {numbers.name} ({error.strerror})"
        raise CheckpointError(msg) from error
    reader = _Reader(data, numbers)
    read = [reader.weights(layer) for layer in layers if layer.kind in (*_CALLED, _CONSTANT)]
    reader.check_end()
    given = [weights for weights in read if weights.layer.kind != _CONSTANT]
    try:
        state = _matched(
            given, calls_of(module, (card.input.channels, *card.counted_shape[1:])), module
        )
    except CheckpointError as error:
        msg = f"{text} (card {card.id}): {error}"
        raise CheckpointError(msg) from error
    notes = {"weights_file": "ncnn: layers in the order in which the network calls its own"}
    if len(given) < len(read):  # such as a mean that the network's code subtracts
        constants = [weights for weights in read if weights.layer.kind == _CONSTANT]
        notes["weights_file"] += f"; left out {', '.join(map(_constant, constants))}"
    if reader.halves:
        notes["weights"] = ROUNDED.format("fp16")
    return state, notes


def _constant(weights: _Weights) -> str:
    values = [f"{value:g}" for value in weights.tensors[0].flatten().tolist()]
    return f"constant {weights.layer.name} ({some(values, _SHOWN)})"


def _layers(path: Path) -> list[_Layer]:
    try:
        lines = path.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: not a text of ncnn ({error})"
        raise CheckpointError(msg) from error
    if not lines or lines[0].strip() != _MAGIC:
        msg = f"{path}: expected ncnn's {_MAGIC} in line 1, got {lines[0] if lines else ''!r:.40}"
        raise CheckpointError(msg)
    layers = []
    for number, line in enumerate(lines[2:], start=3):
        if words := line.split():
            try:
                layers.append(_layer(words))
            except (ValueError, IndexError) as error:
                msg = f"{path}:{number}: expected a layer of ncnn, got {line:.60}"
                raise CheckpointError(msg) from error
    for layer in layers:
        if layer.kind in _UNREAD and layer.number(_OUTPUTS) != _GIVEN_SCALE:
            msg = (
                f"{path}: layer {layer.name} is a {layer.kind}, whose numbers are not read: "
                "give the authors' own checkpoint"
            )
            raise CheckpointError(msg)
    return layers


def _layer(words: Sequence[str]) -> _Layer:
    """Return the layer of ``kind name inputs outputs blobs... key=value...``."""
    kind, name, inputs, outputs, *rest = words
    options = rest[int(inputs) + int(outputs) :]
    return _Layer(kind, name, dict(option.split("=", 1) for option in options))


class _Reader:
    """The numbers of the layers, from the begin of the file to its end.

    Attributes:
        halves: Whether some are stored in fp16.
    """

    def __init__(self, data: bytes, path: Path) -> None:
        self._data, self._path = data, path
        self._at = 0
        self.halves = False

    def weights(self, layer: _Layer) -> _Weights:
        """Return the numbers of `layer`, with which the file goes on.

        Raises:
            CheckpointError: They aren't there, or are quantised.
        """
        try:
            return _Weights(layer, self._tensors(layer))
        except (ValueError, RuntimeError, OverflowError) as error:
            msg = f"{self._path}: layer {layer.kind} {layer.name} can't be read ({error})"
            raise CheckpointError(msg) from error

    def check_end(self) -> None:
        """Raise a CheckpointError where numbers are left."""
        if left := len(self._data) - self._at:
            msg = f"{self._path}: {left} bytes are left behind the last layer that is read"
            raise CheckpointError(msg)

    def _tensors(self, layer: _Layer) -> tuple[Tensor, ...]:
        outputs = layer.number(_OUTPUTS)
        if layer.kind == "PReLU":
            return (self._plain(outputs),)
        if layer.kind == _CONSTANT:
            sides = [layer.number(key) or 1 for key in ("2", "11", "1", "0")]
            return (self._plain(prod(sides)).reshape(sides),)
        if layer.kind == "BatchNorm":
            return tuple(self._plain(outputs) for _ in range(4))
        if layer.kind == "InnerProduct":
            weight, has_bias = self._tagged(layer, layer.number("2")), layer.number("1")
            shape: tuple[int, ...] = (outputs, -1)
        else:
            weight, has_bias = self._tagged(layer, layer.number(_COUNT)), layer.number(_BIAS)
            width = layer.number(_WIDTH)
            shape = (outputs, -1, layer.number(_HEIGHT, width), width)
        weight = weight.reshape(shape)
        if layer.kind == "Deconvolution":  # its outputs come first, torch's inputs do
            weight = weight.transpose(0, 1)
        if layer.kind == "DeconvolutionDepthWise" and layer.number(_GROUPS, 1) != outputs:
            msg = "several outputs in each of several groups"
            raise ValueError(msg)
        return (weight, self._plain(outputs)) if has_bias else (weight,)

    def _tagged(self, layer: _Layer, count: int) -> Tensor:
        (tag,) = struct.unpack("<I", self._take(4))
        if layer.number("8") or (tag != _FP16 and tag not in _FP32):
            msg = f"its weights are quantised, tag 0x{tag:08x}: give those in fp32 or fp16"
            raise ValueError(msg)
        if tag in _FP32:
            return self._plain(count)
        self.halves = True
        data = self._take((2 * count + 3) // 4 * 4)
        return torch.from_numpy(np.frombuffer(data, "<f2", count).astype(np.float32))

    def _plain(self, count: int) -> Tensor:
        return torch.from_numpy(np.frombuffer(self._take(4 * count), "<f4").copy())

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if size < 0 or end > len(self._data):
            msg = f"it takes {size} bytes at {self._at}, and the file has {len(self._data)}"
            raise ValueError(msg)
        data, self._at = self._data[self._at : end], end
        return data


def _matched(
    given: Sequence[_Weights], calls: Sequence[Call], module: nn.Module
) -> dict[str, Tensor]:
    """Return the numbers of the layers by the names of the parameters that the calls use."""
    state: dict[str, Tensor] = {}
    for number, (weights, call) in enumerate(zip(given, calls, strict=False), start=1):
        fits = call.function == _CALLED[weights.layer.kind] and call.shapes == tuple(
            tuple(tensor.shape) for tensor in weights.tensors
        )
        if not fits:
            msg = f"layer {number} of {len(given)}, {weights}, is not {call} of the network"
            raise CheckpointError(msg)
        for name, tensor in zip(call.names, weights.tensors, strict=True):
            if not torch.equal(state.setdefault(name, tensor), tensor):
                msg = f"layer {number}, {weights}, differs from an earlier one that is {name} too"
                raise CheckpointError(msg)
    if len(given) != len(calls):
        more = str(given[len(calls)]) if len(given) > len(calls) else str(calls[len(given)])
        msg = f"it has {len(given)} layers with weights, the network {len(calls)}: {more} is over"
        raise CheckpointError(msg)
    if missing := wanted_by(module).missing(state):
        msg = f"the network uses {some(missing, 8)} in no layer that ncnn has"
        raise CheckpointError(msg)
    return state
