"""Export a torch network to an ONNX file that takes any batch, height and width."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import ModelProto
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sr_bench.core.network_io import NetworkInput
from sr_bench.errors import BackendError, SrBenchError
from sr_bench.files.onnx_open import open_on_cpu
from sr_bench.files.onnx_write import write_onnx
from sr_bench.files.temporary import temporary_folder
from sr_bench.text.raised import what_raised

OPSET = 17
INPUT, OUTPUT = "lr", "sr"
PLAIN = NetworkInput()

_OPTIONS: Mapping[str, Any] = {
    "opset_version": OPSET,
    "input_names": [INPUT],
    "output_names": [OUTPUT],
}

_SIDES = ((3, 4), (5, 3))
"""Height and width of the traced input, and of another on which the file must agree, in units.
They are unequal, so that a swap of the two can't pass unseen."""

_UNITS = (8, 32)
"""Pixels of a unit, the second for networks that take large images or their multiples alone."""

_AGREES = 1e-3
"""Largest difference, as a part of the output's span: two libraries differ by some 1e-6."""

_SHAKEN, _TIMES = 1e-6, 100
"""A change of the input, of whose effect the difference may be that many times: networks may blow
up what two libraries round otherwise, or add noise."""

_ASKING = " Please feel free to request support"
"""What torch says next is not about the network."""


def export_onnx(module: nn.Module, path: Path, given: NetworkInput = PLAIN) -> None:
    """Write `module` to `path` as an ONNX file of opset 17.

    The input is ``lr`` and the output ``sr``, both float32 NCHW with free N, H and W; of a module
    that is `given` images of one size, with free N alone. `path` appears complete or not at all;
    missing folders are made. `module` is on the CPU; it is exported in evaluation mode and left in
    the mode it was in.

    What an exporter makes must compute what the module computes, on an image of another size too.

    Raises:
        BackendError: The network fails, no exporter of torch can export it, or the file would not
            be valid or not open.
    """
    free = {0: "n"} if given.size else {0: "n", 2: "h", 3: "w"}
    with _evaluated(module):
        traced, other = _images(module, given)
        write_onnx(_exported(module, free, traced, other), path)


@contextmanager
def _evaluated(module: nn.Module) -> Iterator[None]:
    modes = {layer: layer.training for layer in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for layer, mode in modes.items():
            layer.training = mode


def _images(module: nn.Module, given: NetworkInput) -> tuple[Tensor, Tensor]:
    """Return two images of sizes that `module` takes."""
    fault: Exception | None = None
    for sizes in _sizes(given):
        noise = torch.Generator().manual_seed(0)
        coarse = torch.rand((1, given.channels, 4, 4), generator=noise)  # of noise, some overflow
        traced, other = (interpolate(coarse, size, mode="bicubic") for size in sizes)
        try:
            _computed(module, traced), _computed(module, other)
        except SrBenchError:
            raise
        except Exception as error:
            fault = fault or error
        else:
            return traced, other
    why = what_raised(fault, type(module).forward) if fault else ""
    msg = f"{type(module).__name__} fails on an image of {given.channels} channels: {why}"
    raise BackendError(msg) from fault


def _sizes(given: NetworkInput) -> Iterator[list[tuple[int, int]]]:
    """Yield pairs of sizes to try."""
    if given.size:
        yield [given.size] * 2
        return
    for unit in _UNITS:
        pixels = -(-unit // given.multiple_of) * given.multiple_of
        yield [(height * pixels, width * pixels) for height, width in _SIDES]


def _exported(
    module: nn.Module, free: Mapping[int, str], traced: Tensor, other: Tensor
) -> ModelProto:
    """Return `module` as the first exporter makes it whose file agrees on the image `other`."""
    reasons = []
    for name, export in {"TorchScript": _by_trace, "torch.export": _by_dynamo}.items():
        try:
            with temporary_folder() as folder, _quiet():
                export(module, free, traced, Path(folder, "traced.onnx"))
                model = onnx.load(Path(folder, "traced.onnx"))
            _copy_shared_constants(model)
            _check_agreement(model, module, other)
        except Exception as error:  # each has its own, or those of the user's code
            reasons.append(f"by {name}: {what_raised(error).partition(_ASKING)[0]}")
        else:
            return model
    said = "; ".join(reasons)
    msg = f"can't export {type(module).__name__} to ONNX: {said}; --backend=torch runs it as it is"
    raise BackendError(msg)


@contextmanager
def _quiet() -> Iterator[None]:
    """Show nothing of what exporters say besides errors: what they get wrong is found out."""
    before, prints = logging.root.manager.disable, torch._C._jit_onnx_log
    logging.disable(logging.ERROR)
    torch._C._jit_onnx_log = _say_nothing  # of a network that fails it prints the whole graph
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        torch._C._jit_onnx_log = prints


def _say_nothing(*_text: object) -> None:
    """Stand in for what writes to the terminal past Python, whatever torch has been told."""


def _by_trace(module: nn.Module, free: Mapping[int, str], image: Tensor, path: Path) -> None:
    axes = {INPUT: dict(free), OUTPUT: dict(free)}
    torch.onnx.export(module, (image,), path, dynamo=False, dynamic_axes=axes, **_OPTIONS)


def _by_dynamo(module: nn.Module, free: Mapping[int, str], image: Tensor, path: Path) -> None:
    if find_spec("onnxscript") is None:
        msg = "it needs onnxscript, which is not installed: pip install onnxscript"
        raise BackendError(msg)
    several = image.repeat(2, 1, 1, 1)  # of one, it would take 1 for the only batch
    torch.onnx.export(
        module,
        (several,),
        path,
        dynamo=True,
        dynamic_shapes=(dict(free),),
        verbose=False,
        external_data=False,
        **_OPTIONS,
    )


def _computed(module: nn.Module, image: Tensor) -> Tensor:
    with torch.inference_mode():
        return torch.as_tensor(module(image))


def _check_agreement(model: ModelProto, module: nn.Module, image: Tensor) -> None:
    """Raise a BackendError unless `model` computes what `module` computes of `image`."""
    expected = _computed(module, image)
    blown_up = float((_computed(module, image + _SHAKEN) - expected).abs().max())
    span = float(expected.max() - expected.min())
    limit = max(_AGREES * span, _TIMES * blown_up)
    session = open_on_cpu(model.SerializeToString())
    with suppress(Exception):  # onnxruntime's, as of a Reshape to the size of the other image
        got = torch.from_numpy(session.run([OUTPUT], {INPUT: image.numpy()})[0])
        if got.shape == expected.shape and float((got - expected).abs().max()) <= limit:
            return
    size = "x".join(map(str, image.shape[2:]))
    msg = f"its file computes another output at {size}, or none, as if made for one size alone"
    raise BackendError(msg)


def _copy_shared_constants(model: ModelProto) -> None:
    """Give each parameter a constant of its own, in place.

    The exporter keeps one of several equal parameters and writes an Identity for each other one.
    Quantisers take the output of an Identity for an activation, and counters lose parameters.
    """
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in [n for n in graph.node if n.op_type == "Identity" and n.input[0] in constants]:
        copy = graph.initializer.add()
        copy.CopyFrom(constants[node.input[0]])
        copy.name = node.output[0]
        graph.node.remove(node)
