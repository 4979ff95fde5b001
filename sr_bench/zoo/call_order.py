"""The order in which a network uses its parameters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sr_bench.errors import CheckpointError

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
    """Return the uses of the parameters of `module`, in order, for one image of `shape`.

    It is in evaluation mode, and not changed. Shapes only are computed, or numbers too where the
    network needs them.

    Raises:
        CheckpointError: The network can't run, or not at that shape.
    """
    try:
        return _calls(module, shape, "meta")
    except Exception:  # a network of any kind: it may look at numbers, or hold them elsewhere
        try:
            return _calls(module, shape, "cpu")
        except Exception as error:
            msg = f"{type(module).__name__} can't be followed through its layers: {error}"
            raise CheckpointError(msg) from error


def _calls(module: nn.Module, shape: tuple[int, int, int], device: str) -> list[Call]:
    own: dict[str, Tensor] = dict(module.named_parameters(remove_duplicate=False))
    own |= module.named_buffers(remove_duplicate=False)
    moved = {id(value): value.detach().to(device) for value in own.values()}  # shared ones once
    state = {name: moved[id(value)] for name, value in own.items()}
    watch = _Watch({id(value): name for name, value in reversed(state.items())})
    with torch.inference_mode(), watch:
        torch.func.functional_call(module, state, torch.zeros((1, *shape), device=device))
    return watch.calls
