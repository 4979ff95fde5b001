"""Run a torch module or an ONNX graph on arrays, and imitate fp16 operator by operator."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from sr_bench.backends._session import CheckedSession
from sr_bench.backends._torch_graph import RUN_ERRORS, Graph
from sr_bench.core.backend import Session
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError


def open_module(module: object, precision: Precision, *, threads: int) -> Session:
    """Return a session around `module`, which it keeps, moves and, for fp16, rounds.

    Raises:
        BackendError: `module` is not a ``torch.nn.Module``.
    """
    if not isinstance(module, nn.Module):
        msg = f"torch: expected a torch.nn.Module, got {type(module).__name__}"
        raise BackendError(msg)
    device = _device(threads)
    infer = _Run(_Module(module, precision, device), type(module).__name__, device)
    return CheckedSession(infer, backend="torch", device=device.type)


def open_graph(path: Path, precision: Precision, *, threads: int) -> Session:
    """Return a session around the ONNX file at `path`, which is in `precision`.

    Raises:
        BackendError: The file can't be read or is not in `precision`.
        NotRunError: It holds an operator or an attribute that is not supported.
    """
    device = _device(threads)
    graph = Graph(path, precision, device)
    infer = _Run(graph, str(path), device)
    return CheckedSession(infer, backend="torch", device=device.type, notes=graph.notes)


def _device(threads: int) -> torch.device:
    """Return what computes, after setting the process's switches for it."""
    torch.set_num_threads(threads)
    if not torch.cuda.is_available():
        return torch.device("cpu")
    # TF32 keeps 10 bits of the mantissa: that is no fp32. The switches are the process's, so
    # that turning them around each run would race between threads.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return torch.device("cuda")


class _Run:
    """A function of tensors as one of arrays, ready to run from any thread."""

    def __init__(
        self, forward: Callable[[Tensor], Tensor], name: str, device: torch.device
    ) -> None:
        self._forward = forward
        self._name = name
        self._device = device

    def __call__(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        x = torch.from_numpy(np.ascontiguousarray(lr))
        try:
            with torch.inference_mode():
                x = x.to(self._device, memory_format=torch.channels_last)
                output = self._forward(x)
        except (*RUN_ERRORS, BackendError) as error:
            msg = f"torch can't run {self._name} on the shape {lr.shape}: {error}"
            raise BackendError(msg) from error
        array: NDArray[np.float32] = output.contiguous().cpu().numpy()
        return array


class _Module:
    """A module on its device, in its precision."""

    def __init__(self, module: nn.Module, precision: Precision, device: torch.device) -> None:
        self._half = precision is Precision.FP16
        if self._half:
            _round_parameters(module)
        self._module = module.eval().requires_grad_(False).to(device)
        self._module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, x: Tensor) -> Tensor:
        if not self._half:
            return self._forward(x)
        with RoundToFp16():  # type: ignore[no-untyped-call]
            return self._forward(fp16(x))

    def _forward(self, x: Tensor) -> Tensor:
        output: Tensor = self._module(x)
        return output


class RoundToFp16(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Round what every operator gives to fp16, in float32 tensors.

    Each operator computes in float32 and its result is rounded half to even; what is too large
    becomes inf. Real fp16 on a CPU is 7 to 150 times slower than fp32.
    """

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload,
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        result = func(*args, **(kwargs or {}))
        if func.is_view:
            return result
        if func._schema.is_mutable:
            # The callers of an operator in place hold its tensor: the rounding goes there too.
            for tensor in torch.utils._pytree.tree_leaves(result):
                if _is_float32(tensor):
                    tensor.copy_(fp16(tensor))
            return result
        return torch.utils._pytree.tree_map_only(Tensor, _rounded, result)


def fp16(x: Tensor) -> Tensor:
    """Return `x`, float32, with every value rounded to fp16."""
    return x.half().float()


def _is_float32(value: object) -> bool:
    return isinstance(value, Tensor) and value.dtype == torch.float32


def _rounded(x: Tensor) -> Tensor:
    return fp16(x) if _is_float32(x) else x


def _round_parameters(module: nn.Module) -> None:
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if _is_float32(tensor):
                tensor.copy_(fp16(tensor))
