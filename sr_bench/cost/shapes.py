"""The shapes of common operations on the meta device, faster than torch works them out.

Torch works most operations out in Python there, and imports its compiler for the first of them:
that takes longer than counting every network of this project.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class ShapesOnly(TorchFunctionMode):
    """Give common operations on float32 meta tensors a result of the right shape at once.

    What does not fit together, and every other operation, is left to torch.
    """

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        rule = _RULES.get(func)
        result = rule(args, kwargs or {}) if rule and args else None
        return func(*args, **(kwargs or {})) if result is None else result


def _same(args: tuple[object, ...], _kwargs: Mapping[str, object]) -> Tensor | None:
    """Return the operand itself: without values, it is the result too."""
    return args[0] if isinstance(args[0], Tensor) and _is_plain(args[0]) else None


def _normalised(args: tuple[object, ...], kwargs: Mapping[str, object]) -> Tensor | None:
    given = {**dict(zip(("input", "running_mean", "running_var"), args, strict=False)), **kwargs}
    x, mean = given["input"], given.get("running_mean")
    if not isinstance(x, Tensor) or not isinstance(mean, Tensor) or x.dim() < 2:
        return None
    return x if mean.shape == x.shape[1:2] and _is_plain(x) and _is_plain(mean) else None


def _each_normalised(args: tuple[object, ...], _kwargs: Mapping[str, object]) -> Tensor | None:
    x = args[0]
    fits = isinstance(x, Tensor) and x.dim() == 4 and x.shape[2:].numel() > 1 and _is_plain(x)
    return x if fits and isinstance(x, Tensor) else None


def _prelu(args: tuple[object, ...], kwargs: Mapping[str, object]) -> Tensor | None:
    x, slopes = (*args, None)[:2]
    if kwargs or not isinstance(x, Tensor) or not isinstance(slopes, Tensor) or x.dim() < 2:
        return None
    fits = slopes.dim() == 1 and len(slopes) in (1, x.shape[1]) and _is_plain(slopes)
    return x if fits and _is_plain(x) else None


def _broadcast(args: tuple[object, ...], kwargs: Mapping[str, object]) -> Tensor | None:
    tensors = [arg for arg in args if isinstance(arg, Tensor)]
    if len(args) != 2 or kwargs or not all(map(_is_plain, tensors)):
        return None
    shapes = (tensor.shape for tensor in tensors)
    return _empty(*torch.broadcast_shapes(*shapes))  # type: ignore[no-untyped-call]


def _join(args: tuple[object, ...], kwargs: Mapping[str, object]) -> Tensor | None:
    tensors, dim = args[0], kwargs.get("dim", (*args, 0)[1])
    if not isinstance(tensors, tuple | list) or not all(map(_is_plain, tensors)):
        return None
    shapes = [list(tensor.shape) for tensor in tensors]
    if not isinstance(dim, int) or not 0 <= dim < min(map(len, shapes)):
        return None
    total = sum(shape.pop(dim) for shape in shapes)
    if any(shape != shapes[0] for shape in shapes):
        return None
    return _empty(*shapes[0][:dim], total, *shapes[0][dim:])


def _resized(args: tuple[object, ...], kwargs: Mapping[str, object]) -> Tensor | None:
    names = ("input", "size", "scale_factor", "mode")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    x, size, factor = given["input"], given.get("size"), given.get("scale_factor")
    if not isinstance(x, Tensor) or x.dim() != 4 or not _is_plain(x):
        return None
    if given.get("mode") not in _IMAGE_MODES or (size is None) == (factor is None):
        return None
    sides = (size, size) if isinstance(size, int) else size
    if isinstance(factor, int | float):
        sides = [int(side * factor) for side in x.shape[2:]]
    if not isinstance(sides, tuple | list) or len(sides) != 2 or min(sides) < 1:
        return None
    return _empty(*x.shape[:2], *sides)


def _eye(args: tuple[object, ...], kwargs: Mapping[str, object]) -> Tensor | None:
    (size, *more) = args
    if more or kwargs or not isinstance(size, int) or torch.get_default_device().type != "meta":
        return None
    return _empty(size, size)


def _is_plain(tensor: Tensor) -> bool:
    return tensor.is_meta and tensor.dtype == torch.float32  # other types promote by torch's rules


def _empty(*shape: int) -> Tensor:
    return torch.empty(shape, device="meta")


_IMAGE_MODES = ("nearest", "nearest-exact", "bilinear", "bicubic")

_RULES: Mapping[object, Callable[[tuple[object, ...], Mapping[str, object]], Tensor | None]] = {
    functional.leaky_relu: _same,
    functional.relu: _same,
    functional.interpolate: _resized,
    functional.batch_norm: _normalised,
    functional.instance_norm: _each_normalised,
    torch.relu: _same,
    torch.prelu: _prelu,
    torch.sigmoid: _same,
    Tensor.neg: _same,
    Tensor.add: _broadcast,
    Tensor.div: _broadcast,
    Tensor.mul: _broadcast,
    Tensor.sub: _broadcast,
    torch.cat: _join,
    torch.eye: _eye,  # mean shifts start from it
}
