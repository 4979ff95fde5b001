"""Export a torch network to an ONNX file that takes any batch, height and width."""

import warnings
from pathlib import Path

import onnx
import torch
from onnx import ModelProto
from torch import nn

from sr_bench.errors import BackendError
from sr_bench.files.onnx_write import write_onnx
from sr_bench.files.temporary import temporary_folder

OPSET = 17
INPUT, OUTPUT = "lr", "sr"

# Height and width of the traced input: unequal, so that a swap of the two can't pass unseen.
_TRACED_SIZE = (24, 32)

_EXPORT_ERRORS = (RuntimeError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError)

_LEGACY_EXPORTER = r"You are using the legacy TorchScript|The feature will be removed"


def export_onnx(module: nn.Module, path: Path, *, channels: int = 3) -> None:
    """Write `module` to `path` as an ONNX file of opset 17.

    The input is ``lr`` and the output ``sr``, both float32 NCHW with free N, H and W. `path`
    appears complete or not at all; missing folders are made. `module` is on the CPU; it is exported
    in evaluation mode and left in the mode it was in.

    Raises:
        BackendError: torch can't export the network, or the file would not be valid or not open.
    """
    try:
        model = _trace(module, channels)
        _copy_shared_constants(model)
    except _EXPORT_ERRORS as error:
        msg = f"can't export {type(module).__name__} to ONNX: {error}"
        raise BackendError(msg) from error
    write_onnx(model, path)


def _trace(module: nn.Module, channels: int) -> ModelProto:
    free = {0: "n", 2: "h", 3: "w"}
    with temporary_folder() as folder, warnings.catch_warnings(), torch.inference_mode():
        # The exporter that replaces it needs onnxscript, which is not required here.
        warnings.filterwarnings("ignore", _LEGACY_EXPORTER, DeprecationWarning)
        traced = Path(folder, "traced.onnx")
        torch.onnx.export(
            module,
            (torch.zeros(1, channels, *_TRACED_SIZE),),
            traced,
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: free, OUTPUT: free},
            do_constant_folding=True,
        )
        return onnx.load(traced)


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
