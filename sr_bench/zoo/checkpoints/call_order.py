"""The order in which a network uses its parameters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sr_bench.errors import CheckpointError

_SIZE = (8, 8)

# By function, the arguments that are parameters, with their places.
_ARGUMENTS = {
    **{name: {"weight": 1, "bias": 2} for name in ("conv2d", "conv_transpose2d", "linear")},
    "prelu": {"weight": 1},
    "batch_norm": {"weight": 3, "running_mean": 1, "running_var": 2, "bias": 4},
}


@dataclass(frozen=True)
class Call:
    """One use of a layer's parameters."""

    function: str
    """``conv2d``, ``conv_transpose2d``, ``linear``, ``prelu`` or ``batch_norm``."""
    names: tuple[str, ...]
    """Of its parameters: weight and bias, or those of ``batch_norm`` in ncnn's order."""
    shapes: tuple[tuple[int, ...], ...]

    def __str__(self) -> str:
        shapes = " and ".join("x".join(map(str, shape)) for shape in self.shapes)
        return f"{self.function} {' and '.join(self.names)} ({shapes})"


class _Watch(TorchFunctionMode):
    """Notes the calls of a forward."""

    def __init__(self, names: Mapping[int, str]) -> None:
        super().__init__()
        self._names = names
        self.calls: list[Call] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        kwargs = kwargs or {}
        if (name := getattr(func, "__name__", "")) in _ARGUMENTS:
            places = _ARGUMENTS[name].items()
            used = [args[at] if at < len(args) else kwargs.get(key) for key, at in places]
            self._note(name, [tensor for tensor in used if isinstance(tensor, Tensor)])
        return func(*args, **kwargs)

    def _note(self, function: str, tensors: Sequence[Tensor]) -> None:
        shapes = tuple(tuple(tensor.shape) for tensor in tensors)
        names = tuple(self._names.get(id(tensor), "computed numbers") for tensor in tensors)
        self.calls.append(Call(function, names, shapes))


def calls_of(module: nn.Module, shape: tuple[int, int, int]) -> list[Call]:
    """Return the uses of the parameters of `module`, in order, for one image.

    The image is a small one, or one of `shape` where the network takes none so small. The network
    is on the CPU and in evaluation mode.

    Raises:
        CheckpointError: It can't run.
    """
    try:
        return _calls(module, (shape[0], *_SIZE))
    except Exception:  # of a network of any kind
        try:
            return _calls(module, shape)
        except Exception as error:
            msg = f"{type(module).__name__} can't be followed through its layers: {error}"
            raise CheckpointError(msg) from error


def _calls(module: nn.Module, shape: tuple[int, int, int]) -> list[Call]:
    names = {id(value): name for name, value in module.state_dict(keep_vars=True).items()}
    watch = _Watch(names)
    # Not on the meta device, where torch imports its compiler first.
    with torch.inference_mode(), watch:
        module(torch.zeros(1, *shape))
    return watch.calls
