"""See the convolutions and linear layers that a forward calls as bare functions."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import prod

from torch import Tensor
from torch.nn import functional

from sr_bench.cost.shapes import ShapesOnly

_MARK = "depends_on_image"


class Functions(ShapesOnly):
    """Add to a tally what functions multiply that are called outside of counted layers.

    What does not depend on the image, such as a kernel that is merged of others, is no operation
    of a network, as `count_onnx` has it. So tensors that do are marked.
    """

    inside = 0
    """How many counted layers are being called: what they call is theirs."""

    def __init__(self, tally: Counter[str]) -> None:
        super().__init__()
        self._tally = tally

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        result = super().__torch_function__(func, types, args, kwargs)
        given = kwargs or {}
        if any(hasattr(tensor, _MARK) for tensor in _tensors((*args, *given.values()))):
            changed = args[0] if func is Tensor.__setitem__ else result
            for tensor in _tensors((changed,)):
                mark(tensor)
            if (rule := _RULES.get(func) or _named(func)) and not self.inside:
                self._tally["subclass_macs"] += rule(*args, **given, output=result)
        return result


def mark(tensor: Tensor) -> Tensor:
    """Return `tensor`, marked as one that depends on the image."""
    setattr(tensor, _MARK, True)
    return tensor


def _named(func: object) -> Callable[..., int] | None:
    """Return the rule of an operator that another package adds to torch."""
    return _ADDED.get(getattr(func, "__name__", "").removesuffix(".default"))


def _tensors(values: Iterable[object]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from _tensors(value)


def _conv(input: Tensor, weight: Tensor, *_: object, output: Tensor, **__: object) -> int:
    return output.numel() * prod(weight.shape[1:])


def _transposed(input: Tensor, weight: Tensor, *_: object, **__: object) -> int:
    return input.numel() * prod(weight.shape[1:])


def _linear(input: Tensor, weight: Tensor, *_: object, output: Tensor, **__: object) -> int:
    return output.numel() * weight.shape[-1]


def _attention(query: Tensor, key: Tensor, value: Tensor, *_: object, **__: object) -> int:
    """Return what the four linear layers of multi-head attention cost; its products are none."""
    return (2 * query.numel() + key.numel() + value.numel()) * query.shape[-1]


_RULES: Mapping[object, Callable[..., int]] = {
    functional.conv1d: _conv,
    functional.conv2d: _conv,
    functional.conv3d: _conv,
    functional.conv_transpose1d: _transposed,
    functional.conv_transpose2d: _transposed,
    functional.conv_transpose3d: _transposed,
    functional.linear: _linear,
    functional.multi_head_attention_forward: _attention,
}
"""What a function multiplies, by its arguments, which have torch's names, and its output."""

_ADDED: Mapping[str, Callable[..., int]] = {"deform_conv2d": _conv}  # torchvision's
