"""Run a function of tensors on arrays: one image at a time, or batches that the device overlaps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sr_bench.backends.torch.metrics import can_compare, compare, read_scores
from sr_bench.core.backend import Batch, BatchItem
from sr_bench.core.device import Failure
from sr_bench.errors import BackendError, DeviceError
from sr_bench.text.raised import what_raised

Finish = Callable[[], Sequence[BatchItem]]
"""Waits for a batch and returns each image's result, in order."""

# What torch raises for values that a module does not take.

_T = TypeVar("_T")


@dataclass(frozen=True)
class _Flight:
    """A batch that the device computes, and its results on their way back."""

    output: Tensor  # on the device
    rows: Tensor | None  # on the host, once landed: rows for read_scores
    outputs: Tensor | None  # on the host, once landed
    landed: torch.cuda.Event | None  # None on a CPU, which is done at once


class Run:
    """A function of tensors as one of arrays, ready to run from any thread."""

    def __init__(
        self, forward: Callable[[Tensor], Tensor], name: str, device: torch.device
    ) -> None:
        self._forward = forward
        self._name = name
        self.device = device

    def __call__(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output for `lr`, both N x C x H x W.

        Raises:
            BackendError: The function does not take it, or the device's memory is too small.
        """

        def compute() -> NDArray[np.float32]:
            # torch takes no array with negative strides, as flipped channels have.
            x = torch.from_numpy(np.ascontiguousarray(lr))
            x = x.to(self.device, memory_format=torch.channels_last)
            array: NDArray[np.float32] = self._forward(x).contiguous().cpu().numpy()
            return array

        return self._guarded(compute, lr.shape)

    def start(self, batch: Batch) -> Finish:
        """Start `batch`; return what waits for it.

        Raises:
            BackendError: The function does not take it, or the device's memory is too small.
        """
        shape = (len(batch.lrs), *batch.lrs[0].shape[1:])
        flight = self._guarded(lambda: self._launched(batch), shape)
        return lambda: self._guarded(lambda: _landed(flight, batch), shape)

    def _launched(self, batch: Batch) -> _Flight:
        lrs = _placed([lr[0] for lr in batch.lrs], self.device)
        output = self._forward(lrs.contiguous(memory_format=torch.channels_last))
        whole = output.ndim == 4 and len(output) == len(lrs) and output.numel()
        if not whole or output.dtype != torch.float32:
            got = f"{output.dtype} of shape {tuple(output.shape)}"
            msg = f"expected a float32 output for each of {len(lrs)} images, got {got}"
            raise BackendError(msg)
        rows = self._compared(output, batch)
        outputs = output.contiguous() if batch.wants_outputs or rows is None else None
        # To pinned memory, which torch takes by itself for a copy that nobody waits for.
        rows, outputs = (
            x if x is None else x.to("cpu", non_blocking=True) for x in (rows, outputs)
        )
        landed = None
        if self.device.type == "cuda":
            landed = torch.cuda.Event()  # type: ignore[no-untyped-call]
            landed.record()
        return _Flight(output, rows, outputs, landed)

    def _compared(self, output: Tensor, batch: Batch) -> Tensor | None:
        """Return what scores are read from; None where the CPU has to score."""
        how = batch.scoring
        if how is None:
            return None
        shape = (len(batch.hrs), *batch.hrs[0].shape)
        if not can_compare(output.shape, shape, how):
            return None
        return compare(output, _placed(batch.hrs, self.device), how)

    def _guarded(self, compute: Callable[[], _T], shape: tuple[int, ...]) -> _T:
        where = f"run {self._name} on the shape {shape}"
        with torch.inference_mode():
            return guarded(compute, where, catches=(Exception,))  # a forward is anyone's code


def guarded(
    compute: Callable[[], _T], what: str, *, catches: tuple[type[Exception], ...] = ()
) -> _T:
    """Return what `compute` gives, which uses the device; `what` it does is named in messages.

    Raises:
        DeviceError: The device's memory is too small.
        BackendError: One of `catches` was raised.
    """
    try:
        return compute()
    except torch.OutOfMemoryError:
        pass  # It is no cause below: its traceback holds tensors, and errors are kept for long.
    except catches as error:
        msg = f"torch can't {what}: {what_raised(error)}"
        raise BackendError(msg) from error
    msg = (
        f"the GPU's memory is too small to {what}: end what else uses it, choose another GPU "
        "with CUDA_VISIBLE_DEVICES=<number>, or compute on the CPU with CUDA_VISIBLE_DEVICES=-1"
    )
    raise DeviceError(Failure.DEVICE_OOM, msg)


def _placed(images: Sequence[NDArray[np.generic]], device: torch.device) -> Tensor:
    """Return `images` stacked on `device`, through pinned memory if it is a GPU."""
    stacked = torch.from_numpy(np.stack(images))
    pinned = device.type == "cuda"
    return (stacked.pin_memory() if pinned else stacked).to(device, non_blocking=pinned)


def _landed(flight: _Flight, batch: Batch) -> Sequence[BatchItem]:
    """Return the results of a batch, once they are back."""
    if flight.landed is not None:
        flight.landed.synchronize()
    scores: list[Mapping[str, float] | None] = [None] * len(batch.lrs)
    if flight.rows is not None and batch.scoring is not None:
        metrics = batch.scoring.metrics
        scores = [read_scores(row, metrics) for row in flight.rows.tolist()]
    # What nobody asked for has stayed on the device, in case a score does not hold.
    outputs = flight.output if flight.outputs is None else flight.outputs
    return [
        BatchItem(
            score,
            outputs[index : index + 1].contiguous().cpu().numpy()
            if batch.wants_outputs or score is None
            else None,
        )
        for index, score in enumerate(scores)
    ]
