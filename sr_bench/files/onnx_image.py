"""Say what is wrong with a network that does not read or give images as the project has them."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from onnx import ModelProto, TensorProto, ValueInfoProto

from sr_bench.files.onnx_file import inputs

Dims = Sequence[int | str | None]
"""Of a network's input or output; a free size is a name, 0 or None."""

Run = Callable[[int, int], object]
"""Runs a network on a height and a width; raises anything where it can't."""

_LONGEST_NAME = 12  # that is told of an axis
_LARGEST_SIDE = 128  # of a window that a network may cut its image in


@dataclass(frozen=True)
class End:
    """An input or an output of a network."""

    name: str
    kind: str
    """Of its elements, as ONNX and onnxruntime call it: ``float``, ``uint8``, ``float16`` ..."""
    dims: Dims | None
    """None where the file does not say."""

    @property
    def dtype(self) -> str:
        """`kind` as numpy calls it."""
        return {"float": "float32", "double": "float64"}.get(self.kind, self.kind)

    def __str__(self) -> str:
        """Return such as ``'x' (uint8 1 x h x w x 3)``."""
        sizes = "" if self.dims is None else f" {_text(self.dims)}"
        return f"{self.name!r} ({self.dtype}{sizes})"


def ends(model: ModelProto) -> tuple[list[End], list[End]]:
    """Return the inputs and the outputs of `model`."""
    return [_end(value) for value in inputs(model)], [_end(value) for value in model.graph.output]


def _end(value: ValueInfoProto) -> End:
    tensor = value.type.tensor_type
    dims = [dim.dim_value if dim.dim_value > 0 else dim.dim_param for dim in tensor.shape.dim]
    kind = TensorProto.DataType.Name(tensor.elem_type).lower()
    return End(value.name, kind, dims if tensor.HasField("shape") else None)


def no_image_network(reads: Sequence[End], gives: Sequence[End]) -> str:
    """Return why what `reads` and `gives` this is not one float32 image to another; empty if it is.

    For sizes see `misfit`.
    """
    counts = len(reads), len(gives)
    if counts != (1, 1):
        wrong = f"one input and one output, got {counts[0]} and {counts[1]}"
    elif not _fits(reads[0]):
        wrong = "a float32 input N x C x H x W"
    elif not _fits(gives[0]):
        wrong = "a float32 output N x C x H x W"
    else:
        return ""
    names = [" and ".join(map(str, values)) or "nothing" for values in (reads, gives)]
    return f"expected {wrong}; it reads {names[0]} and gives {names[1]}: export the network so"


def _fits(end: End) -> bool:
    return end.kind == "float" and (end.dims is None or len(end.dims) == 4)


def misfit(dims: Dims, shape: Sequence[int]) -> str:
    """Return why a network whose input is of `dims` does not take `shape`, N x C x H x W.

    Empty if it does, as far as `dims` tell.
    """
    fixed = [size if isinstance(size, int) else 0 for size in dims]
    if all(want in (0, have) for want, have in zip(fixed, shape, strict=True)):
        return ""
    batch, channels, height, width = fixed
    size = f"[{height or shape[2]}, {width or shape[3]}]"
    if batch not in (0, 1) or channels not in (0, shape[1]):
        advice = "give it one image of its own number of channels"
    elif batch and shape[0] > 1:
        advice = "export it with a free batch, or time one image: batch = 1 under [model.latency]"
    elif height and width:
        advice = (
            f"say size = {size} under [model.input], with an overlap to have larger images cut into"
            f" tiles, or choose a protocol with input_shape = {size}"
        )
    else:
        advice = f"choose a protocol with input_shape = {size}, or export it with free sizes"
    return f"the network reads {_text(dims)}, got {_text(shape)}; {advice}"


def needed_multiple(run: Run) -> int:
    """Return of which number heights and widths have to be multiples for a network to run.

    1 if any will do that is large enough, 0 if no small number is found.
    """
    if _takes(run, 17, 19):
        return 1
    for side in range(1, _LARGEST_SIDE + 1):
        if all(_takes(run, *size) for size in ((side, side), (2 * side, side), (side, 3 * side))):
            return 1 if _takes(run, 2 * side + 1, 3 * side + 1) else side
    return 0


def _takes(run: Run, height: int, width: int) -> bool:
    # Runtimes' exceptions have no common base but Exception.
    with suppress(Exception):
        run(height, width)
        return True
    return False


def sizes_taken(run: Run) -> str:
    """Return on which sizes a network runs that did not run on one, and what to do."""
    if (number := needed_multiple(run)) > 1:
        return (
            f"it takes multiples of {number} pixels only: say multiple_of = {number} under"
            " [model.input], or choose a protocol with such an input_shape"
        )
    if number == 0 and (side := next((n for n in range(1, 257) if _takes(run, n, n)), 0)):
        size = f"[{side}, {side}]"
        return (
            f"it takes {side} x {side} pixels only: say size = {size} under [model.input], with an"
            f" overlap for larger images, or choose a protocol with input_shape = {size}"
        )
    return "export the network with free sizes"


def said(error: Exception) -> str:
    """Return what onnxruntime says in `error`, in one line: which node failed, and no more."""
    return " ".join(str(error).partition("Status Message:")[0].split())


def _text(dims: Dims) -> str:
    """Return `dims` as messages have them; a long name, such as a formula, as ``any``."""
    names = (str(size or "") for size in dims)
    told = (name if name.isprintable() and len(name) <= _LONGEST_NAME else "" for name in names)
    return " x ".join(name or "any" for name in told)
