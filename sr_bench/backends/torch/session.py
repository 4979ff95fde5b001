"""Run a torch module on arrays, and emulate fp16 operator by operator."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from sr_bench.backends._session import CheckedSession
from sr_bench.backends.torch.run import Finish, Run, guarded
from sr_bench.core.backend import Batch, Session
from sr_bench.core.precision import Precision
from sr_bench.errors import BackendError

LARGEST_BATCH = 16
BATCH_PIXELS = 2**19
"""LR pixels of a batch: no part of the memory that is free, which would move the last digits."""


def open_module(
    module: object, precision: Precision, *, threads: int, batches: bool | None = None
) -> Session:
    """Return a session around the fp32 `module`, which it keeps, moves and, for fp16, rounds.

    It offers `batches`; if that is None, on a GPU, which gains by them.

    Raises:
        BackendError: `module` is not a ``torch.nn.Module``, or the GPU's memory is too small.
    """
    if not isinstance(module, nn.Module):
        msg = f"torch: expected a torch.nn.Module, got {type(module).__name__}"
        raise BackendError(msg)
    device = _device(threads)
    name = type(module).__name__
    placed = guarded(lambda: _Module(module, precision, device), f"open {name}")
    run = Run(placed, name, device)
    on_gpu = device.type == "cuda"
    notes = {"gpu": torch.cuda.get_device_name(device)} if on_gpu else {}
    if batches or (batches is None and on_gpu):
        return TorchBatchSession(run, notes)
    return CheckedSession(run, backend="torch", device=device.type, notes=notes)


def _device(threads: int) -> torch.device:
    """Return the device that computes, after setting the process's switches for it."""
    torch.set_num_threads(threads)
    if not torch.cuda.is_available():
        return torch.device("cpu")
    # TF32 keeps 10 bits of the mantissa: that is no fp32. The switches are the process's, so
    # that turning them around each run would race between threads.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    # The fastest algorithm of the moment is not the same one each time.
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    return torch.device("cuda")


class TorchBatchSession(CheckedSession):
    """A session that also runs several images at once; see `sr_bench.core.backend.BatchSession`."""

    def __init__(self, run: Run, notes: Mapping[str, str]) -> None:
        super().__init__(run, backend="torch", device=run.device.type, notes=notes)
        self._start: Callable[[Batch], Finish] | None = run.start

    def batch(self, shape: tuple[int, ...]) -> int:
        """Return how many inputs of `shape`, 1 x C x H x W, to run at once."""
        return max(1, min(LARGEST_BATCH, BATCH_PIXELS // (shape[-2] * shape[-1])))

    def start(self, batch: Batch) -> Finish:
        """Start `batch`; return a function that waits for each image's result, in order.

        Raises:
            BackendError: The network does not accept the images, or the session is closed.
        """
        if self._start is None:
            msg = "this session of torch is closed; open another one"
            raise BackendError(msg)
        for lr in batch.lrs:
            self._check(lr, "input")
        return self._start(batch)

    def close(self) -> None:
        """Free what the session holds; a second call does nothing."""
        super().close()
        self._start = None


class _Module:
    """A module on its device, in its precision."""

    def __init__(self, module: nn.Module, precision: Precision, device: torch.device) -> None:
        self._half = precision is Precision.FP16
        if self._half:
            with torch.no_grad():
                for tensor in (*module.parameters(), *module.buffers()):
                    if _is_float32(tensor):
                        tensor.copy_(fp16(tensor))
        self._module = module.eval().requires_grad_(False).to(device)
        # Measured on a CPU: 1.3 to 1.5 times as fast as NCHW.
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
    """Round every operator's result to fp16, in float32 tensors.

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
        # A view holds values that are rounded already, and must stay one: writes to it count.
        if func.is_view:
            return result
        if func._schema.is_mutable:
            # The callers of an operator in place hold its tensor: the rounding goes there too.
            for tensor in torch.utils._pytree.tree_leaves(result):
                if _is_float32(tensor):
                    tensor.copy_(fp16(tensor))
            return result
        return torch.utils._pytree.tree_map(lambda x: fp16(x) if _is_float32(x) else x, result)


def fp16(x: Tensor) -> Tensor:
    """Return `x`, float32, with every value rounded to fp16."""
    return x.half().float()


def _is_float32(value: object) -> bool:
    return isinstance(value, Tensor) and value.dtype == torch.float32
